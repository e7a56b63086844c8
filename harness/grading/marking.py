"""Makes each submission's row in the results: its marks or, if the harness fails on it, a request to look."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from harness.boundary.one_by_one import Defect, attempt, for_each
from harness.findings import Finding, finding
from harness.gradebook.results import SubmissionResult, as_utf8, lost_result, submission_result
from harness.grading.submission_run import Examined
from harness.inputs.assignment import Assignment
from harness.inputs.images import HeldOutSet
from harness.stages.evidence.grade import Grade
from harness.stages.evidence.stage_result import Done
from harness.stages.evidence.submission import Evidence


def rows(
    examined: Sequence[Examined], assignment: Assignment, mark: Callable[[Examined], Grade]
) -> list[SubmissionResult]:
    """A row for each submission, with the marks that `mark` gives. All rows can be written and read as JSON."""

    def marked(one: Examined) -> SubmissionResult:
        handed_in = one.submission
        return _writable(
            submission_result(
                handed_in.id,
                handed_in.student,
                one.evidence,
                mark(one),
                one.cached,
                handed_in.origin,
                handed_in.identity,
                handed_in.sha256,
            )
        )

    max_points = assignment.max_points

    def bare(one: Examined, found: Defect) -> SubmissionResult:
        origin, findings = one.submission.origin, (*one.submission.findings, found.finding)
        result = lost_result(one.submission.id, one.submission.student, max_points, findings)
        whose = attempt("telling whose it is", lambda: one.submission.identity)
        known = {
            "source": origin.source,
            "lms_id": as_utf8(origin.lms_id),
            "members": tuple(map(as_utf8, origin.members)),
            "identity": "" if isinstance(whose, Defect) else whose,
            "content": one.submission.sha256,
        }
        return result.model_copy(update=known)

    return for_each("marking it", examined, marked, bare)


def of_repeats(evidence: Evidence, repeats: int, held_out: HeldOutSet) -> tuple[Finding, ...]:
    """That the submission's score is on images of which `repeats` repeat others, where it is and they do."""
    scored = isinstance(evidence.evaluate, Done) or isinstance(evidence.score_boxes, Done)
    if not repeats or not scored:
        return ()
    return (finding("held-out-repeated", count=repeats, images=len(held_out.files)),)


def _writable(result: SubmissionResult) -> SubmissionResult:
    """The same row. Raises if a text in it cannot be encoded, or a number cannot be read back."""
    SubmissionResult.model_validate_json(result.model_dump_json(by_alias=True))
    return result
