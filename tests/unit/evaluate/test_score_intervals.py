"""Intervals of scores against second implementations and published values, and what holds for all answers."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq, minimize_scalar
from scipy.stats import binomtest

from harness.stages.evaluate import Answers, Truth, evaluate, intervals
from harness.stages.evaluate.calibration import bin_of, errors_by_chance
from harness.stages.evaluate.comparison import compare
from harness.stages.evaluate.failures import unseen_auroc, unseen_auroc_interval
from harness.stages.evaluate.scenes import Scenes, of_shares

CLASSES = ("ball", "bottle", "mug")
BOUNDED = ("accuracy", "balanced_accuracy", "macro_f1", "log_loss", "calibration_error")


def single(count: int) -> Scenes:
    return Scenes(np.arange(count))


# --- proportions ----------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 5, 33, 143, 500])
def test_wilson_is_scipys(count: int):
    for hits in range(count + 1):
        expected = binomtest(hits, count).proportion_ci(0.95, "wilson")
        assert intervals.wilson(hits / count, count) == pytest.approx((expected.low, expected.high), abs=1e-12)


@pytest.mark.parametrize(
    ("hits", "count", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_is_as_published(hits: int, count: int, low: float, high: float):
    """Newcombe (1998), two-sided confidence intervals for the single proportion, table I, method 3."""
    assert intervals.wilson(hits / count, count) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize("count", [20, 33, 200])
def test_the_lower_bound_falls_as_fewer_are_right(count: int):
    for score in ("accuracy", "balanced_accuracy", "macro_f1"):
        lows = []
        for wrong in range(6):
            of = np.arange(count) % 3
            said = np.where(np.arange(count) < wrong, (of + 1) % 3, of)
            lows.append(getattr(scored(said, of), f"{score}_interval")[0])
        assert lows == sorted(lows, reverse=True) and len(set(lows)) == 6, score


def test_the_interval_of_33_images():
    assert intervals.wilson(1.0, 33) == pytest.approx((33 / (33 + intervals.Z**2), 1.0))
    assert intervals.wilson(32 / 33, 33)[0] == pytest.approx(0.847, abs=5e-4)


def scored(said: np.ndarray, of: np.ndarray, scenes: np.ndarray | None = None):
    rows = np.full((len(of), 3), 0.05, np.float32)
    rows[np.arange(len(of)), said] = 0.9
    return evaluate(Answers(rows, CLASSES), Truth(CLASSES, of, scenes), None)[0]


# --- the paired difference ------------------------------------------------------------------------


def profile_statistic(b: int, c: int, n: int, at: float) -> float:
    """Tango's statistic with the constrained maximum of the likelihood found by search, not by its equation."""

    def unlikely(second: float) -> float:
        first = second + at
        rest = 1 - first - second
        terms = ((b, first), (c, second), (n - b - c, rest))
        return -sum(times * math.log(max(chance, 1e-300)) for times, chance in terms if times)

    low, high = max(0.0, -at), (1 - at) / 2
    found = minimize_scalar(unlikely, bounds=(low, high), method="bounded", options={"xatol": 1e-13})
    return (b - c - n * at) / math.sqrt(n * (2 * found.x + at - at * at))


@pytest.mark.parametrize(("b", "c", "n"), [(1, 7, 21), (3, 2, 33), (0, 4, 40), (12, 5, 143), (40, 20, 160), (1, 0, 20)])
def test_the_paired_interval_is_where_the_score_statistic_is_196(b: int, c: int, n: int):
    low, high = intervals.paired(b, c, n)
    edge = 1e-9
    assert low == pytest.approx(
        brentq(lambda at: profile_statistic(b, c, n, at) - intervals.Z, -1 + edge, (b - c) / n - edge), abs=1e-4
    )
    assert high == pytest.approx(
        brentq(lambda at: profile_statistic(b, c, n, at) + intervals.Z, (b - c) / n + edge, 1 - edge), abs=1e-4
    )


def test_the_paired_interval_is_as_published():
    """Fagerland, Lydersen and Laake (2014): 1 and 7 of 21 children changed; Tango's limits."""
    assert intervals.paired(1, 7, 21) == pytest.approx((-0.517, -0.026), abs=5e-4)


