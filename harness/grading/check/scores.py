"""Compares a submission with the reference by its published scores, where its code and weights are not here."""

from __future__ import annotations

import math
from collections.abc import Sequence

from harness.bench.boards.prediction import band
from harness.inputs.detector_scores import DetectorScores
from harness.inputs.images import HeldOutSet
from harness.inputs.published import ReferenceOnBoard
from harness.inputs.student_package import ReferenceScores, name_of
from harness.stages.evaluate.stage import compared_with_right
from harness.stages.evidence.boards import BoardLatency, BoardRatio
from harness.stages.evidence.record import Interval
from harness.stages.evidence.stage_result import Done
from harness.stages.evidence.submission import Evidence
from harness.stages.store import Store


def with_scores(evidence: Evidence, scores: ReferenceScores, held_out: HeldOutSet, store: Store) -> Evidence:
    """The evidence with accuracy and predicted board times relative to the reference's.

    `held_out`: the public images, in class folders, that the scores are of.
    """
    changes: dict[str, object] = {}
    evaluated, predicted = evidence.evaluate, evidence.predict
    if isinstance(evaluated, Done) and isinstance(predicted, Done):
        names = [name_of(file, file.parents[1]) for file in held_out.files]
        right = [scores.right[name] for name in names]
        value = compared_with_right(evaluated.value, predicted.value, held_out, right, store)
        changes["evaluate"] = evaluated.model_copy(update={"value": value})
    return evidence.model_copy(update=changes | _boards(evidence, scores.boards))


def with_detector_scores(evidence: Evidence, scores: DetectorScores) -> Evidence:
    """The evidence with average precision, counts and predicted board times relative to the reference's.

    The intervals of the differences are wider than the instructor's: of the reference no single box is known, so what
    both get wrong does not cancel.
    """
    changes: dict[str, object] = {}
    scored = evidence.score_boxes
    if isinstance(scored, Done):
        found = scored.value
        ap50, ap, counted = found.scores.ap50, found.scores.ap, found.counting.all_objects
        update: dict[str, object] = {
            "reference_ap50": scores.ap50,
            "reference_ap": scores.ap,
            "reference_exact_share": scores.exact_share,
            "exact_difference_interval": apart(
                counted.exact_share, counted.exact_interval, scores.exact_share, scores.exact_interval
            ),
        }
        if ap50 is not None and found.ap50_interval is not None:
            interval = apart(ap50, found.ap50_interval, scores.ap50, scores.ap50_interval)
            update |= {"difference": ap50 - scores.ap50, "difference_interval": interval}
        if ap is not None and found.ap_interval is not None:
            interval = apart(ap, found.ap_interval, scores.ap, scores.ap_interval)
            update |= {"ap_difference": ap - scores.ap, "ap_difference_interval": interval}
        changes["score_boxes"] = scored.model_copy(update={"value": found.model_copy(update=update)})
    return evidence.model_copy(update=changes | _boards(evidence, scores.boards))


def apart(one: float, ends: Interval, other: float, other_ends: Interval) -> Interval:
    """The interval of one share less another, of two samples taken as independent (Zou and Donner, 2008)."""
    (low, high), (other_low, other_high) = ends, other_ends
    difference = one - other
    return (
        difference - math.hypot(one - low, other_high - other),
        difference + math.hypot(high - one, other - other_low),
    )


def _boards(evidence: Evidence, boards: Sequence[ReferenceOnBoard]) -> dict[str, object]:
    """The evidence's board times beside the reference's, as a change of the evidence."""
    if not isinstance(evidence.boards, Done):
        return {}
    known = {(one.board, one.runtime, one.precision): one for one in boards}
    rows = tuple(
        _beside(row, known.get((row.board, row.runtime, row.precision))) for row in evidence.boards.value.boards
    )
    predictions = evidence.boards.value.model_copy(update={"boards": rows})
    return {"boards": evidence.boards.model_copy(update={"value": predictions})}


def _beside(row: BoardLatency, reference: ReferenceOnBoard | None) -> BoardLatency:
    """The row with its ratio to the reference's predicted time.

    The interval is wider than the instructor's: from two times alone it is not known what is common to both.
    """
    if reference is None:
        return row
    ratio = row.latency_ms / reference.latency_ms
    low, high = row.interval_90[0] / reference.interval_90[1], row.interval_90[1] / reference.interval_90[0]
    compared = BoardRatio(reference_ms=reference.latency_ms, ratio=ratio, interval_90=(low, high), band=band(ratio))
    return row.model_copy(update={"versus_reference": compared})
