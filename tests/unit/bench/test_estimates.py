"""Percentiles, early stopping, intervals, drift."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from harness.bench.estimates import (
    block_medians,
    drift,
    early_stopping,
    fewest_queries,
    median_interval,
)


def test_the_fewest_queries_are_those_of_mlperfs_rules():
    assert fewest_queries(90, 0.99) == 64
    assert fewest_queries(99, 0.99) == 662


@pytest.mark.parametrize(
    ("queries", "discarded"),
    [(64, 0), (201, 9), (659, 47), (708, 51), (2048, 172), (2116, 178), (2145, 181), (7469, 685), (79944, 7796)],
)
def test_as_many_are_discarded_as_loadgen_said_in_published_logs(queries, discarded):
    """`Would discard N highest latency queries` of mlperf_log_summary.txt, from public submissions."""
    latencies = np.arange(1, queries + 1, dtype=float)
    found = early_stopping(latencies, 90, 0.99)
    assert found.discarded == discarded
    assert found.estimate == queries - discarded  # the slowest that is left


def test_too_few_queries_have_no_estimate():
    found = early_stopping(np.ones(63), 90, 0.99)
    assert found.estimate is None and found.needed == 64


@given(st.integers(64, 5000), st.sampled_from([90, 95]))
def test_the_estimate_keeps_its_promise(queries, percentile):
    """t or fewer too slow queries are unlikelier than 1 %, and t + 1 would not be."""
    found = early_stopping(np.arange(queries), percentile, 0.99)
    if found.estimate is None:
        assert queries < found.needed
        return
    t, slow = found.discarded + 1, 1 - percentile / 100
    assert binom.cdf(t, queries, slow) < 0.01 <= binom.cdf(t + 1, queries, slow)


def test_the_estimate_is_never_below_the_percentile():
    latencies = np.random.default_rng(3).lognormal(size=4000)
    assert early_stopping(latencies, 90, 0.99).estimate >= np.quantile(latencies, 0.9)


def test_the_medians_interval_covers_the_median_of_what_was_drawn():
    """Rounds that differ from each other: 95 % intervals hold the true median about as often as they say."""
    random = np.random.default_rng(0)
    held = 0
    for _ in range(200):
        rounds = [random.lognormal(random.normal(0, 0.02), 0.1, 200) for _ in range(8)]
        low, high = median_interval(rounds)
        held += low <= 1.0 <= high
    assert 0.85 <= held / 200 <= 1.0


def test_blocks_of_rounds_of_different_lengths():
    assert block_medians([np.ones(64), np.ones(71)]).shape == (2, 10)
    assert block_medians([np.ones(3), np.ones(71)]).shape == (2, 3)


def test_drift_is_that_of_the_last_third_against_the_first():
    assert drift(np.array([1.0] * 10 + [2.0] * 10 + [1.5] * 10)) == pytest.approx(0.5)
    assert drift(np.ones(5)) == 0.0