@pytest.mark.parametrize("count", [10, 33, 200])
def test_two_models_that_never_disagree_may_still_differ(count: int):
    """The limits at no disagreement are known: z^2 / (n + z^2) on both sides."""
    half = intervals.Z**2 / (count + intervals.Z**2)
    right = np.arange(count) % 3 > 0
    assert compare(right, right).interval == pytest.approx((-half, half), abs=1e-9)
    assert compare(right, right, single(count)).interval == pytest.approx((-half, half), abs=1e-9)


@pytest.mark.parametrize("count", [1, 4, 33])
def test_a_model_that_is_right_wherever_the_other_is_wrong(count: int):
    found = compare(np.ones(count, bool), np.zeros(count, bool))
    assert found.value == found.interval[1] == 1.0
    assert found.interval[0] == pytest.approx((count - intervals.Z**2) / (count + intervals.Z**2), abs=1e-9)


# --- scenes ---------------------------------------------------------------------------------------


def test_scenes_whose_images_are_right_together_count_once():
    right = np.repeat(np.arange(12) % 4 > 0, 5)
    scenes = Scenes(np.repeat(np.arange(12), 5))
    assert of_shares(right, scenes) == 1.0
    assert scenes.effective(1.0) == 12
    found = compare(right, ~right, scenes).interval
    assert found == pytest.approx(intervals.paired(9, 3, 12))


def test_the_likeness_within_scenes_is_counted_pair_by_pair():
    rng = np.random.default_rng(3)
    of, right = rng.integers(0, 9, 40), rng.random(40) < 0.7
    pairs = [(i, j) for i in range(40) for j in range(i) if of[i] == of[j]]
    apart = sum(right[i] != right[j] for i, j in pairs) / len(pairs) / 2
    middle = (right.sum() + intervals.Z**2 / 2) / (40 + intervals.Z**2)
    assert of_shares(right, Scenes(of)) == pytest.approx(min(1, max(0, 1 - apart / (middle * (1 - middle)))))
    sizes = [int((of == one).sum()) for one in of]
    assert Scenes(of).effective(0.5) == pytest.approx(40 / (1 + (sum(sizes) / 40 - 1) * 0.5))


