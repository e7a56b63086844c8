"""The assignment.toml of a student's package: the keys that students may know, and no others."""

from __future__ import annotations

from typing import Any

import tomli_w

from harness.inputs.assignment import Assignment
from harness.inputs.student_package import IMAGES

REQUIREMENTS = "requirements.txt"
# Every key is in one of the two, which a test holds: a new one needs a decision.
PUBLIC: dict[str, tuple[str, ...] | None] = {  # a table's keys; None for the whole
    "schema": None,
    "title": None,
    "task": None,
    "points": None,
    "weights": None,
    "boards": None,
    "handin": None,
    "limits": None,
    "execution": ("mode", "on_cell_error", "environments", "rules"),
    "notebook": None,
    "dataset": ("mounted_as", "names", "layout"),
    "held_out": ("mode",),
    "own_dataset": (
        *("min_classes", "max_classes", "min_images_per_class", "withhold_fraction", "withhold_per_class"),
        *("allowed_files", "too_slow", "rerun_seconds"),
    ),
    "benchmark": None,
    "robustness": None,
    "deadline": None,
    "criteria": None,
}
PRIVATE = {
    "execution": ("requirements",),  # a path; the file itself is in the package
    "dataset": ("path",),
    "held_out": ("path", "accept_repeated"),
    "own_dataset": ("seed",),  # of the images that are withheld
    "public": None,
    "reference": None,
    "unseen": None,
    "feedback": None,
    "grading": None,
}


def public_toml(assignment: Assignment, trains_on_images: bool) -> str:
    """The file's text. `trains_on_images`: whether the package's images are those that notebooks train on."""
    every = assignment.model_dump(by_alias=True, exclude_defaults=True, exclude_none=True)
    found: dict[str, Any] = {"schema": assignment.schema_}
    for name, keys in PUBLIC.items():
        if name not in every:
            continue
        value = every[name]
        found[name] = value if keys is None else {key: value[key] for key in keys if key in value}
    found.setdefault("held_out", {})["mode"] = assignment.held_out.mode
    if assignment.dataset is not None and trains_on_images:
        found.setdefault("dataset", {})["path"] = IMAGES
    if assignment.execution.requirements is not None:
        found.setdefault("execution", {})["requirements"] = REQUIREMENTS
    title = "# What students may know of the assignment. `harness check` reads it.\n"
    return title + tomli_w.dumps(found)
