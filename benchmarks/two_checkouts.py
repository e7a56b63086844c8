"""Measures the cost of a change: `harness grade` of the same submissions by two checkouts in turn, as a ratio.

    python benchmarks/two_checkouts.py BEFORE AFTER [--submissions DIR] [--turns 3]

BEFORE and AFTER are checkouts of this repository. Each turn grades with both in a random order, with `--force` and one
cache folder. It prints seconds of the whole command, processor time of the command and its children, and seconds of
the submissions' stages, as medians and as the ratio AFTER / BEFORE of each turn. On a busy machine the processor time
is steadier. Needs the rendered example (`make data`) and the weights `mobilenet_v2`.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

EXAMPLE = Path(__file__).resolve().parents[1] / "reference_solution" / "classification"


def graded(checkout: Path, submissions: Path, assignment: Path) -> dict[str, float]:
    """Name -> seconds: `whole`, and each stage summed over all submissions."""
    with tempfile.TemporaryDirectory() as out:
        command = [sys.executable, "-m", "harness", "grade", str(submissions), "--assignment", str(assignment)]
        command += ["--out", out, "--force", "--sandbox", "bubblewrap"]
        started, worked = time.monotonic(), _processor_seconds()
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            cwd=checkout,
            env={**os.environ, "PYTHONPATH": str(checkout)},
        )
        seconds = {"whole": time.monotonic() - started, "processor": _processor_seconds() - worked}
        if done.returncode not in (0, 1):
            raise SystemExit(done.stderr)
        rows = json.loads((Path(out) / "results.json").read_text())["submissions"]
    for row in rows:
        for name, stage in row["stages"].items():
            seconds[name] = seconds.get(name, 0.0) + stage["seconds"]
    seconds["all stages"] = sum(value for name, value in seconds.items() if name not in ("whole", "processor"))
    return seconds


def _processor_seconds() -> float:
    """Processor seconds of all ended children of this process."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument("--submissions", type=Path, default=EXAMPLE.parents[1] / "submissions")
    parser.add_argument("--assignment", type=Path, default=EXAMPLE / "assignment.toml")
    parser.add_argument("--turns", type=int, default=3)
    asked = parser.parse_args()
    checkouts = {"before": asked.before.resolve(), "after": asked.after.resolve()}
    turns: list[dict[str, dict[str, float]]] = []
    for number in range(asked.turns):
        order = random.sample(sorted(checkouts), 2)
        turns.append({name: graded(checkouts[name], asked.submissions, asked.assignment) for name in order})
        whole = {
            name: f"{seconds['whole']:.1f} s, {seconds['processor']:.1f} s of a processor"
            for name, seconds in turns[-1].items()
        }
        print(f"turn {number + 1} of {asked.turns}: {whole}", file=sys.stderr)
    print(f"{'':12} {'before, s':>10} {'after, s':>10}  ratio (each turn)")
    for part in turns[0]["after"]:
        before = [turn["before"].get(part, 0.0) for turn in turns]
        after = [turn["after"][part] for turn in turns]
        ratios = [new / old for old, new in zip(before, after, strict=True) if old > 0]
        each = " ".join(f"{ratio:.2f}" for ratio in ratios)
        median = f"{statistics.median(ratios):.3f}" if ratios else "-"
        print(f"{part:12} {statistics.median(before):10.2f} {statistics.median(after):10.2f}  {median} ({each})")


if __name__ == "__main__":
    main()