def test_images_of_one_scene_make_every_interval_wider():
    of = np.repeat(np.arange(3), 20)
    said = np.where(np.arange(60) % 20 < 4, (of + 1) % 3, of)
    alone, bursts = scored(said, of), scored(said, of, np.arange(60) // 4)
    assert (alone.scenes, bursts.scenes) == (60, 15)
    for score in BOUNDED:
        (low, high), (lower, higher) = (getattr(found, f"{score}_interval") for found in (alone, bursts))
        assert higher - lower > 1.2 * (high - low), score
    for one, other in zip(alone.per_class, bursts.per_class, strict=True):
        assert other.recall_interval[0] < one.recall_interval[0] and other.precision_interval[0] < one.precision


# --- every score ----------------------------------------------------------------------------------


@st.composite
def answered(draw):
    """Answers, truth with scenes, and another model's answers; classes may have no image, labels may be foreign."""
    count = draw(st.integers(1, 40))
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    labels = draw(st.sampled_from([CLASSES, ("ball", "mug"), ("table", "ball", "bottle", "mug")]))
    sharp = draw(st.sampled_from([0.01, 0.3, 5.0]))
    rows = rng.dirichlet(np.full(len(labels), sharp), count).astype(np.float32)
    rows /= rows.sum(axis=1, keepdims=True)
    other = rng.dirichlet(np.full(3, sharp), count).astype(np.float32)
    of = rng.integers(0, draw(st.integers(1, 3)), count)
    scenes = rng.integers(0, draw(st.integers(1, 40)), count) if draw(st.booleans()) else None
    return Answers(rows, labels), Truth(CLASSES, of, scenes), Answers(other, CLASSES)


@settings(max_examples=60, deadline=None)
@given(answered())
def test_every_score_lies_in_its_own_interval(drawn):
    answers, truth, other = drawn
    found, _ = evaluate(answers, truth, other)
    for score in BOUNDED:
        low, high = getattr(found, f"{score}_interval")
        assert 0 <= low <= getattr(found, score) <= high, score
        assert score == "log_loss" or high <= 1
    for one in found.per_class:
        if one.precision is not None:
            assert one.precision_interval[0] <= one.precision <= one.precision_interval[1]
        assert one.recall_interval is None or one.recall_interval[0] <= one.recall <= one.recall_interval[1]
    low, high = found.difference_interval
    assert -1 <= low <= found.difference <= high <= 1 and low < high
    confidences = answers.probabilities, other.probabilities
    low, high = unseen_auroc_interval(*confidences, truth.grouped())
    assert 0 <= low <= unseen_auroc(*confidences) <= high <= 1


def test_macro_f1_leaves_out_a_class_without_images_and_answers():
    """It was 0.667 with an interval from 0.964 to 1."""
    of = np.arange(30) % 2
    found = scored(of, of)
    assert found.macro_f1 == found.balanced_accuracy == 1.0
    assert found.macro_f1_interval == found.balanced_accuracy_interval


# --- calibration ----------------------------------------------------------------------------------


def mean_error(confidence: np.ndarray) -> float:
    """Of a perfectly calibrated model: all outcomes of the images in each bin, one after the other."""
    total = 0.0
    bins = bin_of(confidence.astype(np.float32))
    for number in np.unique(bins):
        inside = confidence[bins == number]
        chances = {0: 1.0}
        for chance in inside:
            after: dict[int, float] = {}
            for right, so_far in chances.items():
                after[right] = after.get(right, 0) + so_far * (1 - chance)
                after[right + 1] = after.get(right + 1, 0) + so_far * chance
            chances = after
        total += sum(so_far * abs(right - inside.sum()) for right, so_far in chances.items())
    return total / len(confidence)


@pytest.mark.parametrize("count", [5, 33, 200])
def test_the_floor_of_the_calibration_error(count: int):
    """Against the exact sum: within four standard errors of 2,000 simulated errors."""
    confidence = np.random.default_rng(count).uniform(0.3, 1, count).astype(np.float32)
    errors = errors_by_chance(confidence, single(count))
    assert errors.shape == (2000,)
    assert errors.mean() == pytest.approx(mean_error(confidence.astype(np.float64)), abs=4 * errors.std() / 2000**0.5)


def test_the_error_of_a_calibrated_model_may_be_nothing():
    rng = np.random.default_rng(4)
    confidence = rng.uniform(0.35, 1, 33)
    of = np.arange(33) % 3
    said = np.where(rng.random(33) < confidence, of, (of + 1) % 3)
    rows = np.repeat((1 - confidence[:, None]) / 2, 3, axis=1).astype(np.float32)
    rows[np.arange(33), said] = confidence
    found, _ = evaluate(Answers(rows, CLASSES), Truth(CLASSES, of), None)
    assert found.calibration_error > 0.08 and found.calibration_floor > 0.08
    assert found.calibration_error_interval[0] == 0


# --- the area under the curve ---------------------------------------------------------------------


@pytest.mark.parametrize(("value", "seen", "unseen"), [(0.8, 40, 30), (0.97, 143, 40), (0.5, 10, 90)])
def test_the_closed_interval_of_an_auroc(value: float, seen: int, unseen: int):
    def statistic(at: float) -> float:
        q1, q2 = at / (2 - at), 2 * at * at / (1 + at)  # Hanley and McNeil
        mean = (seen + unseen) / 2
        variance = (at * (1 - at) + (mean - 1) * (q1 - at**2) + (mean - 1) * (q2 - at**2)) / (seen * unseen)
        return (value - at) / math.sqrt(variance)

    low = brentq(lambda at: statistic(at) - intervals.Z, 1e-9, value)
    high = brentq(lambda at: statistic(at) + intervals.Z, value, 1 - 1e-9)
    assert intervals.auroc(value, seen, unseen) == pytest.approx((low, high), abs=1e-9)


def test_confidences_that_are_all_apart_are_no_certainty():
    seen, unseen = np.full((20, 2), 0.9, np.float32), np.full((15, 2), 0.6, np.float32)
    low, high = unseen_auroc_interval(seen, unseen, single(20))
    assert 0.7 < low < 0.95 and high == 1.0
    assert unseen_auroc_interval(seen, unseen, Scenes(np.arange(20) // 5))[0] < low
