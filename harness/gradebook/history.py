"""What the gradebook kept of the past, as records."""

from __future__ import annotations

import datetime
import json
from dataclasses import dataclass

from harness.gradebook.results import Results, SubmissionResult
from harness.gradebook.tables import GradeRow, PublishedRow
from harness.stages.evidence.grade import Mark


@dataclass(frozen=True, slots=True)
class PastGrade:
    """A submission's grade in a run, or as it was published."""

    submission: str  # the id that it had then
    identity: str
    student: str
    points: float
    max_points: float
    marks: tuple[Mark, ...]
    status: str = ""  # not kept of what was published
    content: str = ""
    findings: tuple[str, ...] = ()  # codes


@dataclass(frozen=True, slots=True)
class Run:
    """A recorded run; `number` counts a book's runs from 1."""

    number: int
    finished: str  # UTC, ISO 8601
    harness: str


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a grade."""

    at: str  # UTC, ISO 8601
    what: str  # in words
    why: str = ""


def now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


def past_grade(row: GradeRow | PublishedRow) -> PastGrade:
    """The record of a row."""
    marks = tuple(Mark.model_validate(mark) for mark in json.loads(row.marks))
    if isinstance(row, PublishedRow):
        return PastGrade(row.submission, row.identity, row.student, row.points, row.max_points, marks)
    return PastGrade(
        row.submission,
        row.identity,
        row.student,
        row.points,
        row.max_points,
        marks,
        row.status,
        row.content,
        tuple(json.loads(row.findings)),
    )


def grade_of(result: SubmissionResult) -> PastGrade:
    """What is kept of a result when the next run replaces it."""
    return PastGrade(
        result.id,
        result.identity,
        result.student,
        result.points,
        result.max_points,
        result.marks,
        result.status,
        result.content,
        tuple(dict.fromkeys(found.code for found in result.findings)),
    )


def grades_of(results: Results) -> list[PastGrade]:
    """The same of a whole run."""
    return [grade_of(result) for result in results.submissions]


def marks_json(marks: tuple[Mark, ...]) -> str:
    return json.dumps([mark.model_dump(mode="json") for mark in marks])
