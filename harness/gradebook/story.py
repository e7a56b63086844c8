"""The story of one submission's grade: what happened to it, in order, and why."""

from __future__ import annotations

from collections.abc import Sequence

from harness.gradebook.database import Gradebook
from harness.gradebook.history import Event, PastGrade, Run
from harness.gradebook.manual import ManualMark, Whose
from harness.gradebook.results import SubmissionResult
from harness.stages.evidence.grade import Mark


def story(book: Gradebook, result: SubmissionResult) -> list[Event]:
    """Every change of its grade by a run, every mark that a person gave, and every publication."""
    mine = [(run, grade) for run in book.runs() for grade in book.grades(run) if grade.identity == result.identity]
    marks = book.all_marks(Whose(result.id, result.identity, result.content))
    told = [
        Event(at, f"published as {form}{_by(by)}: {grade.points:g} of {grade.max_points:g} points")
        for at, form, by, grade in book.published()
        if grade.identity == result.identity
    ]
    return sorted([*_by_runs(mine), *(_by_person(*mark) for mark in marks), *told], key=lambda event: event.at)


def _by_runs(runs: Sequence[tuple[Run, PastGrade]]) -> list[Event]:
    events, before = [], None
    for run, grade in runs:
        if before is None or (grade.points, grade.status, grade.content) != (
            before.points,
            before.status,
            before.content,
        ):
            what = f"run {run.number}: {grade.points:g} of {grade.max_points:g} points, {grade.status}"
            events.append(Event(run.finished, what, "; ".join(reasons(before, grade))))
        before = grade
    return events


def _by_person(criterion: str, mark: ManualMark) -> Event:
    of_another = "" if mark.counts else ", for what had been handed in then"
    return Event(
        mark.entered, f"{mark.marker or 'somebody'} gave {mark.points:g} for {criterion!r}{of_another}", mark.reason
    )


def _by(publisher: str) -> str:
    return f" by {publisher}" if publisher else ""


def reasons(before: PastGrade | None, after: PastGrade) -> list[str]:
    """Why a grade is another: new content, each criterion whose points differ, findings that came and went."""
    if before is None:
        return []
    said = ["something else was handed in"] if before.content and before.content != after.content else []
    old, new = _by_title(before), _by_title(after)
    for title in dict.fromkeys((*old, *new)):
        was, now = old.get(title), new.get(title)
        if now is None:
            said.append(f"{title}: {_points(was)} -> no longer asked")
        elif was is None or was.points != now.points:
            said.append(f"{title}: {_points(was)} -> {_points(now)} ({now.reason})")
        elif was.max_points != now.max_points:
            said.append(f"{title}: of {was.max_points:g} -> of {now.max_points:g}")
    if before.findings or after.findings:
        said += [f"new finding {code}" for code in after.findings if code not in before.findings]
        said += [f"no more {code}" for code in before.findings if code not in after.findings]
    return said


def _by_title(grade: PastGrade) -> dict[str, Mark]:
    return {mark.title: mark for mark in grade.marks}


def _points(mark: Mark | None) -> str:
    return "–" if mark is None or mark.points is None else f"{mark.points:g}"
