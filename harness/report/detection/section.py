"""The part of a submission's page about its detector: the values of `templates/detection.html.j2`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from harness.report import charts, failures
from harness.report.confusion import ConfusionRow, confusion_rows
from harness.report.detection.charts import count_histogram, group_plot, precision_curves
from harness.report.detection.drawn_boxes import DrawnImage
from harness.report.failures import WorseImages
from harness.stages.evaluate.detection.circumstances import Circumstances, Recall
from harness.stages.evaluate.detection.error_types import ErrorTypes
from harness.stages.evidence.detection_scores import CorruptedScores, DetectionEvaluation

ErrorName = Literal["classification", "localisation", "both", "duplicate", "background", "missed"]
ERRORS: tuple[ErrorName, ...] = ("classification", "localisation", "both", "duplicate", "background", "missed")
_LEAST_SCALE = 0.05  # of AP50: the length of a bar for a cost is at most this large a share of it


@dataclass(frozen=True, slots=True)
class ErrorRow:
    """One type of mistake; `share`: of the longest bar."""

    name: ErrorName
    count: int
    cost: float
    share: float


@dataclass(frozen=True, slots=True)
class PlaceCell:
    recall: Recall | None
    shade: str  # a class of the style sheet; empty for none


def view(
    score: DetectionEvaluation | None, reference: DetectionEvaluation | None, images: Sequence[DrawnImage]
) -> dict[str, Any] | None:
    """None without scores. `reference`: the reference's own scores, where they are known. `images`: with boxes over."""
    if score is None:
        return None
    worse = _worse(score.corrupted)
    curves = failures.curves(worse, _worse(reference.corrupted if reference else None)) if worse else ()
    return {
        "ap_plot": _ap_plot(score, reference),
        "difference_plot": _difference_plot(score),
        "precision_curves": precision_curves(score.per_class),
        "confusion": _confusion(score),
        "errors": error_rows(score.errors),
        "images": images,
        "by_area": group_plot(score.circumstances.by_area),
        "by_crowd": group_plot(score.circumstances.by_crowd),
        "by_cover": group_plot(score.circumstances.by_cover),
        "places": _places(score.circumstances),
        "counts": count_histogram(score.counting.all_objects),
        "alarms": _alarms(score),
        "curves": curves,
        "points": sorted({dot.x for curve in curves for dot in curve.reference}),
    }


def _ap_plot(score: DetectionEvaluation, reference: DetectionEvaluation | None) -> charts.IntervalPlot | None:
    """AP50 with its interval, of this detector and of the reference; the first alone where that has none."""
    both = [(one.scores.ap50, one.ap50_interval) for one in (score, reference) if one]
    spans = [(interval[0], value, interval[1]) for value, interval in both if value is not None and interval]
    if not spans or score.scores.ap50 is None:
        return None
    return charts.intervals(spans, max(0.0, min(span[0] for span in spans) - 0.05), 1.0)


def _difference_plot(score: DetectionEvaluation) -> charts.IntervalPlot | None:
    if score.difference is None or score.difference_interval is None:
        return None
    return charts.difference(score.difference, score.difference_interval)


def _confusion(score: DetectionEvaluation) -> list[ConfusionRow]:
    """A row for each class, and one for background, whose own cell does not exist."""
    return confusion_rows(score.classes, score.confusion)


def error_rows(errors: ErrorTypes) -> list[ErrorRow]:
    """The six types, the costliest first."""
    found = [(name, getattr(errors, name)) for name in ERRORS]
    longest = max([error.cost for _, error in found] + [_LEAST_SCALE])
    rows = [ErrorRow(name, error.count, error.cost, max(0.0, error.cost) / longest) for name, error in found]
    return sorted(rows, key=lambda row: -row.cost)


def _places(found: Circumstances) -> list[tuple[str, list[PlaceCell]]]:
    """Three rows from top to bottom, each from left to right."""
    rows: dict[str, list[PlaceCell]] = {}
    for one in found.by_place:
        shade = f"r{max(1, round(10 * one.recall.share))}" if one.recall and one.recall.found else ""
        rows.setdefault(one.down, []).append(PlaceCell(one.recall, shade))
    return list(rows.items())


def _alarms(score: DetectionEvaluation) -> list[tuple[str, int]]:
    """What is reported on images of other things, and how often."""
    counts = score.false_alarms.per_class if score.false_alarms else ()
    return [(name, count) for name, count in zip(score.classes, counts, strict=False) if count]


def _worse(corrupted: CorruptedScores | None) -> WorseImages | None:
    return WorseImages(corrupted.clean, corrupted.worse) if corrupted and corrupted.worse else None
