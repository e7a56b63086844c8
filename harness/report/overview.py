"""The class's page: the values of `templates/class.html.j2`."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from statistics import median
from typing import Any

from harness.findings import Severity
from harness.gradebook.frames import by_criterion
from harness.gradebook.headline import Headline, headline
from harness.gradebook.results import Results, SubmissionResult
from harness.report import charts
from harness.report.alike import alike_view
from harness.report.first_look import first_look
from harness.report.places import INSTRUCTORS, PAGE
from harness.report.student import SEVERITY_ORDER, by_severity
from harness.stages.evidence.grade import GradeStatus


@dataclass(frozen=True, slots=True)
class FindingChip:
    """One submission's findings of one kind."""

    code: str
    severity: Severity
    message: str  # of the first
    times: int


@dataclass(frozen=True, slots=True)
class CommonFinding:
    """One kind of finding in the class."""

    code: str
    severity: Severity
    message: str  # of the first
    hand_ins: int


@dataclass(frozen=True, slots=True)
class Row:
    """One submission in the table."""

    result: SubmissionResult
    share: float  # of the points
    score: Headline | None
    strip: charts.Span | None
    findings: tuple[FindingChip, ...]


def view(results: Results) -> dict[str, Any]:
    """The values of the page's template."""
    rows = [table_row(result) for result in results.submissions]
    scores = [row.score.value for row in rows if row.score]
    measured = [row for row in rows if _measured(row.result)]
    drawn = [row for row in measured if _believed(row.result)]
    shares = [row.share for row in rows]
    statuses = Counter(row.result.status for row in rows)
    every_status: tuple[GradeStatus, ...] = ("graded", "failed", "needs-review")
    return {
        "results": results,
        "rows": rows,
        "counts": {status: statuses[status] for status in every_status},
        "median": median(row.result.points for row in rows) if rows else None,
        "median_score": median(scores) if scores else None,
        "scored": len(scores),
        "distribution": charts.histogram(shares, 0.0, 1.0, 10, [median(shares)], height=300) if rows else None,
        "tradeoff": _tradeoff(results, [row.result for row in drawn]),
        "tradeoff_names": [(f"{INSTRUCTORS}/{row.result.id}/{PAGE}", _words(row.result)) for row in drawn],
        "not_believed": len(measured) - len(drawn),
        "reference_at": charts.strip(0.0, results.reference.score, 1.0).mid if results.reference else None,
        "common": _common(rows),
        "criteria": _criteria(results),
        "alike": alike_view(results),
        "look_first": first_look(results.submissions),
    }


@dataclass(frozen=True, slots=True)
class CriterionRow:
    """What one criterion tells of the class."""

    title: str
    marked: int  # submissions
    mean_share: float | None  # of its points; None where nobody is marked
    discrimination: float | None  # None where it cannot be told


def _criteria(results: Results) -> list[CriterionRow]:
    return [
        CriterionRow(str(row.Index), int(row.marked), _known(row.mean_share), _known(row.discrimination))
        for row in by_criterion(results).itertuples()
    ]


def _known(value: float) -> float | None:
    return None if value != value else float(value)


def table_row(result: SubmissionResult) -> Row:
    """What the table shows of one submission."""
    score = headline(result)
    return Row(
        result,
        min(max(result.points / result.max_points, 0.0), 1.0) if result.max_points else 0.0,
        score,
        charts.strip(score.interval[0], score.value, score.interval[1]) if score else None,
        _chips(result),
    )


def _chips(result: SubmissionResult) -> tuple[FindingChip, ...]:
    """One chip for each code, the most serious first; plain notes only when there is nothing else."""
    findings = by_severity(result.findings)
    times = Counter(finding.code for finding in findings)
    first = {finding.code: finding for finding in reversed(findings)}
    ordered = dict.fromkeys(finding.code for finding in findings)
    return tuple(FindingChip(code, first[code].severity, first[code].message, times[code]) for code in ordered)


# Findings after which a submission's score or time waits for a person. An unsteady time is drawn with its interval,
# because it gives points.
_DOUBTS = {"answers-depend-on-order", "detector-depends-on-order", "benchmark-outputs-differ", "stateful-model"}


def _believed(result: SubmissionResult) -> bool:
    """Whether score and time are not in doubt, and all timed answers were compared."""
    compared = result.benchmark is not None and result.benchmark.answers is not None
    return compared and not _DOUBTS & {found.code for found in result.findings}


def _measured(result: SubmissionResult) -> charts.Measured | None:
    score, speed = headline(result), result.benchmark
    if score is None or speed is None or speed.model.p50_ms <= 0:
        return None
    return speed.model.p50_ms, score.value, *score.interval


def _tradeoff(results: Results, drawn: list[SubmissionResult]) -> charts.Scatter | None:
    reference = results.reference
    measured = [one for one in map(_measured, drawn) if one]
    marker = None
    if reference and reference.latency and reference.latency.p50_ms > 0:
        marker = (reference.latency.p50_ms, reference.score, *reference.score_interval)
    return charts.scatter(measured, marker)


def _words(result: SubmissionResult) -> dict[str, Any]:
    """The chart's tooltip for a submission."""
    score = headline(result)
    assert score is not None and result.benchmark is not None
    return {
        "student": result.student,
        "score": score.value,
        "latency_ms": result.benchmark.model.p50_ms,
    }


def _common(rows: list[Row]) -> list[CommonFinding]:
    """Every kind of finding: the most serious first, then the most frequent."""
    counts = Counter(chip.code for row in rows for chip in row.findings)
    first = {chip.code: chip for row in reversed(rows) for chip in row.findings}
    kinds = [CommonFinding(code, first[code].severity, first[code].message, n) for code, n in counts.items()]
    return sorted(kinds, key=lambda kind: (SEVERITY_ORDER.index(kind.severity), -kind.hand_ins, kind.code))
