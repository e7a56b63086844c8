"""The files that a new assignment starts from: assignment.toml, a README, and empty folders for images.

What only an assignment with detection has is in `starting_detection.py`.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.errors import UsageError
from harness.inputs.assignment import starting_detection
from harness.inputs.assignment.points import rounded, total
from harness.inputs.assignment.schema import Task

# Criterion -> its share of the points, and further keys.
_RUBRIC = {
    "notebook_runs": (0.15, ""),
    "model_predicts": (0.10, ""),
    "accuracy_vs_reference": (
        0.45,
        "full_at = -0.03  # 3 points of 100 below the reference\nzero_at = -0.45\n",
    ),
    "latency_vs_reference": (0.10, "full_at = 1.5      # times as long as the reference\nzero_at = 10\n"),
    "manual": (0.20, 'title = "Open questions"    # marked by a person: harness mark\n'),
}
_RUBRICS: dict[Task, dict[str, tuple[float, str]]] = {
    "classification": _RUBRIC,
    "detection": starting_detection.RUBRIC,
}
_MOST_CLASSES, _LONGEST = 1000, 80


@dataclass(frozen=True, slots=True)
class Start:
    """What is asked. `classes` is empty where students photograph objects of their own."""

    title: str
    classes: tuple[str, ...]
    backbone: str
    points: float
    held_out: Path | None = None  # images that are there already, in class folders or with boxes
    task: Task = "classification"


_NO_OBJECTS = ("background", "void")  # jetson-inference's: what is none of the classes, and what is not shown


def class_names(listed: str, task: Task = "classification") -> tuple[str, ...]:
    """The classes in a text such as `ball, bottle, mug`.

    Raises `UsageError` for too few, for names that differ only by case, for those that no folder can have, and for
    detection for those that mean something else in jetson-inference's labels.txt.
    """
    fewest = 1 if task == "detection" else 2
    names = tuple(unicodedata.normalize("NFC", name.strip()) for name in listed.split(",") if name.strip())
    if not fewest <= len(names) <= _MOST_CLASSES:
        needed = "one is" if fewest == 1 else "two are"
        raise UsageError(f"{len(names)} classes; at least {needed} needed", "--classes ball,bottle,mug")
    for name in names:
        if re.search(r'[/\\:*?"<>|]', name) or not name.isprintable() or name.startswith(".") or len(name) > _LONGEST:
            raise UsageError(f"the class {name!r} cannot be the name of a folder everywhere", "use letters and digits")
        if task == "detection" and name.casefold() in _NO_OBJECTS:
            raise UsageError(f"the class {name!r} stands for no object in a detector's labels.txt", "name it otherwise")
    if len({name.casefold() for name in names}) < len(names):
        raise UsageError("two classes differ only by case, or not at all", "name each class once")
    return names


def files(start: Start) -> Mapping[Path, str]:
    """Relative path -> content of each file to write."""
    found = {Path("assignment.toml"): _toml(start), Path("README.md"): _readme(start)}
    if start.task == "detection":
        found |= starting_detection.label_lists(start.classes, has_held_out=start.held_out is not None)
    return found


def folders(start: Start) -> tuple[Path, ...]:
    """Relative paths of the folders to make."""
    parts = ["train"] if start.held_out else ["train", "heldout"]
    if start.task == "detection":
        below = starting_detection.FOLDERS if start.classes else ()
        return (*(Path("data", part, *name.split("/")) for part in parts for name in below), Path("submissions"))
    images = tuple(Path("data", part, name) for part in parts for name in start.classes)
    return (*images, Path("submissions"))


def points_of(whole: float, task: Task = "classification") -> dict[str, float]:
    """Criterion -> its points, which sum to `whole` exactly."""
    shares = {kind: rounded(whole * share) for kind, (share, _) in _RUBRICS[task].items()}
    rest = rounded(whole - total(shares.values()))
    return shares | {"manual": rounded(shares["manual"] + rest)}


def _toml(start: Start) -> str:
    text = f"""\
# What is asked, and how it is graded. Paths are relative to this file; every key: docs/assignment.md.
# `harness validate` says what is wrong or missing; `harness grade` grades.
schema = 1
title = {json.dumps(start.title, ensure_ascii=False)}
task = "{start.task}"
points = {start.points:g}               # the sum of the criteria below, as a check

"""
    text += starting_detection.parts(bool(start.classes)) if start.task == "detection" else _parts(bool(start.classes))
    if start.classes:
        held_out = "data/heldout" if start.held_out is None else start.held_out.as_posix()
        text += f"""\
[dataset]                      # what notebooks train on, {_LIES[start.task]}
path = "data/train"
mounted_as = "data/train"      # the same folder, as notebooks name it

[held_out]                     # what everyone is graded on: never given to students
mode = "shared"
path = {json.dumps(held_out, ensure_ascii=False)}

"""
    else:
        most, fewest = (5, 25) if start.task == "detection" else (10, 50)
        text += f"""\
[own_dataset]                  # students hand in photographs of objects of their own
min_classes = 3
max_classes = {most}
min_images_per_class = {fewest}
{_RERUN[start.task]}
[held_out]                     # a part of each student's own images is withheld, and graded on
mode = "withhold"

"""
    text += f"""\
[reference]                    # what everyone is compared with; `code` names a file of your own
backbone = {json.dumps(start.backbone)}
seed = 1

"""
    points = points_of(start.points, start.task)
    criteria = [
        f'[[criteria]]\nkind = "{kind}"\npoints = {points[kind]:g}\n{more}'
        for kind, (_, more) in _RUBRICS[start.task].items()
    ]
    return text + "\n".join(criteria)


def _parts(has_classes: bool) -> str:
    """What is handed in, and the limits of a submission whose notebook runs."""
    return f"""\
[handin]                       # required, optional or ignored
notebook = "optional"
model = "optional"
dataset = "{"optional" if has_classes else "required"}"

[limits]                       # of one submission
wall_seconds = 600             # the whole notebook
cell_seconds = 300
memory = "4 GB"
cpus = 2

"""


_RERUN: dict[Task, str] = {
    "classification": "",
    "detection": "rerun_seconds = 7200          # training a detector takes longer than a notebook may otherwise\n",
}
_LIES: dict[Task, str] = {"classification": "in class folders", "detection": "with boxes: see README.md"}


def _readme(start: Start) -> str:
    lines = [f"# {start.title}", ""]
    if start.classes and start.task == "detection":
        lines += starting_detection.folders_in_words(has_held_out=start.held_out is not None)
    elif start.classes:
        lines += [
            "| folder | what to put there |",
            "|---|---|",
            "| `data/train/<class>/` | images that students train on, at least 10 of each class |",
        ]
        if start.held_out is None:
            what = "images that only you have, of other scenes: at least 5 of each class, better 40"
            lines += [f"| `data/heldout/<class>/` | {what} |"]
    if start.classes:
        lines += ["| `submissions/` | what was handed in: a folder or archive for each, or the LMS's download |", ""]
        lines += ["Say here whose the images are, and under which licence students get them.", ""]
    else:
        lines += [
            "Put what was handed in into `submissions/`: a folder or archive for each, or the LMS's download.",
            "",
        ]
    lines += [
        "```",
        f"harness weights fetch {start.backbone}",
        "harness validate assignment.toml",
        "harness grade submissions/ --assignment assignment.toml --out reports --prepare",
        "```",
        "",
    ]
    return "\n".join(lines)
