"""Scores a classifier on the held-out images, with intervals, and compares it with the reference."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.findings import Finding
from harness.stages.evaluate.calibration import calibration_error
from harness.stages.evaluate.comparison import compare
from harness.stages.evaluate.faults import mixed_up_labels, wrong_preprocessing
from harness.stages.evaluate.labels import OTHER, Indices, Probabilities, Truth, match_labels, predictions
from harness.stages.evaluate.score_intervals import Judged, ScoreIntervals, score_intervals
from harness.stages.evidence.conversion import Guess
from harness.stages.evidence.evaluation import ClassScore, Evaluation, Mistake, Remedy

_MOST_MISTAKES = 12


@dataclass(frozen=True, slots=True)
class Answers:
    """A model's answers: `probabilities`, float32, shape (images, labels), rows sum to 1.

    `probes`: name of another pre-processing -> probabilities on the images `probe_images` only.
    """

    probabilities: Probabilities
    labels: tuple[str, ...]
    probe_images: Indices | None = None
    probes: Mapping[str, Probabilities] | None = None
    guessed: tuple[Guess, ...] = ()  # what the submission does not declare


def evaluate(
    answers: Answers, truth: Truth, reference: Answers | None, seed: int = 0
) -> tuple[Evaluation, tuple[Finding, ...]]:
    """The scores, and findings: classes that do not match, mixed-up labels, a wrong pre-processing.

    Intervals are those of `intervals.py`, 95 %; each holds its score. `seed` is the bootstrap's. Raises `ValueError`
    when there are no images or the shapes do not fit.
    """
    from sklearn import metrics

    if len(truth.of) == 0 or answers.probabilities.shape != (len(truth.of), len(answers.labels)):
        raise ValueError(f"{answers.probabilities.shape} probabilities for {len(truth.of)} images")
    column_of, findings = match_labels(answers.labels, truth.classes)
    predicted = predictions(answers.probabilities, column_of)
    right = predicted == truth.of
    count = len(truth.classes)
    confusion, other = _confusion(predicted, truth.of, count)
    scenes = truth.grouped()

    compared = reference_accuracy = None
    if reference is not None:
        reference_column_of, _ = match_labels(reference.labels, truth.classes)
        reference_right = predictions(reference.probabilities, reference_column_of) == truth.of
        reference_accuracy = float(reference_right.mean())
        compared = compare(right, reference_right, scenes)

    labels_fault = "labels-guess-misfits" if "labels" in answers.guessed else "labels-swapped"
    order, mixed_up = mixed_up_labels(predicted, truth.of, truth.classes, labels_fault)
    findings += mixed_up
    meant = np.array([order.get(label, label) for label in range(-1, count)])  # at [label + 1]
    remedies = []
    if order:
        to = ", ".join(_put_right(answers.labels, column_of, order, truth.classes))
        would = float((meant[predicted + 1] == truth.of).mean())
        remedies.append(Remedy(of="labels", to=to, accuracy=float(right.mean()), would=would, images=len(truth.of)))
    if answers.probes and answers.probe_images is not None:
        at = answers.probe_images
        # With mixed-up labels, any change that blurs two classes would look like a better pre-processing.

        def is_right(said: NDArray[np.int64]) -> NDArray[np.bool_]:
            right: NDArray[np.bool_] = meant[said + 1] == truth.of[at]
            return right

        probes = {name: is_right(predictions(probe, column_of)) for name, probe in answers.probes.items()}
        is_guessed = "preprocessing" in answers.guessed
        fault = "preprocessing-guess-misfits" if is_guessed else "preprocessing-mismatch"
        better, misfits = wrong_preprocessing(is_right(predicted[at]), probes, fault)
        remedies += better
        findings += misfits

    beside = _with_other(answers.probabilities, column_of)
    confidence = answers.probabilities.max(axis=1)
    losses = -np.log(beside[np.arange(len(beside)), truth.of])
    of = score_intervals(Judged(predicted, truth.of, count, confidence, losses), scenes, seed)
    evaluation = Evaluation(
        images=len(truth.of),
        scenes=scenes.count,
        classes=truth.classes,
        accuracy=float(metrics.accuracy_score(truth.of, predicted)),
        accuracy_interval=of.accuracy,
        balanced_accuracy=_quiet(lambda: metrics.balanced_accuracy_score(truth.of, predicted)),
        balanced_accuracy_interval=of.balanced_accuracy,
        macro_f1=_quiet(
            lambda: metrics.f1_score(truth.of, predicted, labels=range(count), average="macro", zero_division=np.nan)
        ),
        macro_f1_interval=of.macro_f1,
        log_loss=float(metrics.log_loss(truth.of, beside, labels=range(count + 1))),
        log_loss_interval=of.log_loss,
        calibration_error=calibration_error(confidence, right),
        calibration_error_interval=of.calibration_error,
        calibration_floor=of.calibration_floor,
        per_class=_per_class(truth.classes, confusion, other, of),
        confusion=tuple(tuple(map(int, row)) for row in confusion),
        confusion_other=tuple(map(int, other)),
        mistakes=_mistakes(answers, predicted, truth),
        reference_accuracy=reference_accuracy,
        difference=compared.value if compared else None,
        difference_interval=compared.interval if compared else None,
        mcnemar_p=compared.mcnemar_p if compared else None,
        remedies=tuple(remedies),
    )
    return evaluation, tuple(findings)


def _put_right(
    labels: tuple[str, ...], column_of: Indices, order: Mapping[int, int], classes: tuple[str, ...]
) -> list[str]:
    """The labels in the order that the model means. `order`: class that is said -> class that is meant."""
    meant = list(labels)
    for said, instead in order.items():
        meant[column_of[said]] = classes[instead]
    return meant


def _with_other(probabilities: Probabilities, column_of: Indices) -> NDArray[np.float64]:
    """Probabilities of the assignment's classes, and the rest as a last column; rows sum to 1."""
    found = np.where(column_of >= 0, probabilities[:, np.maximum(column_of, 0)], 0.0).astype(np.float64)
    every = np.column_stack([found, 1.0 - found.sum(axis=1)])
    every = np.clip(every, 1e-7, 1.0)  # float32's resolution: a finite loss for a certain mistake
    scaled: NDArray[np.float64] = every / every.sum(axis=1, keepdims=True)
    return scaled


