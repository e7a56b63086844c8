"""The table of what people have to mark: a row for each submission and criterion, with the answers and the evidence."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

from harness.gradebook.headline import headline
from harness.gradebook.manual import ManualMark
from harness.gradebook.results import ReferenceResult, Results, SubmissionResult
from harness.stages.evidence.grade import Mark

if TYPE_CHECKING:
    import pandas

BY_A_PERSON = "manual"  # the kind of criterion that only a person marks
COLUMNS = (
    "submission", "student", "criterion", "points", "of", "comment", "question", "words", "answer", "points so far",
    "evidence", "content", "mark",
)  # fmt: skip
RETURNED = ("submission", "student", "criterion", "points", "comment", "content", "mark")  # what is read back
_OF_CONTENT = 12  # digits of the hash


def table(results: Results, given: Mapping[str, Mapping[str, ManualMark]]) -> pandas.DataFrame:
    """`COLUMNS` of every criterion that a person marks, or that waits for one. `given`: id -> title -> mark."""
    import pandas

    rows = [
        _row(result, mark, given.get(result.id, {}).get(mark.title), results.reference)
        for result in results.submissions
        for mark in result.marks
        if mark.criterion == BY_A_PERSON or mark.points is None
    ]
    return pandas.DataFrame.from_records(rows, columns=list(COLUMNS))


def short_content(result: SubmissionResult) -> str:
    """Who handed in what, as a few digits of a hash. The letter keeps spreadsheets from reading a number."""
    return "c" + hashlib.sha256(f"{result.identity}\n{result.content}".encode()).hexdigest()[:_OF_CONTENT]


def _row(
    result: SubmissionResult, mark: Mark, given: ManualMark | None, reference: ReferenceResult | None
) -> tuple[object, ...]:
    questions = result.notebook.questions if result.notebook and mark.criterion == BY_A_PERSON else ()
    answers = [(question.name, question.answer) for question in questions]
    asked = "\n".join(name for name, _ in answers)
    answer = answers[0][1] if len(answers) == 1 else "\n\n".join(f"{name}\n{text or '–'}" for name, text in answers)
    counts = given is not None and given.counts
    return (
        result.id,
        result.student,
        mark.title,
        given.points if given and counts else "",
        mark.max_points,
        given.reason if given and counts else "",
        asked or mark.reason,
        sum(len(text.split()) for _, text in answers),
        answer,
        result.points,
        evidence(result, reference),
        short_content(result),
        given.number if given else 0,
    )


def evidence(result: SubmissionResult, reference: ReferenceResult | None) -> str:
    """What was measured of the submission, in a line, for whoever reads its answers beside it."""
    said = []
    if score := result.evaluation:
        low, high = score.accuracy_interval
        said.append(f"accuracy {score.accuracy:.0%} ({low:.0%} to {high:.0%}, {score.images} images)")
    if boxes := headline(result) if result.detection else None:
        low, high = boxes.interval
        said.append(f"AP50 {boxes.value:.2f} ({low:.2f} to {high:.2f})")
    if reference:
        said.append(
            f"reference {reference.score:.2f}" if reference.accuracy is None else f"reference {reference.score:.0%}"
        )
    if result.notebook and (claim := result.notebook.shown.claim):
        said.append(f"notebook claims {claim.accuracy:.0%} ({claim.kind})")
    if result.inspection:
        said.append(f"weights: {result.inspection.verdict}")
    if speed := result.benchmark:
        times = f", {speed.ratio:.1f} x the reference" if speed.ratio is not None else ""
        said.append(f"latency {speed.model.p50_ms:.1f} ms{times}")
    if codes := dict.fromkeys(found.code for found in result.findings if found.severity != "info"):
        said.append(f"findings: {', '.join(codes)}")
    return "; ".join(said)
