"""docs/intervals.md has the exact coverage of the intervals that the product computes."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[3]
SPEC = importlib.util.spec_from_file_location("interval_coverage", ROOT / "benchmarks" / "interval_coverage.py")
assert SPEC is not None and SPEC.loader is not None
interval_coverage = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(interval_coverage)


def test_the_page_is_what_is_computed():
    """Else: python benchmarks/interval_coverage.py"""
    assert interval_coverage.PAGE.read_text(encoding="utf-8") == interval_coverage.as_markdown()


def test_a_proportions_coverage_by_adding_up_binomial_probabilities():
    """Of Brown, Cai and DasGupta's kind of sum, with whole numbers: n = 20, p = 0.75."""
    from fractions import Fraction
    from math import comb

    from harness.stages.evaluate.intervals import wilson

    share = Fraction(3, 4)
    inside = [hits for hits in range(21) if wilson(hits / 20, 20)[0] <= 0.75 <= wilson(hits / 20, 20)[1]]
    exact = sum(comb(20, hits) * share**hits * (1 - share) ** (20 - hits) for hits in inside)
    place = list(interval_coverage.SHARES).index(0.75)
    assert interval_coverage.wilson_coverage(20)[place] == pytest.approx(float(exact))


@pytest.mark.parametrize("count", [51, 100, 200, 500])
def test_a_proportions_interval_covers_95_of_100(count: int):
    """Between 0.93 and 0.97 for nearly every share; dips are on the page."""
    found = interval_coverage.wilson_coverage(count)
    assert 0.94 < found.mean() < 0.96 and found.min() > 0.91
    assert ((found >= 0.93) & (found <= 0.97)).mean() > 0.9


@pytest.mark.parametrize("count", [20, 33, 100])
def test_a_differences_interval_covers_at_least_94_of_100(count: int):
    assert min(interval_coverage.paired_coverage(count)) > 0.94


@pytest.mark.parametrize("alike", [0.0, 0.5, 1.0])
def test_an_accuracy_on_scenes_is_covered_as_well(alike: float):
    covered, naive = interval_coverage.scene_coverage(12, 3, 0.85, alike)
    assert 0.94 < covered < 0.98
    assert naive < 0.95 if alike == 0 else naive < 0.85


def test_every_composition_is_counted_once():
    found = [tuple(one) for one in interval_coverage._compositions(5, 3)]
    assert len(found) == len(set(found)) == 21
    assert all(np.sum(one) == 5 for one in found)
