"""Reading an assignment.toml: parse it, check it, make its paths absolute and look at the folders."""

from __future__ import annotations

import contextlib
import tomllib
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from harness.errors import AssignmentError, Problem
from harness.inputs.assignment.outdated import with_new_keys
from harness.inputs.assignment.problems import described, problem
from harness.inputs.assignment.schema import Assignment, CriterionSpec
from harness.inputs.images.folders import IMAGE_SUFFIXES, class_folders, images_in, listed, not_used

_APART = "lies inside {}, or is the same folder: what submissions are graded on, and what they train on, must be apart"


def load(file: Path) -> Assignment:
    """The assignment in `file`, checked. Outdated keys are accepted, and named in `Assignment.outdated`.

    Raises `AssignmentError` with one entry for each problem: a file that is missing or no TOML, an
    unknown key, a wrong value, a folder that is missing or holds no images.
    """
    return with_checked_paths(*parse(file))


def parse(file: Path) -> tuple[Assignment, str]:
    """The assignment in `file` and the file's text; no path in it is looked at. Raises `AssignmentError` as `load`."""
    file = file.resolve()
    text, raw = parsed(file)
    return validated(file, text, raw), text


def parsed(file: Path) -> tuple[str, dict[str, Any]]:
    """The file's text and its tables. Raises `AssignmentError` for a file that is missing or no TOML."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise AssignmentError(f"{file}: cannot be read: {reason}", "give the path of an assignment.toml") from error
    try:
        return text, tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise AssignmentError(f"{file}: not TOML: {error}", "correct that line") from error


def validated(file: Path, text: str, raw: dict[str, Any]) -> Assignment:
    """The tables as types; paths are as they stand there. Raises `AssignmentError` for unknown keys, wrong values."""
    raw, renamed = with_new_keys(raw)
    outdated = tuple(str(problem(file, text, where, what)) for where, what in renamed)
    try:
        return Assignment.model_validate({**raw, "file": file, "outdated": outdated})
    except ValidationError as error:
        problems = [described(file, text, detail) for detail in error.errors()]
        raise AssignmentError(problems, f"correct {file.name}") from error


def criteria_alone(file: Path) -> tuple[dict[int, CriterionSpec], str]:
    """The lines of the rubric that can be read, by their position, and the file's text, whatever else is wrong in it.

    Raises `AssignmentError` for a file that is missing or no TOML.
    """
    file = file.resolve()
    text, raw = parsed(file)
    listed = raw.get("criteria")
    found = {}
    for index, line in enumerate(listed if isinstance(listed, list) else ()):
        with contextlib.suppress(ValidationError):
            found[index] = CriterionSpec.model_validate(line)
    return found, text


def with_checked_paths(assignment: Assignment, text: str) -> Assignment:
    """The assignment with absolute paths. `text`: its file's. Raises `AssignmentError` for what is not there."""
    base, problems, remarks = assignment.file.parent, list[Problem](), list[str]()

    def images(section: str, path: Path) -> Path:
        folder = (base / path).resolve()
        if not folder.is_dir():
            problems.append(problem(assignment.file, text, (section, "path"), f"no folder {folder}"))
            return folder
        if assignment.task == "detection":
            if not images_in(folder):
                what = f"no images in the folder {folder}\n  looked for {' '.join(IMAGE_SUFFIXES)}"
                problems.append(problem(assignment.file, text, (section, "path"), what))
            return folder
        classes = class_folders(folder)
        if len(classes) < 2 or not all(classes.values()):
            counts = ", ".join(f"{name} {len(files)}" for name, files in classes.items()) or "no class folders"
            problems.append(
                problem(
                    assignment.file,
                    text,
                    (section, "path"),
                    f"{folder} needs at least two class folders, each with images; found {counts}"
                    f"\n  looked for {' '.join(IMAGE_SUFFIXES)}",
                )
            )
        remark(section, folder)
        return folder

    def remark(section: str, folder: Path) -> None:
        if unused := not_used(folder):
            what = f"not used: {listed(unused, folder)}; put JPEG or PNG files directly into the class folders"
            remarks.append(str(problem(assignment.file, text, (section, "path"), what)))

    held_out = assignment.held_out
    path = images("held_out", held_out.path) if assignment.has_shared_set and held_out.path else None
    held_out = held_out.model_copy(update={"path": path})
    dataset = assignment.dataset
    if dataset is not None and dataset.path is not None:
        dataset = dataset.model_copy(update={"path": images("dataset", dataset.path)})
    if path is not None and dataset is not None and dataset.path is not None:
        problems += [
            problem(
                assignment.file,
                text,
                (section, "path"),
                f"{inner} {_APART.format(outer)}",
            )
            for section, inner, outer in (("held_out", path, dataset.path), ("dataset", dataset.path, path))
            if inner.is_relative_to(outer)
        ][:1]
    unseen = assignment.unseen
    if unseen is not None:
        unseen = unseen.model_copy(update={"path": (base / unseen.path).resolve()})
        if not unseen.path.is_dir() or not images_in(unseen.path):
            what = f"no images in the folder {unseen.path}\n  looked for {' '.join(IMAGE_SUFFIXES)}"
            problems.append(problem(assignment.file, text, ("unseen", "path"), what))
    public = assignment.public
    if public.path is not None:
        public = public.model_copy(update={"path": images("public", public.path)})
    if public.notebook is not None:
        notebook = (base / public.notebook).resolve()
        public = public.model_copy(update={"notebook": notebook})
        if not notebook.is_file():
            problems.append(problem(assignment.file, text, ("public", "notebook"), f"no file {notebook}"))
    code = assignment.reference.code
    if code is not None:
        code = (base / code).resolve()
        if not code.is_file():
            problems.append(problem(assignment.file, text, ("reference", "code"), f"no file {code}"))
    execution = assignment.execution
    if execution.requirements is not None:
        requirements = (base / execution.requirements).resolve()
        execution = execution.model_copy(update={"requirements": requirements})
        if not requirements.is_file():
            problems.append(problem(assignment.file, text, ("execution", "requirements"), f"no file {requirements}"))
    if assignment.has_shared_set and (dataset is None or dataset.path is None):
        place = ("dataset",) if dataset is None else ("dataset", "path")
        problems.append(problem(assignment.file, text, place, "missing: the reference is trained on its images"))
    if problems:
        raise AssignmentError(
            problems,
            f"correct {assignment.file.name}, or put the files there (the example: make data)",
        )
    reference = assignment.reference.model_copy(update={"code": code})
    return assignment.model_copy(
        update={
            "held_out": held_out,
            "dataset": dataset,
            "reference": reference,
            "execution": execution,
            "unseen": unseen,
            "public": public,
            "remarks": tuple(remarks),
        }
    )
