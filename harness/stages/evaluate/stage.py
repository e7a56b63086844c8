"""Scores the stored answers of a model against the held-out labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.findings import sentence
from harness.inputs.images import HeldOutSet
from harness.stages.context import StageContext
from harness.stages.evaluate import Answers, Truth, evaluate
from harness.stages.evaluate.calibration import calibration
from harness.stages.evaluate.comparison import compare
from harness.stages.evaluate.failures import accuracies, unseen_auroc, unseen_auroc_interval
from harness.stages.evaluate.labels import answered_right
from harness.stages.evidence.evaluation import Evaluation, PairedDifference
from harness.stages.evidence.predictions import Predictions
from harness.stages.evidence.record import Blob
from harness.stages.evidence.robustness import RobustnessAnswers
from harness.stages.evidence.stage_result import Done, Skipped, StageResult
from harness.stages.stage import Stage
from harness.stages.store import Store

_GUESSES_MISFIT = ("labels-guess-misfits", "preprocessing-guess-misfits")
_ROUNDING = 1e-3  # of a probability: the tolerance of `convert` between two forms of one model


def score(
    predictions: Predictions,
    held_out: HeldOutSet,
    reference: Predictions | None,
    store: Store,
    tried: RobustnessAnswers | None = None,
) -> Done[Evaluation]:
    """The scores of `predictions`, and the comparison with `reference` on the same images if it is given.

    `tried`: the answers to corrupted images and to images of no class, if there are any.
    """
    truth = truth_of(held_out)
    answers = answers_of(predictions, store)
    other = answers_of(reference, store) if reference is not None else None
    evaluation, findings = evaluate(answers, truth, other)
    right = answered_right(answers.probabilities, answers.labels, truth)
    failures: dict[str, object] = {
        "depends_on_order": predictions.depends_on_order,
        "unsettled": predictions.unsettled or any(found.code in _GUESSES_MISFIT for found in findings),
        "calibration": calibration(answers.probabilities.max(axis=1), right),
    }
    if tried is not None:
        failures |= _failures(tried, answers, truth, store)
    return Done(value=evaluation.model_copy(update=failures), origin="measured-outside", findings=findings)


def same_answers(one: Predictions, other: Predictions, store: Store) -> bool:
    """Whether two models give the same answers up to rounding, as the same weights saved twice do.

    Deterministic training gives the same answers too; it cannot be distinguished from saving again.
    """
    if set(one.labels) != set(other.labels) or one.images != other.images:
        return False
    columns = [other.labels.index(label) for label in one.labels]
    apart = np.abs(_array(one.probabilities, store) - _array(other.probabilities, store)[:, columns])
    return bool(apart.max(initial=0.0) <= _ROUNDING)


def paired_difference(one: Predictions, other: Predictions, held_out: HeldOutSet, store: Store) -> PairedDifference:
    """The accuracy of `one` minus that of `other` on the held-out images."""
    truth = truth_of(held_out)
    right, other_right = (
        answered_right(_array(said.probabilities, store), said.labels, truth) for said in (one, other)
    )
    return compare(right, other_right, truth.grouped())


def compared_with_right(
    evaluation: Evaluation, predictions: Predictions, held_out: HeldOutSet, other_right: Sequence[bool], store: Store
) -> Evaluation:
    """The scores with the comparison with another model, of which only is known on which images it is right.

    `other_right`: in the order of the held-out images.
    """
    truth = truth_of(held_out)
    right = answered_right(_array(predictions.probabilities, store), predictions.labels, truth)
    other = np.array(other_right, dtype=np.bool_)
    compared = compare(right, other, truth.grouped())
    return evaluation.model_copy(
        update={
            "reference_accuracy": float(other.mean()),
            "difference": compared.value,
            "difference_interval": compared.interval,
            "mcnemar_p": compared.mcnemar_p,
        }
    )


def _failures(tried: RobustnessAnswers, answers: Answers, truth: Truth, store: Store) -> dict[str, object]:
    corrupted, unseen = _array(tried.corrupted, store), _array(tried.unseen, store)
    some = Truth(truth.classes, truth.of[list(tried.images)])
    right = np.stack([answered_right(rows, tried.labels, some) for rows in corrupted])
    clean, worse = accuracies(right, tried.versions)
    return {
        "robustness": worse,
        "robustness_clean": clean,
        "robustness_images": len(tried.images),
        "unseen_auroc": unseen_auroc(answers.probabilities, unseen),
        "unseen_auroc_interval": unseen_auroc_interval(answers.probabilities, unseen, truth.grouped()),
        "unseen_images": len(unseen),
        "unseen_confidence": min(1.0, float(unseen.max(axis=1).mean())),
        "unseen_source": tried.unseen_source,
        "occlusion_maps": tried.occlusion_maps,
    }


def truth_of(held_out: HeldOutSet) -> Truth:
    """The labels of the set, and which images show one scene."""
    scenes = np.array(held_out.scenes, dtype=np.int64) if held_out.scenes else None
    return Truth(held_out.classes, np.array(held_out.truth, dtype=np.int64), scenes)


def answers_of(predictions: Predictions, store: Store) -> Answers:
    """The predict stage's stored answers as arrays."""
    return Answers(
        _array(predictions.probabilities, store),
        predictions.labels,
        np.array(predictions.probe_images, dtype=np.int64),
        {name: _array(blob, store) for name, blob in predictions.probes.items()},
        predictions.guessed,
    )


def _array(blob: Blob, store: Store) -> NDArray[np.float32]:
    """A memory-mapped array, so that only accessed parts take memory, even with very many labels."""
    array: NDArray[np.float32] = np.load(store.path(blob), mmap_mode="r", allow_pickle=False)
    return array.view(np.ndarray)


@dataclass(frozen=True, slots=True)
class EvaluateRequest:
    """A model's answers, the labels, and another model's answers to the same images."""

    answers: Predictions | None
    held_out: HeldOutSet
    compared_with: Predictions | None
    robustness: RobustnessAnswers | None = None


def _evaluate(request: EvaluateRequest, context: StageContext) -> StageResult[Evaluation]:
    if request.answers is None:
        return Skipped(reason=sentence("no-predictions"))
    if not request.held_out.truth:
        return Skipped(reason=sentence("no-labelled-images"))
    return score(request.answers, request.held_out, request.compared_with, context.store, request.robustness)


EVALUATE = Stage("evaluate", Evaluation, _evaluate)
