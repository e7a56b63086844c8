"""The ratio of two models over pairs of processes: estimate, interval, how many pairs, which clock."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from harness.grading.rubric.criterion import linear
from harness.stages.paired_ratio import (
    FIRST_PAIRS,
    MOST_PAIRS,
    WIDEST,
    PairedRatio,
    Spans,
    estimate,
    log_ratios,
    share,
    steadier_clock,
    systematic,
    width,
)

ANCHORS = ((1.5, 10.0),)


def spans(*levels: float, waiting: float = 0.0, queries: int = 50) -> Spans:
    """A process for each level, ms; wall times are longer by `waiting`."""
    random = np.random.default_rng(1)
    processors = tuple(level * random.uniform(1, 1.001, queries) for level in levels)
    return Spans(tuple(one * (1 + waiting) for one in processors), processors)


def test_the_interval_is_students_over_pairs_widened_by_what_they_share():
    logs = np.random.default_rng(3).normal(math.log(3), 0.05, FIRST_PAIRS)
    found = PairedRatio(logs, FIRST_PAIRS, "processor", 0.0)
    low, high = stats.ttest_1samp(logs, 0).confidence_interval(0.95)
    assert found.ratio == pytest.approx(stats.gmean(np.exp(logs)))
    assert found.interval == pytest.approx((math.exp(low) / 1.02, math.exp(high) * 1.02))


def test_with_more_pairs_the_spread_stays_that_of_the_first():
    """Stein's: t with the first pairs' degrees of freedom, and the root of all pairs."""
    random = np.random.default_rng(4)
    logs = np.concatenate([random.normal(0, 0.05, FIRST_PAIRS), random.normal(0, 5, 10)])
    found = PairedRatio(logs, FIRST_PAIRS, "processor", 0.0)
    half = stats.t.ppf(0.975, FIRST_PAIRS - 1) * logs[:FIRST_PAIRS].std(ddof=1) / 4
    assert found.interval[1] / found.ratio == pytest.approx(math.exp(half) * 1.02)


@pytest.mark.parametrize("ratio", [2.0, 8.0])
@pytest.mark.parametrize("spread", [0.03, 0.08])
def test_intervals_hold_the_ratio_though_timing_ends_when_they_are_narrow(ratio: float, spread: float):
    """At least 93 % of 2,000 (95 % less four standard errors), without the part for what all pairs share."""
    random = np.random.default_rng(5)
    held = 0
    for _ in range(2000):
        logs = random.normal(math.log(ratio), spread, MOST_PAIRS)
        wanted = PairedRatio(logs[:FIRST_PAIRS], FIRST_PAIRS, "processor", 0.0).pairs_wanted(ANCHORS) or FIRST_PAIRS
        found = PairedRatio(logs[:wanted], FIRST_PAIRS, "processor", 0.0)
        low, high = found.interval_with(wanted)
        held += low <= ratio <= high
    assert held / 2000 >= 0.93


def test_as_few_pairs_as_the_points_need():
    logs = np.array([-0.1, 0.1, -0.06, 0.06, 0.0, 0.0]) + math.log(4)
    found = PairedRatio(logs, FIRST_PAIRS, "processor", 0.0)
    wanted = found.pairs_wanted(ANCHORS)
    assert wanted is not None and FIRST_PAIRS < wanted <= MOST_PAIRS
    assert width(found.interval_with(wanted), ANCHORS) <= WIDEST < width(found.interval_with(wanted - 1), ANCHORS)
    assert found.pairs_wanted(()) == FIRST_PAIRS
    assert found.pairs_wanted(((20.0, 30.0),)) == FIRST_PAIRS, "all points, whatever the ratio is in the interval"


def test_pairs_that_no_number_makes_exact_enough():
    logs = np.array([-1.0, 1.0, -0.7, 0.7, 0.0, 0.0]) + math.log(4)
    assert PairedRatio(logs, FIRST_PAIRS, "processor", 0.0).pairs_wanted(ANCHORS) is None


@pytest.mark.parametrize("ratio", [0.1, 1.5, 2.0, 9.99, 10.0, 50.0])
def test_the_share_of_the_points_is_the_criterions(ratio: float):
    assert share(ratio, 1.5, 10.0) == pytest.approx(linear(ratio, 10.0, 1.5, 1.0))


def test_the_widest_of_several_criteria_counts():
    assert width((2.0, 3.0), ((1.5, 10.0), (1.0, 3.0))) == pytest.approx(0.5)
    assert width((2.0, 3.0), ()) == 0.0


def test_a_process_is_summarised_by_its_fastest_tenth_so_that_slow_queries_count_for_nothing():
    times = np.concatenate([np.full(20, 10.0), np.full(80, 30.0)])
    assert estimate(times) == 10.0
    assert estimate(np.arange(101.0)) == 10.0


def test_pairs_stay_pairs():
    logs = log_ratios(spans(10, 20, 30), spans(5, 10, 15), "processor")
    assert np.exp(logs) == pytest.approx([2, 2, 2])


def test_wall_time_counts_where_it_is_steadier_and_nothing_waited():
    model, reference = spans(40, 40.1, 39.9), spans(10, 10, 10)
    steady = Spans(tuple(one * 1.01 for one in spans(40, 40, 40).processors), model.processors)
    assert steadier_clock(steady, reference) == "wall"
    assert steadier_clock(Spans(model.walls, steady.walls), reference) == "processor"


@pytest.mark.parametrize("waits", ["model", "reference"])
def test_wall_time_never_counts_where_either_waited_however_steady_it_is(waits: str):
    uneven = spans(40, 44, 36), spans(10, 10, 10)
    even = spans(40, 40, 40, waiting=0.5 * (waits == "model")), spans(10, 10, 10, waiting=0.5 * (waits == "reference"))
    model, reference = (Spans(one.walls, other.processors) for one, other in zip(even, uneven, strict=True))
    assert steadier_clock(model, reference) == "processor"


def test_what_pairs_share_grows_with_waiting_to_an_end():
    assert spans(10, 20, waiting=0.3).waited == pytest.approx(0.3)
    assert [systematic(waited) for waited in (0.0, 1.0, 2.0, 9.0)] == pytest.approx([0.02, 0.035, 0.05, 0.05])
