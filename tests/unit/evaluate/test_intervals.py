"""Every interval of the package against a second way to compute it, and each percentile by its definition."""

import math

import numpy as np
import pytest

from harness.bench import estimates
from harness.stages.evaluate import Answers, Truth
from harness.stages.evaluate.bootstrap import percentile
from harness.stages.evaluate.calibration import calibration_error
from harness.stages.evaluate.comparison import mcnemar
from harness.stages.evaluate.scenes import Scenes
from harness.stages.evaluate.score_intervals import Judged, resampled_scores
from harness.stages.latency_statistics import nearest_rank

CLASSES = ("ball", "bottle", "bowl", "lamp", "mug")
RESAMPLES = 2000


def quantile(values, share: float) -> float:
    """Linear between order statistics (Hyndman and Fan, 1996, number 7)."""
    ordered = sorted(float(value) for value in values)
    place = share * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


def middle_95(values) -> tuple[float, float]:
    return quantile(values, 0.025), quantile(values, 0.975)


def recalls_and_f1s(predicted: list[int], truth: list[int]) -> tuple[list[float], list[float]]:
    """Of the classes that were drawn, and of those that were drawn or predicted, by counting one by one."""
    recalls, f1s = [], []
    for name in range(len(CLASSES)):
        hits = sum(p == name == t for p, t in zip(predicted, truth, strict=True))
        said, are = predicted.count(name), truth.count(name)
        if are:
            recalls.append(hits / are)
        if said or are:
            precision, recall = hits / said if said else 0.0, hits / are if are else 0.0
            f1s.append(2 * precision * recall / (precision + recall) if hits else 0.0)
    return recalls, f1s


@pytest.fixture
def answered() -> tuple[np.ndarray, Answers, Truth]:
    """18 images of unequal classes, one of a single image, and a label that is none of the classes."""
    rng = np.random.default_rng(7)
    of = np.array([0] * 7 + [1] * 5 + [2] * 3 + [3] * 2 + [4])
    predicted = np.where(rng.random(18) < 0.5, of, rng.integers(0, 6, 18))
    rows = np.full((18, 6), 0.02, np.float32)
    rows[np.arange(18), predicted] = 0.9
    return predicted, Answers(rows, (*CLASSES, "table")), Truth(CLASSES, of)


def test_the_bootstrap_draws_whole_scenes(answered):
    """18 images in 9 scenes of one or more: the scores of each resample, image by image."""
    predicted, answers, truth = answered
    scenes = Scenes(np.random.default_rng(2).integers(0, 9, 18))
    confidence, losses = answers.probabilities.max(axis=1), np.random.default_rng(1).random(18)
    judged = Judged(np.where(predicted == 5, -1, predicted), truth.of, 5, confidence, losses)
    found = resampled_scores(judged, scenes, seed=3)
    recalls, f1s, means, errors = [], [], [], []
    for drawn in np.random.default_rng(3).integers(0, scenes.count, (RESAMPLES, scenes.count)):
        inside = [image for scene in drawn for image in np.flatnonzero(scenes.of == scene)]
        said, are = predicted[inside].tolist(), truth.of[inside].tolist()
        of_classes, with_predicted = recalls_and_f1s(said, are)
        recalls.append(sum(of_classes) / len(of_classes))
        f1s.append(sum(with_predicted) / len(with_predicted))
        means.append(losses[inside].mean())
        errors.append(calibration_error(confidence[inside], np.array(said) == np.array(are)))
    assert found["balanced_accuracy"] == pytest.approx(recalls)
    assert found["macro_f1"] == pytest.approx(f1s)
    assert found["log_loss"] == pytest.approx(means)
    assert found["calibration_error"] == pytest.approx(errors)
    assert percentile(found["log_loss"]) == pytest.approx(middle_95(means))


@pytest.mark.parametrize(("one", "other"), [(0, 0), (1, 0), (0, 5), (3, 3), (8, 2), (40, 17)])
def test_mcnemar_is_the_two_sided_binomial_test(one: int, other: int):
    right = np.array([True] * one + [False] * other + [True] * 4)
    other_right = np.array([False] * one + [True] * other + [True] * 4)
    count = one + other
    tail = sum(math.comb(count, k) for k in range(min(one, other) + 1)) / 2**count
    assert mcnemar(right, other_right) == pytest.approx(min(1.0, 2 * tail))


# --- of times -----------------------------------------------------------------------------------


@pytest.mark.parametrize("percent", [1, 50, 90, 99, 100])
@pytest.mark.parametrize("count", [1, 2, 64, 100, 101])
def test_a_percentile_is_the_smallest_latency_that_so_many_did_not_exceed(percent: int, count: int):
    latencies = np.random.default_rng(count).permutation(count).astype(np.float32) + 1
    enough = [x for x in sorted(latencies) if sum(y <= x for y in latencies) * 100 >= percent * count]
    assert nearest_rank(latencies, percent) == enough[0]


def bootstrapped_medians(blocks: np.ndarray, random: np.random.Generator) -> list[float]:
    rounds, within = blocks.shape
    of_rounds = random.integers(0, rounds, (RESAMPLES, rounds, 1))
    of_blocks = random.integers(0, within, (RESAMPLES, rounds, within))
    return [
        float(np.median([blocks[r[0], b] for r, bs in zip(one, inside, strict=True) for b in bs]))
        for one, inside in zip(of_rounds.tolist(), of_blocks.tolist(), strict=True)
    ]


def test_the_interval_of_a_median_resamples_rounds_and_in_each_its_blocks():
    rng = np.random.default_rng(6)
    rounds = [rng.lognormal(0, 0.1, size) for size in (37, 40, 53)]
    blocks = np.array([[np.median(part) for part in np.array_split(one, 10)] for one in rounds])
    assert estimates.block_medians(rounds) == pytest.approx(blocks)
    expected = middle_95(bootstrapped_medians(blocks, np.random.default_rng(0)))
    assert estimates.median_interval(rounds) == pytest.approx(expected)


def test_drift_needs_six_latencies():
    assert estimates.drift(np.array([1.0, 1, 1, 1, 2, 2])) == pytest.approx(1.0)
    assert estimates.drift(np.array([1.0, 1, 1, 1, 2])) == 0.0
