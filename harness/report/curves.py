"""Learning curves: lines of a metric by epoch, with positions as in `charts.py`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from harness.report.charts import LEFT, RIGHT, Scale, Tick

_MOST_POINTS = 150  # of a line; a longer training is thinned to every n-th epoch
_MOST_DOTS = 25
_LARGEST = 1e6  # a larger value (a diverged loss) is not drawn
_LEAST_RANGE = 1e-9


@dataclass(frozen=True, slots=True)
class Spot:
    epoch: int
    value: float
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Line:
    """One metric; `kind` is a class of the style sheet."""

    kind: str
    spots: tuple[Spot, ...]
    has_dots: bool


@dataclass(frozen=True, slots=True)
class LinePlot:
    lines: tuple[Line, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    base: float
    height: float


Values = Sequence[float | None]


def line_plot(metrics: dict[str, Values], top_value: float | None = None, height: float = 200.0) -> LinePlot | None:
    """The lines by kind; None if none has two epochs. `top_value`: the end of the axis, else the largest value."""
    known = {
        kind: [(epoch, value) for epoch, value in enumerate(values, 1) if value is not None and abs(value) <= _LARGEST]
        for kind, values in metrics.items()
    }
    known = {kind: points for kind, points in known.items() if len(points) > 1}
    if not known:
        return None
    top, base = 12.0, height - 34.0
    last = max(points[-1][0] for points in known.values())
    values = [value for points in known.values() for _, value in points]
    low = min(0.0, *values)
    high = top_value if top_value is not None else max(values)
    across = Scale(1.0, float(last), LEFT, RIGHT)
    up = Scale(low, high if high - low > _LEAST_RANGE else low + 1.0, base, top)
    lines = tuple(_line(kind, points, across, up) for kind, points in known.items())
    whole = tuple(tick for tick in across.ticks(6) if tick.value == int(tick.value))
    return LinePlot(lines, whole, up.ticks(4), base, height)


def _line(kind: str, points: list[tuple[int, float]], across: Scale, up: Scale) -> Line:
    step = max(1, math.ceil(len(points) / _MOST_POINTS))
    drawn = [*points[::step], *([points[-1]] if (len(points) - 1) % step else [])]
    spots = tuple(Spot(epoch, value, across.at(epoch), up.at(value)) for epoch, value in drawn)
    return Line(kind, spots, len(spots) <= _MOST_DOTS)
