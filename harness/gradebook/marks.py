"""A person's marks: entering them for a run's submissions, and finding those that count in a later run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from harness.boundary.one_by_one import for_each
from harness.errors import UsageError, nearest
from harness.findings import Finding, finding
from harness.gradebook.database import Gradebook
from harness.gradebook.manual import Entry, ManualMark, Overtaken, Whose
from harness.gradebook.results import SubmissionResult
from harness.inputs.submission import Submission
from harness.stages.evidence.grade import Mark


def enter(
    book: Gradebook,
    submission: str,
    criterion: str,
    points: float,
    reason: str,
    marker: str,
    *,
    replaces_newer: bool = False,
) -> None:
    """Give `points` for the criterion with that title to the submission with that id and its current content.

    Any criterion can be overruled, also the deduction for lateness, whose points are 0 or below. Raises `UsageError`
    for a submission or criterion that is not in the gradebook or is ambiguous, for points outside its range, for an
    empty reason, and where somebody else has marked it since the last run, unless `replaces_newer`.
    """
    results = graded(book)
    found = the_one(submission, results)
    shown = the_mark(found, criterion)
    entry = checked(found, shown, points, reason, marker)
    latest = book.manual_marks(entry.whose).get(criterion)
    if latest and latest.number != shown.given and latest.marker != marker and not replaces_newer:
        what = already_marked([Overtaken(entry, latest)])
        raise UsageError(what, "look at that mark; to replace it, mark again with --replace")
    if overtaken := book.set_marks([replace(entry, replaces=latest.number if latest else 0)]):
        raise UsageError(already_marked(overtaken), "look at that mark; to replace it, mark again with --replace")


def graded(book: Gradebook) -> tuple[SubmissionResult, ...]:
    """The latest run's submissions. Raises `UsageError` before the first run."""
    if results := book.submissions():
        return results
    raise UsageError("nothing was graded there yet", "let `harness grade` run to its end first")


def checked(found: SubmissionResult, shown: Mark, points: float, reason: str, marker: str) -> Entry:
    """The entry that gives these points, knowing of no earlier mark. Raises `UsageError` for what cannot be a mark."""
    highest = shown.max_points
    lowest = 0.0 if highest else -found.max_points  # a deduction has a maximum of 0
    if not lowest <= points <= highest:
        raise UsageError(f"{points:g} points for {shown.title!r}", f"give {lowest:g} to {highest:g}")
    if not reason.strip():
        raise UsageError("a mark needs a reason", "say in a sentence why")
    whose = Whose(found.id, found.identity, found.content)
    return Entry(whose, shown.title, ManualMark(points + 0.0, reason.strip(), marker), 0)  # no -0


def enter_all(book: Gradebook, entries: Sequence[Entry]) -> None:
    """Enter all of these, or none. Raises `UsageError` where somebody gave a mark that one of them does not know of."""
    if overtaken := book.set_marks(entries):
        what = f"nothing was entered; somebody marked meanwhile:\n{already_marked(overtaken)}"
        raise UsageError(what, "write the file again with `harness answers`, and enter your marks there")


def every_mark(book: Gradebook, results: Sequence[SubmissionResult]) -> dict[str, list[ManualMark]]:
    """A submission's id -> all marks that people gave to it, the first one first."""
    return {one.id: [mark for _, mark in book.all_marks(Whose(one.id, one.identity, one.content))] for one in results}


def latest_marks(book: Gradebook, results: Sequence[SubmissionResult]) -> dict[str, dict[str, ManualMark]]:
    """A submission's id -> criterion title -> the latest mark that a person gave to it."""
    return {one.id: book.manual_marks(Whose(one.id, one.identity, one.content)) for one in results}


def already_marked(overtaken: Sequence[Overtaken]) -> str:
    """Says which marks would be replaced unseen: one line for each."""
    return "\n".join(
        f"{one.entry.whose.id}: {one.newer.marker or 'somebody'} gave {one.newer.points:g} for "
        f"{one.entry.criterion!r} on {one.newer.entered}: {one.newer.reason}"
        for one in overtaken
    )


def the_mark(found: SubmissionResult, criterion: str) -> Mark:
    """The submission's mark with that title. Raises `UsageError`."""
    marks = {mark.title: mark for mark in found.marks}
    if criterion not in marks:
        raise UsageError(f"no criterion {criterion!r}", nearest(criterion, list(marks)))
    return marks[criterion]


def the_one(id: str, results: Sequence[SubmissionResult]) -> SubmissionResult:
    """The submission with that id, which can be marked. Raises `UsageError`."""
    by_id = {result.id: result for result in results}
    if id not in by_id:
        named = [result.id for result in results if result.student.strip().casefold() == id.strip().casefold()]
        if len(named) > 1:
            raise UsageError(f"{id!r} may be any of several submissions", f"give the id: {', '.join(named)}")
        raise UsageError(f"no submission {id!r} in this gradebook", nearest(named[0] if named else id, list(by_id)))
    found = by_id[id]
    if not found.identity:
        raise UsageError(
            "this run was graded by an older harness, which did not record whose marks are whose",
            "run `harness grade` again, then mark",
        )
    same = [result.id for result in results if result.identity == found.identity]
    if len(same) > 1:
        raise UsageError(
            f"{', '.join(same)} were handed in under one and the same name, so a mark would be for all of them",
            "rename or remove all but one in the submissions folder, run `harness grade` again, then mark",
        )
    return found


def of_known_titles(book: Gradebook, titles: Collection[str]) -> None:
    """Raises `UsageError` where people gave marks for a criterion whose title is none of these."""
    lost = {title: times for title, times in book.marked_titles().items() if title not in titles}
    if lost:
        which = ", ".join(f"{title!r} (of {times})" for title, times in lost.items())
        raise UsageError(
            f"people gave marks for criteria that the assignment does not have: {which}",
            "give the criteria their titles back; or let the marks count for another title, "
            f"`harness mark OUT --retitle OLD NEW`, or for none, with '' as NEW; known: {', '.join(titles)}",
        )


@dataclass(frozen=True, slots=True)
class Given:
    """The marks that people gave to one submission: criterion title -> mark."""

    marks: Mapping[str, ManualMark]
    findings: tuple[Finding, ...] = ()


def with_one_identity(submissions: Sequence[Submission]) -> frozenset[str]:
    """The identities that several submissions of a run share, so that marks for them are ambiguous."""
    counted = Counter(for_each("telling whose it is", submissions, lambda one: one.identity, lambda one, _: ""))
    return frozenset(identity for identity, times in counted.items() if times > 1)


def given(book: Gradebook, submission: Submission, several: Collection[str]) -> Given:
    """The marks that count for the submission, and those that a person has to confirm.

    A mark counts only for the identity and content that it was given for, and not for an identity in `several`.
    """
    whose = Whose(submission.id, submission.identity, submission.sha256)
    marks = book.manual_marks(whose)
    if submission.identity in several:
        marks = {title: replace(mark, given_for="one of several") for title, mark in marks.items()}
    of_another = book.has_marks_of_another(whose)
    return Given(marks, (finding("marks-of-another", id=submission.id),) if of_another else ())
