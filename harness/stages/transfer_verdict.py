"""Did transfer learning happen: what the weights show, together with the score.

An output layer that looks as it was initialised is untrained only if the model also guesses: a very short
training hardly moves it, and still teaches it something.
"""

from __future__ import annotations

from typing import Literal

from harness.findings import Finding, finding
from harness.inputs.weights import TrainedOn
from harness.stages.evidence.conversion import Conversion, Preprocess
from harness.stages.evidence.evaluation import Evaluation
from harness.stages.evidence.inspection import Inspection
from harness.stages.evidence.stage_result import Done, Failed, Skipped

Verdict = Literal[
    "feature-extraction", "fine-tuned", "little-reused", "mixed", "from-scratch", "copied", "untrained-head", "unknown"
]  # fmt: skip

_BETTER_THAN_CHANCE = 0.01  # one-sided; above it, the score is no more than guessing

# How far an input may lie from the backbone's own: the slope as a factor, the middle grey in standard deviations.
_SLOPE = 1.5
_MIDDLE = 0.5
_GREY, _SPREAD = 127.5, 64.0  # pixels: the middle, and about one standard deviation of photographs

Looked = Done[Inspection] | Failed | Skipped
Scored = Done[Evaluation] | Failed | Skipped


def verdict(inspection: Inspection, scored: Scored, is_copy: bool) -> Verdict:
    """How the model was made.

    A copy is called one however its weights were made; an untrained output layer counts for more than the layers
    below it.
    """
    if is_copy:
        return "copied"
    return "untrained-head" if _is_untrained(inspection, scored) else inspection.weights_say


def concluded(inspected: Looked, scored: Scored, conversion: Conversion | None, trained_on: TrainedOn | None) -> Looked:
    """The inspection with the findings that need the score or the declared pre-processing.

    `trained_on`: what images went through in the training of the recognised backbone, if that is known.
    """
    if not isinstance(inspected, Done):
        return inspected
    value, findings = inspected.value, list(inspected.findings)
    if isinstance(scored, Done) and _is_untrained(value, scored):
        findings = [found for found in findings if found.code != "trained-from-scratch"]
        findings.append(_untrained(value, scored.value))
    if conversion is not None and trained_on is not None and value.frozen_layers:
        matches = None if conversion.assumed or value.scales_its_input else fits(conversion.preprocess, trained_on)
        value = value.model_copy(update={"preprocessing_matches": matches})
        measured = isinstance(scored, Done) and any(f.code == "preprocessing-mismatch" for f in scored.findings)
        if matches is False and not measured:
            findings.append(finding("backbone-preprocessing", backbone=value.backbone))
    return inspected.model_copy(update={"value": value, "findings": tuple(findings)})


def _is_untrained(value: Inspection, scored: Scored) -> bool:
    return isinstance(scored, Done) and bool(value.head_initialised_as) and guesses(scored.value)


def guesses(score: Evaluation) -> bool:
    """Whether the model is right no more often than one that gives the same answers whatever the image.

    Exact binomial at 1 % against `by_chance`: of uneven classes, who always says the largest is right more often than
    one in as many as there are.
    """
    from scipy.stats import binomtest  # a second to load, for every command that reads results

    right = round(score.accuracy * score.images)
    test = binomtest(right, score.images, by_chance(score), alternative="greater")
    return bool(test.pvalue > _BETTER_THAN_CHANCE)


def by_chance(score: Evaluation) -> float:
    """The share that answers drawn as often as the model gave each would have right: sum of p(said) p(true).

    Cohen, A coefficient of agreement for nominal scales, 1960: the agreement that chance explains.
    """
    true = [sum(row) + other for row, other in zip(score.confusion, score.confusion_other, strict=True)]
    said = [sum(column) for column in zip(*score.confusion, strict=True)]
    images = sum(true)
    return sum(t * s for t, s in zip(true, said, strict=True)) / images**2 if images else 1 / len(score.classes)


def fits(rule: Preprocess, trained_on: TrainedOn) -> bool:
    """Whether pixels enter nearly as they did in the backbone's training; small differences do not count."""
    if rule.colour != trained_on.colour:
        return False
    for mean, std, its_mean, its_std in zip(rule.mean, rule.std, trained_on.mean, trained_on.std, strict=True):
        slope, its_slope = rule.scale / std, trained_on.scale / its_std
        if not 1 / _SLOPE <= slope / its_slope <= _SLOPE:
            return False
        middle, its_middle = slope * _GREY - mean / std, its_slope * _GREY - its_mean / its_std
        if abs(middle - its_middle) > _MIDDLE * its_slope * _SPREAD:
            return False
    return True


def _untrained(value: Inspection, score: Evaluation) -> Finding:
    return finding(
        "untrained-head",
        initialisation=value.head_initialised_as,
        right=round(score.accuracy * score.images),
        images=score.images,
        classes=len(score.classes),
    )
