"""Gradescope's results.json, one for each submission: what an autograder returns.

After the autograder specification: `score`, `output`, `tests` with `name`, `score`, `max_score`, `output`.
"""

from __future__ import annotations

from typing import Literal

from harness.findings import said_to_student
from harness.gradebook.results import Results, SubmissionResult
from harness.report.export.claims import exportable, is_missing, not_exported
from harness.stages.evidence.grade import Mark
from harness.stages.evidence.record import Record

TITLE = "Gradescope"


class _Test(Record):
    name: str
    score: float
    max_score: float
    output: str
    output_format: Literal["text"] = "text"
    visibility: Literal["visible"] = "visible"


class _Autograded(Record):
    score: float
    output: str
    output_format: Literal["text"] = "text"
    tests: tuple[_Test, ...]


def files(results: Results, column: str) -> dict[str, str]:
    """gradescope-<id>.json for each submission; Gradescope knows the assignment."""
    return {f"gradescope-{row.id}.json": _autograded(row) for row in exportable(results) if not is_missing(row)}


def why_not(results: Results) -> dict[str, str]:
    """Id -> why it is left out."""
    missing = [row.id for row in exportable(results) if is_missing(row)]
    return {**not_exported(results), **dict.fromkeys(missing, "handed in nothing that could have a result")}


def _autograded(row: SubmissionResult) -> str:
    autograded = _Autograded(
        score=row.points,
        output="\n".join(said_to_student(finding.message) for finding in row.findings),
        tests=tuple(_test(mark) for mark in row.marks),
    )
    return autograded.model_dump_json(indent=2) + "\n"


def _test(mark: Mark) -> _Test:
    return _Test(
        name=mark.title, score=mark.points or 0.0, max_score=mark.max_points, output=said_to_student(mark.reason)
    )
