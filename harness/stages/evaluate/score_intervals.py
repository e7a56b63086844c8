"""The intervals of one model's scores, by the policy of `intervals.py`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.stages.evaluate import intervals
from harness.stages.evaluate.bootstrap import basic, percentile, resampled
from harness.stages.evaluate.calibration import BINS, calibration_error, errors_by_chance, gaps
from harness.stages.evaluate.intervals import holding, wider
from harness.stages.evaluate.labels import Indices
from harness.stages.evaluate.scenes import Scenes, of_shares
from harness.stages.evidence.record import Interval

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Judged:
    """A model's answers to the images: predicted and true class, confidence, and loss; each of shape (images,).

    `predicted`: index of a class, or -1. `count`: of classes.
    """

    predicted: Indices
    truth: Indices
    count: int
    confidence: NDArray[np.float32]
    losses: Floats

    @property
    def right(self) -> NDArray[np.bool_]:
        right: NDArray[np.bool_] = self.predicted == self.truth
        return right

    def per_class(self) -> tuple[Floats, Floats, Floats]:
        """Whether each image is a hit of each class, is of that class, and was said to be: (images, classes) each."""
        classes = np.arange(self.count)
        are, said = self.truth[:, None] == classes, self.predicted[:, None] == classes
        return (are & said).astype(np.float64), are.astype(np.float64), said.astype(np.float64)


@dataclass(frozen=True, slots=True)
class ScoreIntervals:
    """95 % intervals; `recall` and `precision` have one for each class, None where there are no images."""

    accuracy: Interval
    balanced_accuracy: Interval
    macro_f1: Interval
    log_loss: Interval
    calibration_error: Interval
    calibration_floor: float  # the mean error of a perfectly calibrated model with these confidences
    recall: tuple[Interval | None, ...]
    precision: tuple[Interval | None, ...]


def score_intervals(judged: Judged, scenes: Scenes, seed: int) -> ScoreIntervals:
    """The intervals of all scores.

    Balanced accuracy and macro-F1 have the bootstrap's, but at least the margins that the recalls' own intervals make:
    with few mistakes resamples hardly vary, and with none they do not vary at all.
    """
    likeness = of_shares(judged.right, scenes)
    hits, are, said = (table.sum(axis=0) for table in judged.per_class())

    def of_class(table: Indices, total: Floats, number: int) -> Interval | None:
        inside = table == number
        if not total[number]:
            return None
        return intervals.wilson(hits[number] / total[number], scenes.effective(likeness, inside))

    recalls = tuple(of_class(judged.truth, are, number) for number in range(judged.count))
    shown = [number for number in range(judged.count) if are[number]]
    balanced = float(np.mean(hits[shown] / are[shown]))
    f1 = float(macro_f1s(hits, are, said))
    low, high = intervals.mean_of_shares(
        [(hits[one] / are[one], scenes.effective(likeness, judged.truth == one)) for one in shown]
    )
    accuracy = intervals.wilson(float(judged.right.mean()), scenes.effective(likeness))
    loss = float(judged.losses.mean())
    by_chance = errors_by_chance(judged.confidence, scenes, seed)
    drawn = resampled_scores(judged, scenes, seed)
    return ScoreIntervals(
        accuracy=accuracy,
        balanced_accuracy=holding(wider(percentile(drawn["balanced_accuracy"]), (low, high)), balanced),
        macro_f1=holding(wider(percentile(drawn["macro_f1"]), (f1 - balanced + low, f1 - balanced + high)), f1),
        log_loss=holding(percentile(drawn["log_loss"]), loss, highest=float("inf")),
        calibration_error=_of_calibration(judged, accuracy, drawn["calibration_error"], by_chance),
        calibration_floor=min(1.0, float(by_chance.mean())),
        recall=recalls,
        precision=tuple(of_class(judged.predicted, said, number) for number in range(judged.count)),
    )


def _of_calibration(judged: Judged, accuracy: Interval, drawn: Floats, by_chance: Floats) -> Interval:
    """The calibration error's interval. Noise raises the error, and in a resample raises it again.

    So its lower end is 0 where a perfectly calibrated model shows as large an error in 1 of 40 samples or more, and
    else the basic bootstrap's, which takes the rise off. Its upper end is at least the distance of the mean confidence
    from the accuracy's interval: with hardly a mistake, resamples do not vary.
    """
    error, mean = calibration_error(judged.confidence, judged.right), float(judged.confidence.mean())
    low = 0.0 if error <= np.percentile(by_chance, 97.5) else basic(drawn, error)[0]
    high = max(percentile(drawn)[1], abs(mean - accuracy[0]), abs(mean - accuracy[1]))
    return holding((low, high), error)


def macro_f1s(hits: Floats, are: Floats, said: Floats) -> Floats:
    """The mean F1 over the classes that have an image or are predicted for one; arrays of shape (..., classes)."""
    with np.errstate(invalid="ignore"):
        scores = 2 * hits / (are + said)
    averages: Floats = np.nanmean(scores, axis=-1)
    return averages


def resampled_scores(judged: Judged, scenes: Scenes, seed: int) -> dict[str, Floats]:
    """Each score in every resample; a class that was not drawn is left out of the means."""
    count = judged.count
    columns = [
        *judged.per_class(),
        gaps(judged.confidence, judged.right),
        judged.losses[:, None],
        np.ones((len(judged.truth), 1)),
    ]
    of_gaps = slice(3 * count, 3 * count + BINS)

    def parts(totals: Floats) -> tuple[Floats, Floats, Floats]:
        return totals[:, :count], totals[:, count : 2 * count], totals[:, 2 * count : 3 * count]

    def balanced(totals: Floats) -> Floats:
        hits, are, _ = parts(totals)
        with np.errstate(invalid="ignore"):
            averages: Floats = np.nanmean(hits / are, axis=1)
        return averages

    return resampled(
        scenes.sums(np.hstack(columns)),
        {
            "balanced_accuracy": balanced,
            "macro_f1": lambda totals: macro_f1s(*parts(totals)),
            "log_loss": lambda totals: totals[:, -2] / totals[:, -1],
            "calibration_error": lambda totals: np.abs(totals[:, of_gaps]).sum(axis=1) / totals[:, -1],
        },
        np.random.default_rng(seed),
    )
