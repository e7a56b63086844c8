"""Copies only the pages that students may get to a folder for uploading or sending."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from harness.errors import MachineError, UsageError
from harness.files.whole_file import write_whole
from harness.gradebook.results import Results, SubmissionResult
from harness.report.alone import alone, shows_notebook, stylesheet_of
from harness.report.export.claims import left_out
from harness.report.kept import made_of
from harness.report.places import NOTEBOOK

_PAGE = "index.html"
_CLEARED = '<meta name="audience" content="student">'  # in the head of a student's page
_NOTEBOOK = re.compile(r'<meta name="notebook" content="([^"<>]*)">')  # what its notebook is made of
_NAME_CHARACTERS = 80


def write_feedback(
    results: Results, pages: Path, folder: Path, rows: Sequence[SubmissionResult] | None = None
) -> list[Path]:
    """Copy each submission's page from `pages/<id>/` to its own folder in `folder`; return the files written.

    `rows`: whose pages, if not everybody's. `results` is the whole class, because only there can be seen that two
    submissions claim one person.
    For Moodle, the folders have the names that its "upload multiple feedback files in a zip" needs; otherwise ids.
    Raises `UsageError` when `folder` is not empty, or a page is missing, not a student's, or from another run, and
    `MachineError` when it cannot be written.
    """
    try:
        given = results.submissions if rows is None else rows
        texts = {row.id: cleared_page(pages / row.id / _PAGE, made_for(row, results)) for row in given}
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if any(folder.iterdir()):
            raise UsageError(f"{folder}: holds other files, which would be given away, too", "name a new, empty folder")
        names = _names(results)
        written = []
        for row in given:
            (folder / names[row.id]).mkdir(mode=0o700)
            written.append(folder / names[row.id] / _PAGE)
            write_whole(written[-1], texts[row.id])
    except OSError as error:
        raise MachineError(f"{folder}: cannot be written: {error.strerror or error}", "name another folder") from error
    return written


def made_for(row: SubmissionResult, results: Results) -> str:
    """What the student's page of the row says that it was made of; in older results, when their run ended."""
    return row.page or results.run.finished


def cleared_page(page: Path, wanted: str) -> str:
    """The page as one file, with its style and its notebook in it. `wanted`: what it was made of (`made_for`).

    Raises `UsageError` if it, or what it needs, is missing, made for the instructor, or made by another run. A run that
    was stopped while writing may have left its pages beside the previous run's results, in which an id may belong to
    another student.
    """
    text = _cleared(page, wanted)
    stylesheet = stylesheet_of(text)
    if stylesheet is None:
        return text  # a page that only says that it could not be made has its style
    named = _NOTEBOOK.search(text.partition("<body")[0])
    notebook = _cleared(page.parent / NOTEBOOK, named[1] if named else wanted) if shows_notebook(text) else ""
    return alone(text, _text_of(page.parent.parent / stylesheet), notebook)


def _text_of(file: Path) -> str:
    if not file.is_file():
        raise UsageError(f"{file}: it is missing, and the students' pages need it", "grade again, then export")
    return file.read_text(encoding="utf-8")


def _cleared(page: Path, wanted: str) -> str:
    if not page.is_file():
        raise UsageError(f"{page}: the page is missing", "grade again, then export")
    text = page.read_text(encoding="utf-8")
    head = text.partition("<body")[0]
    if _CLEARED not in head:
        raise UsageError(f"{page}: this page was not made to be given away", "grade again, then export")
    if made_of(text) != wanted:
        raise UsageError(f"{page}: another run than the recorded one made this page", "grade again, then export")
    return text


def _names(results: Results) -> dict[str, str]:
    """Id -> name of its folder.

    The name is the id if the LMS has no name for it or has the name twice, or if the sender is not certain.
    """
    rows, nobodys = results.submissions, {row.id for row in left_out(results)}
    wanted = {row.id: row.id if row.id in nobodys else _lms_name(row) for row in rows}
    times = Counter(name.casefold() for name in wanted.values())
    ids = {row.id.casefold() for row in rows}
    return {
        id: name if times[name.casefold()] == 1 and name.casefold() not in ids else id for id, name in wanted.items()
    }


def _lms_name(row: SubmissionResult) -> str:
    if row.source != "moodle" or not re.fullmatch(r"[0-9]{1,20}", row.lms_id):
        return row.id
    student = re.sub(r"[^\w .'-]", "", row.student).strip(" .")[:_NAME_CHARACTERS]
    return f"{student or row.id}_{row.lms_id}_assignsubmission_file_"