def _quiet(score: Callable[[], float]) -> float:
    """A scikit-learn score, without its warning about a predicted class that no image has."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return float(score())


def _confusion(predicted: Indices, truth: Indices, count: int) -> tuple[Indices, Indices]:
    """The confusion matrix (rows truth, columns predicted), and per true class the predictions outside the classes."""
    from sklearn import metrics

    other = predicted == OTHER
    matrix = metrics.confusion_matrix(truth, np.where(other, count, predicted), labels=range(count + 1))
    return matrix[:count, :count], matrix[:count, count]


def _per_class(
    classes: tuple[str, ...], confusion: Indices, other: Indices, of: ScoreIntervals
) -> tuple[ClassScore, ...]:
    scores = []
    for index, name in enumerate(classes):
        images = int(confusion[index].sum() + other[index])
        claimed = int(confusion[:, index].sum())
        hits = int(confusion[index, index])
        scores.append(
            ClassScore(
                name=name,
                images=images,
                precision=hits / claimed if claimed else None,
                recall=hits / images if images else 0.0,
                precision_interval=of.precision[index],
                recall_interval=of.recall[index],
            )
        )
    return tuple(scores)


def _mistakes(answers: Answers, predicted: Indices, truth: Truth) -> tuple[Mistake, ...]:
    confidence = answers.probabilities.max(axis=1)
    wrong = np.flatnonzero(predicted != truth.of)
    worst = wrong[np.argsort(-confidence[wrong], kind="stable")][:_MOST_MISTAKES]
    return tuple(
        Mistake(
            image=int(index),
            truth=truth.classes[truth.of[index]],
            predicted=answers.labels[int(answers.probabilities[index].argmax())],
            confidence=min(1.0, float(confidence[index])),
        )
        for index in worst
    )
