"""One submission: the values of `templates/submission.html.j2`, the instructor's, and of `student.html.j2`."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from harness.findings import Finding
from harness.gradebook.results import SubmissionResult
from harness.report import charts, dataset, failures, reading
from harness.report.confusion import ConfusionRow, confusion_rows
from harness.report.detection import section
from harness.report.detection.coarse import RUN_NO_CODE
from harness.report.detection.drawn_boxes import DrawnImage, drawn_images
from harness.report.notebook import Notebook, read
from harness.report.page_sources import PageSources
from harness.report.plain import cut, terminal_text
from harness.report.roofline import rooflines
from harness.report.thumbnails import Thumbnails
from harness.stages.evidence.benchmark import Benchmark
from harness.stages.evidence.evaluation import Evaluation
from harness.stages.evidence.execution import Execution, FailedExecution
from harness.stages.evidence.inspection import LARGEST_FINE_TUNING, Inspection, LayerComparison
from harness.stages.evidence.record import Blob
from harness.stages.evidence.reference import Reference
from harness.stages.evidence.stage_result import Done
from harness.stages.evidence.submission import Evidence
from harness.stages.store import Store

_LOG_CHARACTERS = 40_000
_LEAST_ZEROS = 0.005  # share of a layer's weights of which it is said that they are zero
SEVERITY_ORDER = ("error", "warning", "info")


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A submission to which a page leads."""

    id: str
    student: str


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The previous and next submission in the class's table; None while a run goes on."""

    before: Neighbour | None
    after: Neighbour | None

    def as_values(self) -> dict[str, Neighbour | None]:
        return {"before": self.before, "after": self.after}


def neighbours(rows: Sequence[SubmissionResult], index: int) -> Neighbours:
    """Those beside the row."""

    def at(place: int) -> Neighbour | None:
        return Neighbour(rows[place].id, rows[place].student) if 0 <= place < len(rows) else None

    return Neighbours(at(index - 1), at(index + 1))


NOBODY = Neighbours(None, None)


def view(page: PageSources) -> dict[str, Any]:
    """The values of the page's template."""
    result, evidence, reference = page.result, page.evidence, page.reference
    execution = _execution(evidence)
    theirs = page.detector_reference.evaluation if page.detector_reference else None
    return {
        "audience": page.audience,
        "results": page.results,
        "result": result,
        "reference": reference,
        "share": result.points / result.max_points if result.max_points else 0.0,
        "unmarked": [mark for mark in result.marks if mark.points is None],
        "obstacle": _obstacle(result),
        "any_reason": any(stage.reason for stage in result.stages.values()),
        "findings": by_severity(result.findings),
        "serious": [found for found in by_severity(result.findings) if found.severity != "info"],
        "notes": [found for found in result.findings if found.severity == "info"],
        "gains": [mark for mark in result.marks if mark.more],
        "by_a_person": [mark for mark in result.marks if mark.criterion == "manual"],
        "execution": execution,
        "notebook": notebook_of(evidence, page.store),
        **reading.view(evidence, execution),
        "conversion": evidence.convert.value if isinstance(evidence.convert, Done) else None,
        "logs": _logs(page.logs),
        "largest_class": max([*(result.dataset.classes.values() if result.dataset else ()), 1]),
        "own": evidence.own,
        "own_boxes": evidence.own_boxes,
        "claims": _claims(page),
        **_score_values(result.evaluation, reference, page.held_out_image),
        "boxes": result.detection,
        "boxes_reference": page.detector_reference,
        "boxes_shown": section.view(result.detection, theirs, _boxes_over(evidence, page.held_out_image)),
        "detector": evidence.detect.value if isinstance(evidence.detect, Done) else None,
        "tells_input": page.audience == "instructor" or _runs_no_code(evidence),
        "failures": _failures(result.evaluation, reference, page.held_out_image),
        "small_fine_tuning": LARGEST_FINE_TUNING,
        "latency_plot": _latency_plot(result.benchmark),
        "board_plots": rooflines(result.boards),
        "layer_plot": _layer_plot(result.inspection),
        "least_zeros": _LEAST_ZEROS,
        "layer_rows": _layer_rows(result.inspection),
    }


def by_severity(findings: tuple[Finding, ...]) -> list[Finding]:
    """The findings, the most serious first, otherwise in order."""
    return sorted(findings, key=lambda finding: SEVERITY_ORDER.index(finding.severity))


def _obstacle(result: SubmissionResult) -> str:
    """Why there is no score: the reason of the first failed stage, else of the last skipped one."""
    stages = [stage for stage in result.stages.values() if stage.reason]
    failed = [stage.reason for stage in stages if stage.status != "skipped"]
    errors = [finding.message for finding in result.findings if finding.severity == "error"]
    return next(iter(failed + errors + [stage.reason for stage in stages]), "")


def _execution(evidence: Evidence) -> Execution | None:
    """The notebook's run, also if it stopped half-way."""
    match evidence.execute:
        case Done(value=execution) | FailedExecution(execution=execution):
            return execution
        case _:
            return None


