"""Charts of a detector's scores: positions as in `charts.py`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from harness.report import charts
from harness.report.charts import LEFT, RIGHT, Histogram, Scale, Tick
from harness.stages.evaluate.detection.circumstances import RecallGroup
from harness.stages.evaluate.detection.counting import CountScores
from harness.stages.evidence.detection_scores import ClassBoxes

_HEIGHT = 150.0
_CURVE_LEFT, _CURVE_RIGHT, _TOP = 17.0, 95.0, 10.0
_MOST_CURVES = 12


@dataclass(frozen=True, slots=True)
class Step:
    """From the step before, across to `x`, then down to `y`."""

    x: float
    y: float


@dataclass(frozen=True, slots=True)
class PrecisionCurve:
    """Precision against recall of one class: the best precision at each recall or a larger one."""

    of: ClassBoxes
    start: float  # height at a recall of 0
    steps: tuple[Step, ...]
    best: tuple[float, float] | None  # where the threshold with the best F1 is
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    height: float
    base: float


def precision_curves(classes: Sequence[ClassBoxes]) -> list[PrecisionCurve]:
    """One small chart for each class with a curve, on the same axes; of many, those with the most objects."""
    drawn = [one for one in classes if one.curve]
    if len(drawn) > _MOST_CURVES:
        most = sorted(drawn, key=lambda one: -one.objects)[:_MOST_CURVES]
        drawn = [one for one in drawn if one in most]
    return [_precision_curve(one) for one in drawn]


def _precision_curve(one: ClassBoxes) -> PrecisionCurve:
    base = _HEIGHT - 24.0
    across, up = Scale(0.0, 1.0, _CURVE_LEFT, _CURVE_RIGHT), Scale(0.0, 1.0, base, _TOP)
    heights = [up.at(point.precision) for point in one.curve]
    steps = [
        Step(across.at(point.recall), heights[n + 1] if n + 1 < len(heights) else base)
        for n, point in enumerate(one.curve)
        if n + 1 == len(heights) or round(heights[n + 1]) != round(heights[n])
    ]
    best, ends = one.best, tuple(Tick(across.at(v), v) for v in (0.0, 0.5, 1.0))
    return PrecisionCurve(
        of=one,
        start=heights[0],
        steps=tuple(steps),
        best=(across.at(best.recall), up.at(best.precision))
        if best and best.recall is not None and best.precision is not None
        else None,
        x_ticks=ends,
        y_ticks=tuple(Tick(up.at(v), v) for v in (0.0, 0.5, 1.0)),
        height=_HEIGHT,
        base=base,
    )


@dataclass(frozen=True, slots=True)
class GroupDot:
    x: float
    y: float
    top: float  # of the interval
    bottom: float
    group: RecallGroup


@dataclass(frozen=True, slots=True)
class GroupPlot:
    """Recall of groups beside each other, in their order."""

    dots: tuple[GroupDot, ...]  # of the groups with objects
    places: tuple[tuple[float, RecallGroup], ...]  # of all
    y_ticks: tuple[Tick, ...]
    height: float
    base: float


def group_plot(groups: Sequence[RecallGroup], height: float = 200.0) -> GroupPlot | None:
    """None where fewer than two groups have objects."""
    base = height - 36.0
    up, width = Scale(0.0, 1.0, base, 12.0), (RIGHT - LEFT) / max(len(groups), 1)
    places = tuple((round(LEFT + width * (n + 0.5), 2), group) for n, group in enumerate(groups))
    dots = tuple(
        GroupDot(x, up.at(group.recall.share), up.at(group.recall.interval[1]), up.at(group.recall.interval[0]), group)
        for x, group in places
        if group.recall is not None
    )
    return GroupPlot(dots, places, up.ticks(4), height, base) if len(dots) > 1 else None


def count_histogram(counted: CountScores) -> Histogram:
    """Images by how far the count is off, a bar for each whole number."""
    farthest = max([abs(error) for error, _ in counted.errors] + [2])
    values = [float(error) for error, images in counted.errors for _ in range(images)]
    plot = charts.histogram(values, -farthest - 0.5, farthest + 0.5, 2 * farthest + 1)
    across = Scale(-farthest - 0.5, farthest + 0.5, LEFT, RIGHT)
    every = range(-farthest, farthest + 1) if farthest <= 6 else range(-farthest, farthest + 1, 2)
    return replace(plot, ticks=tuple(Tick(across.at(error), float(error)) for error in every))
