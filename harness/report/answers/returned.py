"""Reads the table of answers back: which marks it gives, and all that is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from harness.errors import HarnessError, UsageError, nearest
from harness.gradebook.manual import Entry, ManualMark
from harness.gradebook.marks import checked, the_mark, the_one
from harness.gradebook.results import SubmissionResult
from harness.report.answers.table import RETURNED, short_content
from harness.report.tables.reading import as_read, read_number, read_table
from harness.report.tables.writing import harmless_lines

Earlier = Mapping[str, Sequence[ManualMark]]  # a submission's id -> every mark that people gave to it
Latest = Mapping[str, Mapping[str, ManualMark]]  # a submission's id -> criterion title -> the mark that counts now
_MOST_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Change:
    """A mark that the file gives. `before`: the one that it replaces."""

    entry: Entry
    before: ManualMark | None


def changes(
    file: Path, results: Sequence[SubmissionResult], earlier: Earlier, latest: Latest, marker: str
) -> list[Change]:
    """What the file changes; rows as they were written out, and rows without points, change nothing.

    Raises `UsageError` that names everything that is wrong: nothing of such a file may be entered.
    """
    frame = read_table(file, RETURNED)
    wrong: list[str] = []
    found: dict[tuple[str, str], Change | None] = {}
    for line, cells in frame.to_dict(orient="index").items():
        where = f"row {line} ({cells['submission']}, {cells['criterion']!r})"
        key = (cells["submission"], cells["criterion"])
        try:
            if key in found:
                raise UsageError("is there twice", "")
            found[key] = None
            found[key] = _change(cells, results, earlier, latest, marker)
        except HarnessError as error:
            wrong.append(f"{where}: {error.message}" + (f"; {error.do}" if error.do else ""))
    if wrong:
        more = [f"and {len(wrong) - _MOST_SHOWN} more"] if len(wrong) > _MOST_SHOWN else []
        what = "\n".join([f"{file}: nothing was entered", *wrong[:_MOST_SHOWN], *more])
        raise UsageError(what, "correct these rows, or write the file again with `harness answers`")
    return [change for change in found.values() if change is not None]


def _change(
    cells: Mapping[str, str], results: Sequence[SubmissionResult], earlier: Earlier, latest: Latest, marker: str
) -> Change | None:
    if not cells["points"]:
        if cells["comment"]:
            raise UsageError("a comment without points", "give points, or take the comment out")
        return None
    result = _submission(cells, results)
    points = read_number(cells["points"])
    if points is None:
        raise UsageError(f"{cells['points'][:40]!r} is no number of points", "write it as 17.5 or 17,5")
    if not re.fullmatch("[0-9]{1,15}", cells["mark"]):
        raise UsageError("the column mark was changed", "leave it as it was written")
    seen = int(cells["mark"])
    before = next((mark for mark in earlier.get(result.id, ()) if mark.number == seen), None)
    if seen and before is None:
        raise UsageError("the column mark was changed", "leave it as it was written")
    criterion = _title(cells["criterion"], result)
    now = latest.get(result.id, {}).get(criterion)
    if any(_is_as(mark, points, cells["comment"]) for mark in (before, now) if mark):
        return None  # as it was written out, or entered already
    entry = checked(result, the_mark(result, criterion), points, cells["comment"], marker)
    return Change(replace(entry, replaces=seen), before)


def _title(said: str, result: SubmissionResult) -> str:
    """The criterion's title, of which a spreadsheet was given a harmless form."""
    return next((mark.title for mark in result.marks if as_read(harmless_lines(mark.title)) == said), said)


def _is_as(mark: ManualMark, points: float, comment: str) -> bool:
    """Whether points and comment are those of the mark, as it is written out."""
    if not mark.counts or points != mark.points:
        return False
    reason = mark.reason
    return " ".join(as_read(harmless_lines(reason)).split()) == " ".join(comment.split())


def _submission(cells: Mapping[str, str], results: Sequence[SubmissionResult]) -> SubmissionResult:
    """The row's submission, if it is still of the same person and the same content."""
    ids = [result.id for result in results]
    if cells["submission"] not in ids:
        raise UsageError("no such submission in the latest run", nearest(cells["submission"], ids))
    result = the_one(cells["submission"], results)
    if short_content(result) != cells["content"]:
        raise UsageError("something else was handed in since this was written", "read what it is now, then mark")
    return result
