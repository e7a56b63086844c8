"""Trains the reference on each data set with each backbone, and prints the table of docs/reference.md.

    python benchmarks/reference_figures.py [--backbones mobilenet_v2,vgg16_notop_caffe] [--write docs/reference.md]

Reads the rendered example (`make data`) and the real photographs in ../shared/data (or $HARNESS_SHARED/data). The
training is deterministic for a seed, so the figures come out the same on the same version of torch.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "e2e"))
import real_photographs

REPOSITORY = Path(__file__).resolve().parents[1]
EXAMPLE = REPOSITORY / "reference_solution" / "classification"
HEADER = "| data set | backbone | training images | held out | accuracy [95 % interval] |\n|---|---|---|---|---|\n"


def trained(assignment: Path) -> dict[str, object]:
    """The output of `harness reference train --json` for the assignment."""
    with tempfile.TemporaryDirectory() as out:
        command = [sys.executable, "-m", "harness", "reference", "train", str(assignment), "--out", out, "--json"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=REPOSITORY)
    if done.returncode:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout)


def row(title: str, assignment: Path, images: int) -> str:
    """One line of the table."""
    reference = trained(assignment)
    evaluation = reference["evaluation"]
    low, high = evaluation["accuracy_interval"]
    return (
        f"| {title} | `{reference['backbone']}` | {images} | {evaluation['images']} "
        f"| {evaluation['accuracy']:.3f} [{low:.3f}, {high:.3f}] |\n"
    )


def example(out: Path, backbone: str) -> Path:
    """The example's assignment with another backbone."""
    text = (EXAMPLE / "assignment.toml").read_text()
    for name in ("data/train", "data/heldout"):
        text = re.sub(rf'^(path = )"{name}"', rf'\1"{EXAMPLE / name}"', text, flags=re.MULTILINE)
    text = text.replace('"mobilenet_v2"', f'"{backbone}"')
    out.mkdir(parents=True)
    file = out / "assignment.toml"
    file.write_text(text)
    return file


def table(backbones: list[str]) -> str:
    """The whole table, with all references trained now."""
    data = Path(os.environ.get("HARNESS_SHARED", REPOSITORY.parent / "shared")) / "data"
    lines = HEADER
    with tempfile.TemporaryDirectory() as folder:
        for backbone in backbones:
            place = Path(folder) / backbone
            courses = {
                "Example, rendered": example(place / "example", backbone),
                "Playing cards, cut by their boxes": real_photographs.cards(data, place / "cards", backbone),
                "Fruit": real_photographs.fruit(data, place / "fruit", backbone),
            }
            for title, assignment in courses.items():
                train = EXAMPLE / "data" / "train" if title.startswith("Example") else assignment.parent / "train"
                images = sum(file.is_file() for file in train.rglob("*.*"))
                lines += row(title, assignment, images)
                print(lines.splitlines()[-1], file=sys.stderr, flush=True)
    return lines


def main() -> None:
    """Print the table, or write it between the marks of a page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--backbones", default="mobilenet_v2,vgg16_notop_caffe")
    parser.add_argument("--write", type=Path)
    given = parser.parse_args()
    lines = table(given.backbones.split(","))
    if given.write is None:
        print(lines, end="")
        return
    marks = r"(<!-- figures -->\n)(.*?)(<!-- end of figures -->)"
    page = given.write.read_text()
    given.write.write_text(re.sub(marks, lambda found: found[1] + lines + found[3], page, flags=re.DOTALL))


if __name__ == "__main__":
    main()
