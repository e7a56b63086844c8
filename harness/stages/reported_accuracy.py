"""Compares a notebook's reported accuracy or average precision, and the model of its rerun, with what was measured."""

from __future__ import annotations

from harness.findings import Finding, finding
from harness.stages.evidence.detection_scores import DetectionEvaluation
from harness.stages.evidence.evaluation import Evaluation, PairedDifference
from harness.stages.evidence.execution import Execution, FailedExecution
from harness.stages.evidence.reading import NotebookReading, Shown
from harness.stages.evidence.stage_result import Done
from harness.stages.evidence.submission import Evidence

_CHANCE = 0.05  # of McNemar's test
_TOLERANCE = 0.05  # of accuracy, above the interval, because reports are rounded and about other images


def against_measurement(evidence: Evidence) -> list[Finding]:
    """Findings about what the notebook reports, and about its rerun; none without a measurement."""
    if isinstance(evidence.score_boxes, Done):
        return [*_claimed_precision(shown_by(evidence), evidence.score_boxes.value), *_made_nothing_new(evidence)]
    if not isinstance(evidence.evaluate, Done):
        return []
    measured = evidence.evaluate.value
    return [*_claimed(shown_by(evidence), measured), *_rerun(evidence, measured)]


def shown_by(evidence: Evidence) -> Shown | None:
    """What the notebook's saved outputs show or, if it was saved without outputs, those of the rerun."""
    reading: NotebookReading | None = evidence.read.value if isinstance(evidence.read, Done) else None
    if reading is not None and reading.shown.has_outputs:
        return reading.shown
    execution: Execution | None = None
    if isinstance(evidence.execute, Done):
        execution = evidence.execute.value
    elif isinstance(evidence.execute, FailedExecution):
        execution = evidence.execute.execution
    return execution.shown if execution else None


def _claimed(shown: Shown | None, measured: Evaluation) -> list[Finding]:
    """A finding if an accuracy reported for new images is higher than measured; one for training images claims less."""
    if shown is None or shown.claim is None or shown.claim.kind not in ("test", "unsaid"):
        return []
    low, high = measured.accuracy_interval
    claim = shown.claim
    if claim.accuracy <= high + _TOLERANCE:
        return []
    return [
        finding(
            "accuracy-claim-differs",
            claimed=claim.accuracy,
            kind="no set named" if claim.kind == "unsaid" else f"{claim.kind} set",
            cell=claim.cell,
            images=measured.images,
            measured=measured.accuracy,
            low=low,
            high=high,
        )
    ]


def _claimed_precision(shown: Shown | None, measured: DetectionEvaluation) -> list[Finding]:
    """A finding if a reported average precision is higher than the same figure of the held-out images."""
    claim = shown.average_precision if shown is not None else None
    if claim is None:
        return []
    scores = measured.scores
    value, around, interval = {
        "voc": (measured.voc.eleven_points, scores.ap50, measured.ap50_interval),
        "ap50": (scores.ap50, scores.ap50, measured.ap50_interval),
        "ap": (scores.ap, scores.ap, measured.ap_interval),
    }[claim.measure]
    if value is None or around is None or interval is None:
        return []
    # VOC's figure has the margins of AP50, from which it differs in how the same curve is read.
    low, high = (min(1.0, max(0.0, value + end - around)) for end in interval)
    if claim.value <= high + _TOLERANCE:
        return []
    return [
        finding(
            "ap-claim-differs",
            claimed=claim.value,
            measure="AP" if claim.measure == "ap" else "AP50",
            cell=claim.cell,
            images=measured.images,
            measured=value,
            low=low,
            high=high,
        )
    ]


def _made_nothing_new(evidence: Evidence) -> list[Finding]:
    if evidence.rerun_made == "nothing":
        return [finding("rerun-made-nothing")]
    if evidence.rerun_made == "same-answers":
        return [finding("rerun-saved-again")]
    return []


def _rerun(evidence: Evidence, handed_in: Evaluation) -> list[Finding]:
    if known := _made_nothing_new(evidence):
        return known
    rerun = evidence.rerun
    difference = evidence.rerun_difference
    if rerun is None or difference is None:
        return []
    code = "not-reproduced" if _differs(difference) else "reproduced"
    return [
        finding(
            code,
            rerun=rerun.accuracy,
            handed_in=handed_in.accuracy,
            difference=difference.value,
            low=difference.interval[0],
            high=difference.interval[1],
            p=difference.mcnemar_p,
        )
    ]


def _differs(difference: PairedDifference) -> bool:
    """Whether two models are right on different images by more than chance.

    McNemar's test takes every image as independent. Images of one scene are not, and the interval accounts for that, so
    it must leave out 0, too.
    """
    low, high = difference.interval
    return difference.mcnemar_p < _CHANCE and not low <= 0 <= high
