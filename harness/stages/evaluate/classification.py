"""Scores a classifier on the held-out images, with intervals, and compares it with the reference."""

from __future__ import annotations

import re
import unicodedata
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest
from sklearn import metrics

from harness.findings import Finding, finding
from harness.stages.evaluate.comparison import compare
from harness.stages.evaluate.faults import mixed_up_labels, wrong_preprocessing
from harness.stages.evidence.conversion import Guess
from harness.stages.evidence.evaluation import ClassScore, Evaluation, Mistake
from harness.stages.evidence.record import Interval

RESAMPLES = 2000  # of the bootstrap: the 2.5 % quantile then rests on 50 of them
_BINS = 15  # of the calibration error, as in Guo et al. 2017
_MOST_MISTAKES = 12
_MOST_UNKNOWN = 10  # labels that a finding names
_OTHER = -1  # predicted a label outside the assignment's classes

Probabilities = NDArray[np.float32]
Indices = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Truth:
    """The held-out labels: image i has the class `classes[of[i]]`."""

    classes: tuple[str, ...]
    of: Indices


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

    Intervals are 95 % percentile intervals of a bootstrap over the images. Where all answers are right or all wrong,
    the bootstrap has no spread, and the exact binomial interval is used. Raises `ValueError` when there are no images
    or the shapes do not fit.
    """
    if len(truth.of) == 0 or answers.probabilities.shape != (len(truth.of), len(answers.labels)):
        raise ValueError(f"{answers.probabilities.shape} probabilities for {len(truth.of)} images")
    column_of, findings = match_labels(answers.labels, truth.classes)
    predicted = _predictions(answers.probabilities, column_of)
    resamples = np.random.default_rng(seed).integers(0, len(truth.of), (RESAMPLES, len(truth.of)))
    right = predicted == truth.of
    count = len(truth.classes)
    confusion, other = _confusion(predicted, truth.of, count)
    resampled = _resampled_confusions(predicted, truth.of, count, resamples)

    def interval(values: NDArray[np.float64]) -> Interval:
        return _exact_interval(right) if right.all() or not right.any() else _interval(values)

    compared = None
    if reference is not None:
        reference_column_of, _ = match_labels(reference.labels, truth.classes)
        reference_right = _predictions(reference.probabilities, reference_column_of) == truth.of
        compared = compare(right, reference_right, resamples)

    labels_fault = "labels-guess-misfits" if "labels" in answers.guessed else "labels-swapped"
    order, mixed_up = mixed_up_labels(predicted, truth.of, truth.classes, labels_fault)
    findings += mixed_up
    if answers.probes and answers.probe_images is not None:
        at = answers.probe_images
        # With mixed-up labels, any change that blurs two classes would look like a better pre-processing.
        meant = np.array([order.get(label, label) for label in range(-1, count)])

        def is_right(said: NDArray[np.int64]) -> NDArray[np.bool_]:
            right: NDArray[np.bool_] = meant[said + 1] == truth.of[at]
            return right

        probes = {name: is_right(_predictions(probe, column_of)) for name, probe in answers.probes.items()}
        is_guessed = "preprocessing" in answers.guessed
        fault = "preprocessing-guess-misfits" if is_guessed else "preprocessing-mismatch"
        findings += wrong_preprocessing(is_right(predicted[at]), probes, fault)

    beside = _with_other(answers.probabilities, column_of)
    evaluation = Evaluation(
        images=len(truth.of),
        classes=truth.classes,
        accuracy=float(metrics.accuracy_score(truth.of, predicted)),
        accuracy_interval=interval(right[resamples].mean(axis=1)),
        balanced_accuracy=_quiet(lambda: metrics.balanced_accuracy_score(truth.of, predicted)),
        balanced_accuracy_interval=interval(_balanced_accuracies(resampled)),
        macro_f1=_quiet(
            lambda: metrics.f1_score(truth.of, predicted, labels=range(count), average="macro", zero_division=0.0)
        ),
        macro_f1_interval=interval(_macro_f1s(resampled)),
        log_loss=float(metrics.log_loss(truth.of, beside, labels=range(count + 1))),
        calibration_error=calibration_error(answers.probabilities.max(axis=1), right),
        per_class=_per_class(truth.classes, confusion, other),
        confusion=tuple(tuple(map(int, row)) for row in confusion),
        confusion_other=tuple(map(int, other)),
        mistakes=_mistakes(answers, predicted, truth),
        reference_accuracy=compared.reference_accuracy if compared else None,
        difference=compared.difference if compared else None,
        difference_interval=compared.interval if compared else None,
        mcnemar_p=compared.mcnemar_p if compared else None,
    )
    return evaluation, tuple(findings)


def match_labels(labels: tuple[str, ...], classes: tuple[str, ...]) -> tuple[Indices, list[Finding]]:
    """For each class the column of its label, -1 when the model lacks it; and findings.

    Names match regardless of case, spaces, hyphens, underscores, dots, Unicode form and a plural s. The closest form is
    matched first, and each label matches one class only.
    """
    free = dict(enumerate(labels))
    matched: dict[str, int] = {}
    for form in (str, _plain, _singular):
        formed = {column: form(label) for column, label in free.items()}  # computed once, since there may be thousands
        for name in classes:
            wanted = form(name)
            same = [column for column in free if formed[column] == wanted]
            if name not in matched and same:
                matched[name] = same[0]
                del free[same[0]]
    column_of = np.array([matched.get(name, -1) for name in classes], dtype=np.int64)
    findings = [finding("class-missing", name=name) for name in classes if name not in matched]
    findings += [finding("class-unknown", name=label) for label in list(free.values())[:_MOST_UNKNOWN]]
    return column_of, findings


def _plain(name: str) -> str:
    folded = unicodedata.normalize("NFD", name)
    for _ in range(2):  # compatibility caseless matching: the Unicode Standard, 3.13, D146
        folded = unicodedata.normalize("NFKD", folded.casefold())
    return re.sub(r"[\s_\-.]+", "", folded) or folded


def _singular(name: str) -> str:
    return _plain(name).removesuffix("s")


def _predictions(probabilities: Probabilities, column_of: Indices) -> Indices:
    """The class of the most probable label, -1 when it is not one of the classes. Ties: the first label."""
    class_of = np.full(probabilities.shape[1], _OTHER, dtype=np.int64)
    for index, column in enumerate(column_of):
        if column >= 0:
            class_of[column] = index
    predicted: Indices = class_of[probabilities.argmax(axis=1)]
    return predicted


def answered_right(probabilities: Probabilities, labels: tuple[str, ...], truth: Truth) -> NDArray[np.bool_]:
    """For each image, whether its most probable label is that of its class."""
    column_of, _ = match_labels(labels, truth.classes)
    right: NDArray[np.bool_] = _predictions(probabilities, column_of) == truth.of
    return right


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
    other = predicted == _OTHER
    matrix = metrics.confusion_matrix(truth, np.where(other, count, predicted), labels=range(count + 1))
    return matrix[:count, :count], matrix[:count, count]


def _resampled_confusions(predicted: Indices, truth: Indices, count: int, resamples: Indices) -> Indices:
    """A confusion matrix for each resample, shape (resamples, classes, classes + 1); the last column: other labels."""
    cell = truth * (count + 1) + np.where(predicted == _OTHER, count, predicted)
    drawn = cell[resamples] + np.arange(len(resamples))[:, None] * count * (count + 1)
    flat = np.bincount(drawn.ravel(), minlength=len(resamples) * count * (count + 1))
    return flat.reshape(len(resamples), count, count + 1)


def _balanced_accuracies(confusions: Indices) -> NDArray[np.float64]:
    diagonal = np.diagonal(confusions, axis1=1, axis2=2)
    with np.errstate(invalid="ignore"):
        recalls = diagonal / confusions.sum(axis=2)
    averages: NDArray[np.float64] = np.nanmean(recalls, axis=1)  # without classes that were not drawn
    return averages


def _macro_f1s(confusions: Indices) -> NDArray[np.float64]:
    diagonal = np.diagonal(confusions, axis1=1, axis2=2)
    total = confusions.sum(axis=2) + confusions[:, :, :-1].sum(axis=1)
    with np.errstate(invalid="ignore"):
        scores = 2 * diagonal / total
    averages: NDArray[np.float64] = np.nanmean(scores, axis=1)  # without classes neither drawn nor predicted
    return averages


def _interval(values: NDArray[np.float64]) -> Interval:
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)


def _exact_interval(right: NDArray[np.bool_]) -> Interval:
    """The 95 % interval of the share of right answers (Clopper and Pearson, 1934)."""
    bounds = binomtest(int(right.sum()), len(right)).proportion_ci(0.95, "exact")
    return float(bounds.low), float(bounds.high)


def calibration_error(confidence: NDArray[np.float32], right: NDArray[np.bool_]) -> float:
    """Expected calibration error of the top label, 15 equal bins (Guo et al., 2017, equation 3)."""
    bins = np.minimum((confidence * _BINS).astype(int), _BINS - 1)
    error = 0.0
    for index in range(_BINS):
        inside = bins == index
        if inside.any():
            error += inside.mean() * abs(float(right[inside].mean()) - float(confidence[inside].mean()))
    return min(1.0, float(error))


def _per_class(classes: tuple[str, ...], confusion: Indices, other: Indices) -> tuple[ClassScore, ...]:
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
