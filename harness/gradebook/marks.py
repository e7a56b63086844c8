"""A person's marks: entering them for a run's submissions, and finding those that count in a later run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from harness.boundary.one_by_one import for_each
from harness.errors import UsageError, nearest
from harness.findings import Finding, finding
from harness.gradebook.database import Gradebook, Whose
from harness.gradebook.manual import ManualMark
from harness.gradebook.results import SubmissionResult
from harness.inputs.submission import Submission


def enter(book: Gradebook, submission: str, criterion: str, points: float, reason: str, marker: str) -> None:
    """Give `points` for the criterion with that title to the submission with that id and its current content.

    Any criterion can be overruled, also the deduction for lateness, whose points are 0 or below. Raises `UsageError`
    for a submission or criterion that is not in the gradebook or is ambiguous, for points outside its range, and for
    an empty reason.
    """
    results = book.submissions()
    if not results:
        raise UsageError("nothing was graded there yet", "let `harness grade` run to its end first")
    found = _the_one(submission, results)
    marks = {mark.title: mark for mark in found.marks}
    if criterion not in marks:
        raise UsageError(f"no criterion {criterion!r}", nearest(criterion, list(marks)))
    highest = marks[criterion].max_points
    lowest = 0.0 if highest else -found.max_points  # a deduction has a maximum of 0
    if not lowest <= points <= highest:
        raise UsageError(f"{points:g} points for {criterion!r}", f"give {lowest:g} to {highest:g}")
    if not reason.strip():
        raise UsageError("a mark needs a reason", "say in a sentence why")
    whose = Whose(found.id, found.identity, found.content)
    book.set_mark(whose, criterion, ManualMark(points, reason.strip(), marker))


def _the_one(id: str, results: Sequence[SubmissionResult]) -> SubmissionResult:
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
