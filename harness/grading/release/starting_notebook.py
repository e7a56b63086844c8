"""The notebook that students start from: the instructor's, or one made of the assignment; with a cell that checks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TypedDict

from harness.errors import AssignmentError
from harness.inputs.assignment import Assignment
from harness.inputs.student_package import IMAGES


class Cell(TypedDict, total=False):
    """A cell as nbformat 4 has it, without what a run leaves behind."""

    cell_type: str
    id: str
    metadata: dict[str, object]
    source: str
    attachments: dict[str, dict[str, str]]
    outputs: list[object]
    execution_count: None


CHECK_CELL = "%load_ext harness\n%check"
_CHECK = (
    "## Check it before you hand it in\n\nThe next cell runs what grading runs, on the images that you have, and says "
    "what to mend. It writes `handin.zip`: that is what you hand in."
)
_PLACE = """\
# The course's images, where grading has them too.
import os
import shutil

if not os.path.exists({place!r}):
    os.makedirs(os.path.dirname({place!r}) or ".", exist_ok=True)
    if os.path.exists({images!r}):
        shutil.copytree({images!r}, {place!r})"""


def starting_notebook(assignment: Assignment, trains_on_images: bool) -> str:
    """The notebook as JSON, without outputs. `trains_on_images`: as in `public_toml`.

    Raises `AssignmentError` for an instructor's notebook that is none.
    """
    file = assignment.public.notebook
    cells = _read(file) if file is not None else _made(assignment)
    if trains_on_images and assignment.dataset is not None:
        cells.insert(1, _code(_PLACE.format(place=assignment.dataset.mounted_as, images=IMAGES)))
    cells += [_markdown(_CHECK), _code(CHECK_CELL)]
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    notebook = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def _read(file: Path) -> list[Cell]:
    """The instructor's cells: their text alone, and images that are attached to it."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        cells = [(cell["cell_type"], "".join(cell["source"]), cell.get("attachments")) for cell in found["cells"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise AssignmentError(
            f"{file}: is not a notebook of format 4: {error}", "save it with Jupyter, or correct public.notebook"
        ) from error
    made = []
    for kind, source, attached in cells:
        cell = _code(source) if kind == "code" else _markdown(source)
        if attached and kind != "code":
            cell["attachments"] = attached
        made.append(cell)
    return made


def _made(assignment: Assignment) -> list[Cell]:
    """A notebook of the steps and questions that the assignment names."""
    cells = [_markdown(f"# {assignment.title}")]
    for number, step in enumerate(assignment.notebook.steps, 1):
        cells += [_markdown(f"## {number}. {step}"), _code("# Your code.")]
    if not assignment.notebook.steps:
        cells.append(_code("# Your code."))
    cells += [_markdown(f"### {question}\n\n*Your answer:*") for question in assignment.notebook.questions]
    return cells


def _markdown(source: str) -> Cell:
    return {"cell_type": "markdown", "id": "", "metadata": {}, "source": source}


def _code(source: str) -> Cell:
    return {
        "cell_type": "code",
        "id": "",
        "metadata": {},
        "source": source,
        "outputs": [],
        "execution_count": None,
    }