def notebook_that_ran(evidence: Evidence) -> Blob | None:
    """The notebook's file as it ran, also if it stopped half-way; None if it did not run."""
    execution = _execution(evidence)
    return execution.notebook if execution else None


def notebook_of(evidence: Evidence, store: Store) -> Notebook | None:
    """The notebook as it ran, as `notebook_that_ran` says."""
    ran = notebook_that_ran(evidence)
    return _read(store.path(ran)) if ran else None


@functools.lru_cache(maxsize=1)
def _read(kept: Path) -> Notebook:
    """Parse the notebook in a separate process; cached, because both pages of a submission show it.

    `kept`: a file in the store, which names files by content.
    """
    return read(kept)


def _logs(logs: Mapping[str, str]) -> list[tuple[str, str, int]]:
    """For each stage with a log: its name, the log, and how many characters were left out."""
    shown = ((name, terminal_text(log).strip()) for name, log in logs.items())
    return [(name, *cut(log, _LOG_CHARACTERS)) for name, log in shown if log]


def _boxes_over(evidence: Evidence, image: Thumbnails) -> list[DrawnImage]:
    """The images with boxes over them that the page may show; results have none."""
    score = evidence.score_boxes
    return drawn_images(score.value.shown, image) if isinstance(score, Done) else []


def _claims(page: PageSources) -> list[dataset.Claim]:
    audit = page.evidence.audit
    return dataset.claims(audit.value, page.own_image, page.other_image) if isinstance(audit, Done) else []


def _runs_no_code(evidence: Evidence) -> bool:
    """Whether the agent runs the detector itself, so that what is said of its input is not the student's word."""
    detect = evidence.detect
    return isinstance(detect, Done) and detect.value.description.family in RUN_NO_CODE


# --- the score ----------------------------------------------------------------------------------


def _score_values(score: Evaluation | None, compared: Reference | None, thumbnail: Thumbnails) -> dict[str, Any]:
    if score is None or compared is None:
        return {"mistakes": []}
    reference = compared.evaluation
    lowest = min(score.accuracy_interval[0], reference.accuracy_interval[0])
    spans = [(e.accuracy_interval[0], e.accuracy, e.accuracy_interval[1]) for e in (score, reference)]
    return {
        "accuracy_plot": charts.intervals(spans, max(0.0, lowest - 0.05), 1.0),
        "difference_plot": _difference_plot(score),
        "confusion": _confusion(score),
        "has_other": any(score.confusion_other),
        "mistakes": [(mistake, thumbnail(mistake.image)) for mistake in score.mistakes],
        "wrong": score.images - sum(row[i] for i, row in enumerate(score.confusion)),
    }


def _difference_plot(score: Evaluation) -> charts.IntervalPlot | None:
    if score.difference is None or score.difference_interval is None:
        return None
    return charts.difference(score.difference, score.difference_interval)


def _confusion(score: Evaluation) -> list[ConfusionRow]:
    others = [(count,) if any(score.confusion_other) else () for count in score.confusion_other]
    matrix = [(*counts, *other) for counts, other in zip(score.confusion, others, strict=True)]
    return confusion_rows(score.classes, matrix)


def _failures(score: Evaluation | None, compared: Reference | None, thumbnail: Thumbnails) -> dict[str, Any] | None:
    if score is None or compared is None:
        return None
    reference = compared.evaluation
    truth = {mistake.image: mistake.truth for mistake in score.mistakes}
    worse = failures.worse_images(score)
    curves = failures.curves(worse, failures.worse_images(reference))
    return {
        "curves": curves,
        "points": sorted({dot.x for curve in curves for dot in curve.reference}),
        "falls": failures.falls(worse),
        "reliability": failures.reliability(score),
        "gap": failures.confidence_gap(score),
        "reference_auroc": reference.unseen_auroc,
        "confusion": failures.confusion(score),
        "overlays": failures.overlays(score, truth, thumbnail),
    }


# --- the model ----------------------------------------------------------------------------------


def _latency_plot(speed: Benchmark | None) -> charts.Histogram | None:
    if speed is None or len(speed.latencies_ms) < 2 or speed.model.p50_ms <= 0:
        return None
    markers = [speed.model.p50_ms, *([speed.reference.p50_ms] if speed.reference else [])]
    return charts.latency_histogram(speed.latencies_ms, speed.model.p99_ms, markers)


def _layer_plot(inspection: Inspection | None) -> charts.Columns | None:
    """How much each layer changed; None when none did. A student's weights may be NaN or infinite."""
    changes = [layer.relative_change for layer in inspection.layers] if inspection else []
    known = [change if change is not None and math.isfinite(change) else None for change in changes]
    return charts.columns(known) if any(known) else None


def _layer_rows(inspection: Inspection | None) -> list[tuple[LayerComparison, ...]]:
    """The layers in order; those that follow each other, of which the same is to be said, are in one row."""

    def said(layer: LayerComparison) -> tuple[object, ...]:
        zeros = layer.zeros if layer.zeros >= _LEAST_ZEROS else 0.0
        return layer.identical, layer.rounding, zeros, layer.identical or (layer.clear, layer.relative_change)

    return [tuple(rows) for _, rows in groupby(inspection.layers, said)] if inspection else []
