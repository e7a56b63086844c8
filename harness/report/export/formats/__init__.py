"""Export formats for marks: one module each, discovered in this folder and checked when it is loaded.

TITLE   the name for people
files   (results, column) -> file name -> text; `column` is the assignment's name in the LMS
why_not (results) -> id -> why it is in none of the files; formats that take every row have none
"""

from __future__ import annotations

import functools
from types import ModuleType

from harness.boundary.one_by_one import Defect, together
from harness.gradebook.results import Results, SubmissionResult
from harness.plugins import modules_of


@functools.cache
def formats() -> dict[str, ModuleType]:
    """Every format by its module's name. Raises `TypeError` for a malformed one."""
    return modules_of(__name__, noun="export", function="files", parameters=("results", "column"))


def files_of(name: str, results: Results, column: str) -> tuple[dict[str, str], dict[str, Defect]]:
    """The format's files, name -> text; and, by id, submissions that are left out because the format fails on them."""
    rows = results.submissions

    def made(some: list[SubmissionResult]) -> dict[str, str]:
        found: dict[str, str] = formats()[name].files(results.model_copy(update={"submissions": tuple(some)}), column)
        for text in found.values():
            text.encode()  # text that cannot be encoded fails here, where its submission is known
        return found

    files, left_out = together("exporting its row", rows, made)
    return files, {rows[index].id: found for index, found in left_out.items()}


def why_not(name: str, results: Results) -> dict[str, str]:
    """Id -> why the format's files leave it out. A format that takes every row has no `why_not`."""
    module = formats()[name]
    found: dict[str, str] = module.why_not(results) if hasattr(module, "why_not") else {}
    return found
