"""Compares a notebook's reported accuracy, and the model that its rerun makes, with the measurement."""

from __future__ import annotations

from harness.findings import Finding, finding
from harness.stages.evidence.evaluation import Evaluation, PairedDifference
from harness.stages.evidence.execution import Execution, FailedExecution
from harness.stages.evidence.reading import NotebookReading, Shown
from harness.stages.evidence.stage_result import Done
from harness.stages.evidence.submission import Evidence

_CHANCE = 0.05  # of McNemar's test
_TOLERANCE = 0.05  # of accuracy, above the interval, because reports are rounded and about other images


def against_measurement(evidence: Evidence) -> list[Finding]:
    """Findings about the accuracy that the notebook reports, and about its rerun; none without a measurement."""
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


def _rerun(evidence: Evidence, handed_in: Evaluation) -> list[Finding]:
    if evidence.rerun_made == "nothing":
        return [finding("rerun-made-nothing")]
    if evidence.rerun_made == "same-answers":
        return [finding("rerun-saved-again")]
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
