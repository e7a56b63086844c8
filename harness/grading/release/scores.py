"""The reference's scores on the public images, as students get them."""

from __future__ import annotations

from harness.bench.boards.stage import board_predictions, by_memory
from harness.bench.machine.fairness import processor
from harness.grading.context import RunContext
from harness.inputs.assignment import Assignment
from harness.inputs.images import HeldOutSet
from harness.inputs.student_package import ReferenceLatency, ReferenceOnBoard, ReferenceScores, name_of
from harness.stages.evaluate.labels import answered_right
from harness.stages.evaluate.stage import answers_of, truth_of
from harness.stages.evidence.reference import Reference


def reference_scores(run_context: RunContext) -> ReferenceScores:
    """The scores. `run_context`: with the public images in place of the held-out set, and with its reference."""
    shared = run_context.shared
    reference, held_out = shared.reference, shared.held_out
    assert reference is not None
    answers = answers_of(reference.predictions, run_context.stage_context.store)
    right = answered_right(answers.probabilities, answers.labels, truth_of(held_out))
    return ReferenceScores(
        backbone=reference.backbone,
        images_sha256=held_out.sha256,
        accuracy=reference.evaluation.accuracy,
        accuracy_interval=reference.evaluation.accuracy_interval,
        right=_by_name(held_out, right.tolist()),
        latency=_latency(reference),
        boards=_on_boards(reference, run_context.assignment),
    )


def _by_name(held_out: HeldOutSet, right: list[bool]) -> dict[str, bool]:
    return {name_of(file, file.parents[1]): bool(one) for file, one in zip(held_out.files, right, strict=True)}


def _latency(reference: Reference) -> ReferenceLatency | None:
    if reference.latency is None:
        return None
    return ReferenceLatency(machine=processor(), p50_ms=reference.latency.p50_ms, p90_ms=reference.latency.p90_ms)


def _on_boards(reference: Reference, assignment: Assignment) -> tuple[ReferenceOnBoard, ...]:
    if reference.kernels is None or not assignment.boards:
        return ()
    found = board_predictions("reference", reference.kernels, by_memory(assignment.boards))
    return tuple(
        ReferenceOnBoard(
            board=row.board,
            runtime=row.runtime,
            precision=row.precision,
            latency_ms=row.latency_ms,
            interval_90=row.interval_90,
        )
        for row in found.boards
    )
