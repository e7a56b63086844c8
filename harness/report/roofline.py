"""Positions of a board's roofline, of a model's kernels, and of a Pareto front: pure geometry."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from harness.report.charts import LEFT, RIGHT, Point, Scale, Tick
from harness.stages.evidence.boards import BoardPredictions, Roofline

GIGA = 1e9
_NEXT_TO_NOTHING = 0.02  # of the time; kernels that take so little together would only stretch the axes
_ABOVE = 1.01  # times the roof


@dataclass(frozen=True, slots=True)
class Line:
    """A line; x in percent of the width, y in pixels."""

    x1: float
    y1: float
    x2: float
    y2: float


@dataclass(frozen=True, slots=True)
class Place:
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class RooflinePlot:
    roof: tuple[Line, ...]
    kernels: tuple[Place, ...]  # predicted positions, else on the roof, their upper bound
    names: tuple[str, ...]  # of the kernels
    left_out: int  # kernels that take nearly no time
    above: int  # kernels predicted to be faster than the roof
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    base: float
    top: float
    height: float


def rooflines(board_predictions: BoardPredictions | None) -> list[RooflinePlot]:
    """A plot for each board that has a roofline."""
    return [roofline(given) for given in board_predictions.rooflines] if board_predictions else []


def roofline(given: Roofline, height: float = 260.0) -> RooflinePlot:
    """Operations per byte on x, 10^9 operations per second on y; both on a log scale."""
    ridge = given.peak_operations_per_s / given.bandwidth_bytes_per_s

    def roof(intensity: float) -> float:
        return min(intensity * given.bandwidth_bytes_per_s, given.peak_operations_per_s) / GIGA

    every = [
        (kernel, kernel.reached_per_s / GIGA if kernel.reached_per_s else roof(kernel.intensity))
        for kernel in given.kernels
        if kernel.operations > 0 and kernel.bytes > 0
    ]
    least_time = _least_time([kernel.operations / speed for kernel, speed in every])
    shown = [(kernel, speed) for kernel, speed in every if kernel.operations / speed >= least_time]
    drawn, reached = [kernel for kernel, _ in shown], [speed for _, speed in shown]
    intensities = [kernel.intensity for kernel in drawn]
    least, most = min([ridge / 10, *intensities]) / 1.5, max([ridge * 10, *intensities]) * 1.5
    top, base = 12.0, height - 44.0
    across = Scale(least, most, LEFT, RIGHT, log=True)
    up = Scale(min([roof(least), *reached]) / 1.2, roof(most) * 2, base, top, log=True)

    def line(start: float, end: float) -> Line:
        return Line(across.at(start), up.at(roof(start)), across.at(end), up.at(roof(end)))

    return RooflinePlot(
        (line(least, ridge), line(ridge, most)),
        tuple(Place(across.at(value), up.at(speed)) for value, speed in zip(intensities, reached, strict=True)),
        tuple(kernel.name for kernel in drawn),
        len(every) - len(shown),
        sum(speed > _ABOVE * roof(kernel.intensity) for kernel, speed in shown),
        across.ticks(),
        up.ticks(),
        base,
        top,
        height,
    )


def _least_time(times: Sequence[float]) -> float:
    """The time of the shortest kernel that is shown; shorter ones take nearly nothing together."""
    together, whole = 0.0, sum(times)
    for time in sorted(times):
        together += time
        if together > _NEXT_TO_NOTHING * whole:
            return time
    return 0.0


def front(points: Sequence[Point]) -> tuple[Line, ...]:
    """The Pareto front as steps; further left and higher up are better."""
    lines, highest = [], math.inf
    last: Point | None = None
    for point in sorted(points, key=lambda p: (p.x, p.y)):
        if point.y >= highest:
            continue
        if last is not None:
            lines += [Line(last.x, last.y, point.x, last.y), Line(point.x, last.y, point.x, point.y)]
        highest, last = point.y, point
    return tuple(lines)
