"""Positions of the marks in a chart: pure geometry, no words.

Horizontal positions are percentages of the drawing's width, so that a chart fits a phone and its text keeps its
size; vertical positions are pixels. `templates/charts.html.j2` draws them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

LEFT, RIGHT = 11.0, 97.0  # percent of the width: left and right edge of a plot with labels on its left


@dataclass(frozen=True, slots=True)
class Tick:
    at: float
    value: float


@dataclass(frozen=True, slots=True)
class Scale:
    """A linear scale from values to positions; `start` may be greater than `end`, as for heights."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def at(self, value: float) -> float:
        """The position of a value; a value outside gets the edge."""
        value = min(max(value, self.low), self.high)
        if self.log:
            share = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return round(self.start + share * (self.end - self.start), 2)

    def ticks(self, about: int = 5) -> tuple[Tick, ...]:
        values = _decades(self.low, self.high) if self.log else _even(self.low, self.high, about)
        return tuple(Tick(self.at(value), value) for value in values)


def _even(low: float, high: float, about: int) -> list[float]:
    rough = (high - low) / about
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [round(i * step, 10) for i in range(first, last + 1)]


def _decades(low: float, high: float) -> list[float]:
    """1, 2, 5, 10, … between the bounds; fewer per decade over a long range."""
    decades = math.log10(high / low)
    steps = (1, 2, 5) if decades < 2 else (1, 3) if decades < 3 else (1,)
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    values = [step * 10.0**power for power in powers for step in steps]
    return [value for value in values if low * 0.999 <= value <= high * 1.001]


# --- intervals ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Span:
    """A value with its interval."""

    low: float
    mid: float
    high: float


@dataclass(frozen=True, slots=True)
class IntervalPlot:
    spans: tuple[Span, ...]
    ticks: tuple[Tick, ...]
    zero: float | None  # the position of zero, if it is in the range


def intervals(values: Sequence[tuple[float, float, float]], low: float, high: float) -> IntervalPlot:
    """One row for each (low, value, high), on an axis from `low` to `high` or wider."""
    low = min(low, *(v[0] for v in values))
    high = max(high, *(v[2] for v in values))
    scale = Scale(low, high, 3.0, 97.0)
    spans = tuple(Span(scale.at(a), scale.at(b), scale.at(c)) for a, b, c in values)
    return IntervalPlot(spans, scale.ticks(), scale.at(0.0) if low < 0 < high else None)


def difference(value: float, interval: tuple[float, float]) -> IntervalPlot:
    """One row for a difference, on an axis with zero in its middle."""
    low, high = interval
    reach = max(abs(low), abs(high), 0.05) * 1.1
    return intervals([(low, value, high)], -reach, reach)


def strip(low: float, value: float, high: float, start: float = 0.0) -> Span:
    """An interval of shares for a table's cell: from `start` at 2 % of the width to 1 at 98 %."""
    scale = Scale(start, 1.0, 2.0, 98.0)
    return Span(scale.at(low), scale.at(value), scale.at(high))


# --- histograms ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Bar:
    x: float
    width: float
    y: float
    height: float
    low: float
    high: float
    count: int


@dataclass(frozen=True, slots=True)
class Histogram:
    bars: tuple[Bar, ...]
    ticks: tuple[Tick, ...]
    count_ticks: tuple[Tick, ...]
    base: float  # the height of the axis
    height: float
    beyond: int  # values above the last bar
    markers: tuple[float, ...]  # positions of the requested values


def histogram(
    values: Sequence[float],
    low: float,
    high: float,
    bins: int,
    markers: Sequence[float] = (),
    height: float = 210.0,
) -> Histogram:
    """Counts in `bins` equal bins. Values at `high` fall into the last; higher values are counted separately."""
    top, base = 14.0, height - 34.0
    step = (high - low) / bins
    counts = [0] * bins
    beyond = 0
    for value in values:
        if value > high:
            beyond += 1
        else:
            counts[min(max(int((value - low) / step), 0), bins - 1)] += 1
    across = Scale(low, high, LEFT, RIGHT)
    most = max(*counts, 1)
    up = Scale(0.0, float(most), base, top)
    width = (RIGHT - LEFT) / bins
    bars = tuple(
        Bar(
            x=round(LEFT + i * width + 0.15 * width / 2, 2),
            width=round(width * 0.85, 2),
            y=up.at(count),
            height=round(base - up.at(count), 2),
            low=low + i * step,
            high=low + (i + 1) * step,
            count=count,
        )
        for i, count in enumerate(counts)
    )
    whole = tuple(tick for tick in up.ticks(4) if tick.value == int(tick.value))
    return Histogram(bars, across.ticks(5), whole, base, height, beyond, tuple(across.at(value) for value in markers))


def latency_histogram(latencies_ms: Sequence[float], p99_ms: float, markers: Sequence[float]) -> Histogram:
    """The distribution up to a little past the 99th percentile, wide enough to show the markers."""
    low = min(*latencies_ms, *markers)
    high = max(p99_ms, *markers)
    room = max((high - low) * 0.05, high * 0.01)
    return histogram(latencies_ms, max(low - room, 0.0), high + room, 32, markers)


# --- score against latency -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Point:
    x: float
    y: float
    top: float  # of the score's interval
    bottom: float


@dataclass(frozen=True, slots=True)
class Scatter:
    points: tuple[Point, ...]
    reference: Point | None
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    base: float
    top: float
    height: float


Measured = tuple[float, float, float, float]  # latency in ms, accuracy or AP50, its interval


def scatter(measured: Sequence[Measured], reference: Measured | None, height: float = 300.0) -> Scatter | None:
    """A scatter plot with latency (log scale) on x and the score on y. None when there is nothing to draw."""
    every = [*measured, *([reference] if reference else [])]
    if not measured:
        return None
    fastest, slowest = min(m[0] for m in every), max(m[0] for m in every)
    across = Scale(fastest / 1.35, slowest * 1.35, LEFT, RIGHT, log=True)
    base, top = height - 44.0, 12.0
    least = min(m[2] for m in every)
    up = Scale(max(0.0, math.floor(least * 10 - 0.3) / 10), 1.0, base, top)

    def point(one: Measured) -> Point:
        latency, score, low, high = one
        return Point(across.at(latency), up.at(score), up.at(high), up.at(low))

    return Scatter(
        tuple(point(one) for one in measured),
        point(reference) if reference else None,
        across.ticks(),
        up.ticks(),
        base,
        top,
        height,
    )


# --- layers -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Column:
    index: int  # of its value
    x: float
    width: float
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Columns:
    columns: tuple[Column, ...]  # none where there is no value
    ticks: tuple[Tick, ...]
    base: float
    height: float


def columns(values: Sequence[float | None], height: float = 190.0) -> Columns:
    """One column for each value, the first on the left; values must not be negative."""
    top, base = 12.0, height - 30.0
    most = max((v for v in values if v is not None), default=0.0)
    up = Scale(0.0, max(most, 0.01), base, top)
    width = (RIGHT - LEFT) / max(len(values), 1)
    return Columns(
        tuple(
            Column(
                i,
                round(LEFT + i * width + width * 0.1, 2),
                round(width * 0.8, 2),
                up.at(value),
                round(base - up.at(value), 2),
            )
            for i, value in enumerate(values)
            if value is not None
        ),
        up.ticks(4),
        base,
        height,
    )
