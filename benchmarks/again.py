"""Prints what the harness itself needs to grade a class again: `python benchmarks/again.py [SUBMISSIONS ...]`.

A small course of flat colours, and a class of copies of five submissions of it, so that the sandboxes of the first run
take little and all later time is the harness's own. For each size: the same command again, again with another rubric,
and the most memory of each; then `harness --help`, and `harness check` until its first line. Times are seconds of a
processor, of the command and all that it started, since those of a clock say little on a busy machine; medians of
three. With `--page` they go into docs/performance.md. Needs bubblewrap, and the weights `mobilenet_v2`.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import tables

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests" / "e2e")]

from small_course import CLASSES, fetch_weights, hand_in, make_course, notebook, train_reference  # noqa: E402

_TURNS = 3
_KINDS = 5
_HARNESS = [sys.executable, "-m", "harness"]
# Runs a command in a process of its own, so that its children's usage is this command's alone.
_MEASURE = """
import resource, subprocess, sys
done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(done.returncode, used.ru_utime + used.ru_stime, used.ru_maxrss / 1000)
"""


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of a processor, and MB at most of one process."""

    seconds: float
    megabytes: float


def cost(command: list[str], cache: Path) -> Cost:
    """What the command took. Raises `SystemExit` where it failed."""
    environment = {**os.environ, "HARNESS_CACHE": str(cache), "PYTHONPATH": str(ROOT)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # an installation has its bytecode
    done = subprocess.run(
        [sys.executable, "-c", _MEASURE, *command], capture_output=True, text=True, check=True, env=environment
    )
    status, seconds, megabytes = done.stdout.split()
    if status not in ("0", "1"):
        raise SystemExit(f"{' '.join(command)}: ended with {status}")
    return Cost(float(seconds), float(megabytes))


def middle(command: list[str], cache: Path) -> Cost:
    costs = [cost(command, cache) for _ in range(_TURNS)]
    return Cost(median(one.seconds for one in costs), median(one.megabytes for one in costs))


def make_class(folder: Path, reference: Path, count: int) -> Path:
    """`count` submissions: models, most with a notebook, some with images."""
    for number in range(count):
        kind = number % _KINDS
        files = {} if kind == _KINDS - 1 else {"notebook__ipynb": notebook(f"print('notebook {kind}')", "print(1)")}
        place = hand_in(folder, f"group-{number:04}", reference, **files)
        if kind == 1:
            for name in CLASSES:
                (place / "dataset" / name).mkdir(parents=True)
                for image in (reference.parent / "course" / "train" / name).iterdir():
                    (place / "dataset" / name / image.name).write_bytes(image.read_bytes())
    return folder


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sizes", type=int, nargs="*", default=[100, 1000])
    parser.add_argument("--page", action="store_true")
    asked = parser.parse_args()
    lines = ["| measure | submissions | processor | memory |", "|---|---|---|---|"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        assignment = make_course(folder / "course")
        cache = fetch_weights(folder / "cache")
        reference = train_reference(assignment, folder / "reference", cache)
        for count in asked.sizes:
            place = make_class(folder / f"class-{count}", reference, count)
            out = folder / f"out-{count}"
            again = [*_HARNESS, "grade", str(place), "--assignment", str(assignment), "--out", str(out)]
            again += ["--sandbox", "bubblewrap"]
            cost(again, cache)
            found = middle(again, cache)
            lines.append(f"| again, nothing changed | {count} | {found.seconds:.1f} s | {found.megabytes:.0f} MB |")
            text = assignment.read_text()
            assignment.write_text(text.replace("points = 40", "points = 41"))
            found = cost(again, cache)
            assignment.write_text(text)
            lines.append(f"| again, another rubric | {count} | {found.seconds:.1f} s | {found.megabytes:.0f} MB |")
        for what, command in (
            ("`harness --help`", [*_HARNESS, "--help"]),
            (
                "`harness check`, until its first line",
                [sys.executable, "-c", "import harness.cli.main, harness.cli.check"],
            ),
        ):
            found = middle(command, cache)
            lines.append(f"| {what} | | {found.seconds:.2f} s | {found.megabytes:.0f} MB |")
    text = "\n".join(lines) + "\n"
    print(text)
    if asked.page:
        tables.replace(ROOT / "docs" / "performance.md", "again", text)


if __name__ == "__main__":
    main()
