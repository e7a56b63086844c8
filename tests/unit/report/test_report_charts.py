"""Marks stand inside the drawing, in the order of their values."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.report import charts
from harness.report.charts import Scale

share = st.floats(0, 1)
latency = st.floats(0.01, 10_000)


def test_a_scale_goes_from_its_start_to_its_end() -> None:
    assert [Scale(0, 10, 20, 40).at(value) for value in (0, 5, 10)] == [20, 30, 40]
    assert Scale(0, 10, 200, 0).at(10) == 0
    assert Scale(1, 100, 0, 100, log=True).at(10) == pytest.approx(50)


@given(low=st.floats(-1000, 1000), width=st.floats(0.001, 1000))
def test_ticks_are_few_even_and_inside(low: float, width: float) -> None:
    ticks = Scale(low, low + width, 3, 97).ticks()
    assert 1 <= len(ticks) <= 11
    assert all(2.9 <= tick.at <= 97.1 for tick in ticks)


@given(low=latency, factor=st.floats(1.8, 10_000))
def test_a_log_scale_has_ticks(low: float, factor: float) -> None:
    ticks = Scale(low, low * factor, 0, 100, log=True).ticks()
    assert len(ticks) <= 13
    assert [tick.value for tick in ticks] == sorted(tick.value for tick in ticks)


@given(values=st.lists(share, min_size=1, max_size=50))
def test_a_histogram_counts_everyone_once(values: list[float]) -> None:
    plot = charts.histogram(values, 0, 1, 10)
    assert sum(bar.count for bar in plot.bars) == len(values)
    assert plot.beyond == 0
    assert all(0 <= bar.y <= plot.base for bar in plot.bars)
    assert plot.bars[-1].x + plot.bars[-1].width <= charts.RIGHT


def test_bars_stand_on_the_axis_and_the_fullest_is_the_highest() -> None:
    plot = charts.histogram([0.05, 0.55, 0.56, 1.0], 0, 1, 10)
    assert [bar.count for bar in plot.bars] == [1, 0, 0, 0, 0, 2, 0, 0, 0, 1]
    assert min(plot.bars, key=lambda bar: bar.y).count == 2
    assert all(bar.y + bar.height == pytest.approx(plot.base) for bar in plot.bars)


def test_slow_outliers_are_counted_and_not_drawn() -> None:
    plot = charts.latency_histogram([10.0] * 98 + [11.0, 900.0], 12.0, [10.0, 40.0])
    assert plot.beyond == 1
    assert sum(bar.count for bar in plot.bars) == 99
    assert plot.markers[0] < plot.markers[1] <= charts.RIGHT


@given(value=latency)
def test_latencies_that_are_all_the_same_can_be_drawn(value: float) -> None:
    plot = charts.latency_histogram([value, value], value, [value])
    assert sum(bar.count for bar in plot.bars) + plot.beyond == 2


@given(
    points=st.lists(st.tuples(latency, share, share, share), min_size=1, max_size=10),
    reference=st.none() | st.tuples(latency, share, share, share),
)
def test_points_lie_inside_the_plot(points: list[charts.Measured], reference: charts.Measured | None) -> None:
    plot = charts.scatter(points, reference)
    assert plot is not None
    assert len(plot.points) == len(points)
    for point in plot.points:
        assert charts.LEFT <= point.x <= charts.RIGHT
        assert plot.top <= point.y <= plot.base


def test_nothing_to_draw_is_no_plot() -> None:
    assert charts.scatter([], (10.0, 0.9, 0.8, 1.0)) is None


def test_an_interval_plot_shows_zero_where_it_is() -> None:
    plot = charts.intervals([(-0.1, -0.05, 0.0)], -0.11, 0.11)
    assert plot.zero == pytest.approx(50)
    [span] = plot.spans
    assert span.low < span.mid < span.high == plot.zero


def test_a_layer_that_is_not_there_has_no_column() -> None:
    plot = charts.columns([0.0, None, 0.5])
    assert [column.index for column in plot.columns] == [0, 2]
    assert [column.height > 0 for column in plot.columns] == [False, True]
