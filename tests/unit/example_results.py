"""Results of a run, as `harness grade` would publish them."""

import json

from example_evidence import evidence

from harness.findings import finding
from harness.gradebook.database import Gradebook
from harness.gradebook.manual import Entry, ManualMark, Whose
from harness.gradebook.results import (
    AssignmentResult,
    ReferenceResult,
    Results,
    RunInfo,
    submission_result,
)
from harness.stages.evidence.grade import Grade, Mark
from harness.stages.evidence.stage_result import Skipped


def results(*students: str) -> Results:
    rows = []
    for number, student in enumerate(students):
        found = evidence(audit=Skipped(reason="none", findings=(finding("no-model"), finding("labels-missing"))))
        given_marks = (
            Mark(criterion="model_predicts", title="Predicts", points=10, max_points=10, reason="It does."),
            Mark(criterion="manual", title="Questions", points=None, max_points=20, reason="Waits."),
        )
        grade = Grade(status="needs-review", marks=given_marks, points=10, max_points=30)
        identity = json.dumps(["plain", "", student])
        rows.append(
            submission_result(
                f"s{number}", student, found, grade, frozenset({"execute"}), identity=identity, content=f"of {student}"
            )
        )
    return Results(
        schema=1,
        assignment=AssignmentResult(title="x", task="classification", file="a.toml", max_points=30),
        reference=ReferenceResult(
            backbone="mobilenet_v2",
            accuracy=0.9,
            accuracy_interval=(0.8, 0.95),
            images=150,
            training_seconds=20,
            latency=None,
        ),
        run=RunInfo(harness="0", sandbox="none", sandbox_reason="", not_enforced=(), finished="2026-01-01T00:00:00Z"),
        submissions=tuple(rows),
    )


def give(book: Gradebook, whose: Whose, criterion: str, mark: ManualMark) -> None:
    """Store the mark by somebody who knows of all earlier ones."""
    latest = book.manual_marks(whose).get(criterion)
    assert book.set_marks([Entry(whose, criterion, mark, latest.number if latest else 0)]) == []
