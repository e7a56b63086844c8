"""Which pages may be published, in the form in which each LMS takes feedback files, and who has to be told again."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from harness.errors import UsageError, cannot_write
from harness.files.whole_file import whole_file
from harness.gradebook.history import PastGrade, grade_of
from harness.gradebook.results import Results, SubmissionResult
from harness.report.export.claims import left_out
from harness.report.export.feedback import cleared_page, made_for
from harness.report.places import PAGE

Form = Literal["zip", "canvas", "moodle", "brightspace"]
FORMS: tuple[Form, ...] = ("zip", "canvas", "moodle", "brightspace")
_NAME_CHARACTERS = 80
_EARLIEST = (1980, 1, 1, 0, 0, 0)  # of every file, so that the same pages make the same archive


@dataclass(frozen=True, slots=True)
class Publication:
    """What is given away, and what is not."""

    files: Mapping[str, str]  # name in the archive -> page
    rows: tuple[SubmissionResult, ...]  # whose pages these are
    kept_back: Mapping[str, str]  # id -> why its page is not among them


def publication(results: Results, pages: Path, form: Form, *, also_open: bool) -> Publication:
    """The students' pages below `pages/<id>/`, named as the LMS finds people by.

    Without `also_open`, only of submissions that are wholly marked. Raises `UsageError` for a page that is missing, is
    not a student's, or is of another run.
    """
    kept_back = {
        row.id: "not wholly marked yet; --unfinished gives it, too" for row in results.submissions if row.is_open
    }
    if also_open:
        kept_back = {}
    nobodys = {row.id for row in left_out(results)} if form != "zip" else set()
    kept_back |= dict.fromkeys(nobodys, "whose it is is not known; see its findings")
    names: dict[str, SubmissionResult] = {}
    for row in results.submissions:
        if row.id in kept_back:
            continue
        name = _name(row, form)
        if name is None:
            kept_back[row.id] = f"{form} could not know whose it is: it is not in a download of {form}'s, by name"
        elif name.casefold() in names:
            kept_back[row.id] = "its page would have the name of another's"
        else:
            names[name.casefold()] = row
    files = {
        str(_name(row, form)): cleared_page(pages / row.id / PAGE, made_for(row, results)) for row in names.values()
    }
    return Publication(files, tuple(names.values()), kept_back)


def _name(row: SubmissionResult, form: Form) -> str | None:
    """The page's name in the archive. None where the LMS could not know whose it is.

    Moodle's feedback files are in folders `<name>_<participant>_assignsubmission_file_`. Canvas and Brightspace know
    people by the names of their own download: `<name>_<user>_<attachment>_<file>`, and folders `<user>-<item> - <name>
    - <date>`.
    """
    if form == "zip":
        return f"{row.id}/{PAGE}"
    if row.source != form:
        return None
    if form == "moodle":
        plain = _plain(row.student)[:_NAME_CHARACTERS] or row.id
        number = re.fullmatch(r"[0-9]{1,20}", row.lms_id)
        return f"{plain}_{row.lms_id}_assignsubmission_file_/{PAGE}" if number else None
    if form == "canvas":
        numbers = re.match(rf"[^/_]{{1,80}}(?:_LATE)?_{re.escape(row.lms_id)}_[0-9]{{1,20}}(?=_)", row.entry)
        return f"{numbers[0]}_feedback.html" if numbers and row.lms_id.isdecimal() else None
    is_folder = re.fullmatch(rf"{re.escape(row.lms_id)}-[0-9]{{1,20}} - [^/\\]{{1,200}}", row.entry)
    return f"{row.entry}/{PAGE}" if is_folder and _plain(row.entry) else None


def _plain(text: str) -> str:
    return re.sub(r"[^\w .'-]", "", text).strip(" .")


def write_archive(files: Mapping[str, str], file: Path) -> None:
    """Write the pages as a zip, whole or not at all. Raises `UsageError` where the file is there already."""
    if file.exists():
        raise UsageError(f"{file}: is there already", "take it away, or choose another --as")
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(zipfile.ZipInfo(name, _EARLIEST), text, zipfile.ZIP_DEFLATED)
    with cannot_write(file):
        file.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(file) as whole:
            whole.write(stream.getvalue())


def to_be_told(results: Results, published: Iterable[PastGrade]) -> list[tuple[SubmissionResult, PastGrade]]:
    """Those whose marks are others than those that were published last, with what was published."""
    last = {grade.identity: grade for grade in published if grade.identity}
    return [
        (row, last[row.identity])
        for row in results.submissions
        if row.identity in last and _told(grade_of(row)) != _told(last[row.identity])
    ]


def _told(grade: PastGrade) -> tuple[object, ...]:
    """What a student reads of the grade."""
    marks = [(mark.title, mark.points, mark.max_points, mark.reason) for mark in grade.marks]
    return grade.points, grade.max_points, marks
