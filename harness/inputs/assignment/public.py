"""Reads an assignment.toml as a student has it: without the held-out images and the reference.

It may be the one of a student's package, which says nothing of them, or the instructor's own, whose paths lead nowhere
on a student's machine. Held-out images are never read here, even where they are.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.inputs.assignment.reading import parsed, validated
from harness.inputs.assignment.schema import Assignment
from harness.inputs.images.folders import class_folders, images_in

_ELSEWHERE = "not-on-this-machine"  # stands for a path that a student does not have


def load_public(file: Path) -> Assignment:
    """The assignment without what only its instructor has; `held_out.path` is None.

    `dataset.path`, `unseen` and `execution.requirements` are None where they are not on this machine. Raises
    `AssignmentError` as `load` does, but not for paths.
    """
    file = file.resolve()
    text, raw = parsed(file)
    assignment = validated(file, text, _completed(raw))
    base = file.parent
    dataset, unseen, execution = assignment.dataset, assignment.unseen, assignment.execution
    if dataset is not None and dataset.path is not None:
        folder = (base / dataset.path).resolve()
        dataset = dataset.model_copy(update={"path": folder if _has_classes(folder) else None})
    if unseen is not None:
        folder = (base / unseen.path).resolve()
        is_here = folder.is_dir() and images_in(folder)
        unseen = unseen.model_copy(update={"path": folder}) if is_here else None
    if execution.requirements is not None:
        requirements = (base / execution.requirements).resolve()
        execution = execution.model_copy(update={"requirements": requirements if requirements.is_file() else None})
    changes = {
        "held_out": assignment.held_out.model_copy(update={"path": None}),
        "dataset": dataset,
        "unseen": unseen,
        "execution": execution,
    }
    return assignment.model_copy(update=changes)


def _completed(raw: dict[str, Any]) -> dict[str, Any]:
    """The tables, with stand-ins for what a student's package leaves out. Wrong ones are left for the check."""
    raw = dict(raw)
    for table, key in (("held_out", "path"), ("reference", "code")):
        given = raw.get(table, {})
        if isinstance(given, dict):
            raw[table] = {key: _ELSEWHERE, **given}
    return raw


def _has_classes(folder: Path) -> bool:
    return folder.is_dir() and any(class_folders(folder).values())
