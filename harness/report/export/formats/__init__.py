"""Forms in which marks leave: one module each, found by its place here and checked when it is loaded.

TITLE   the name for people
files   (results, column) -> file name -> text; `column` is the assignment as the reader calls it
"""

from __future__ import annotations

import functools
from types import ModuleType

from harness.boundary.one_by_one import Defect, together
from harness.gradebook.results import Results, SubmissionResult
from harness.plugins import modules_of


@functools.cache
def formats() -> dict[str, ModuleType]:
    """Every form by its module's name. Raises `TypeError` for one that is malformed."""
    return modules_of(__name__, noun="export", function="files", parameters=("results", "column"))


def files_of(name: str, results: Results, column: str) -> tuple[dict[str, str], dict[str, Defect]]:
    """The files of the form, name -> text; and by id the submissions that are left out, since it fails with them."""
    rows = results.submissions

    def made(some: list[SubmissionResult]) -> dict[str, str]:
        found: dict[str, str] = formats()[name].files(results.model_copy(update={"submissions": tuple(some)}), column)
        for text in found.values():
            text.encode()  # what cannot be written is noticed here, where it is known whose it is
        return found

    files, left_out = together("exporting its row", rows, made)
    return files, {rows[index].id: found for index, found in left_out.items()}
