"""Compares a submission with the reference by its published scores, where its code and weights are not here."""

from __future__ import annotations

from harness.bench.boards.prediction import band
from harness.inputs.images import HeldOutSet
from harness.inputs.student_package import ReferenceOnBoard, ReferenceScores, name_of
from harness.stages.evaluate.stage import compared_with_right
from harness.stages.evidence.boards import BoardLatency, BoardRatio
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
    if isinstance(evidence.boards, Done):
        known = {(one.board, one.runtime, one.precision): one for one in scores.boards}
        rows = tuple(
            _beside(row, known.get((row.board, row.runtime, row.precision))) for row in evidence.boards.value.boards
        )
        predictions = evidence.boards.value.model_copy(update={"boards": rows})
        changes["boards"] = evidence.boards.model_copy(update={"value": predictions})
    return evidence.model_copy(update=changes)


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
