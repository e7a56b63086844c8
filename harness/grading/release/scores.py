"""The reference's scores on the public images, as students get them."""

from __future__ import annotations

from harness.bench.boards.stage import board_predictions, by_memory
from harness.bench.machine.fairness import processor
from harness.grading.context import RunContext
from harness.inputs.assignment import Assignment
from harness.inputs.detector_scores import DetectorScores
from harness.inputs.images import HeldOutSet
from harness.inputs.published import ReferenceLatency, ReferenceOnBoard
from harness.inputs.student_package import ReferenceScores, name_of
from harness.stages.evaluate.labels import answered_right
from harness.stages.evaluate.stage import answers_of, truth_of
from harness.stages.evidence.benchmark import Latency
from harness.stages.evidence.kernels import KernelList


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
        latency=_latency(reference.latency),
        boards=_on_boards(reference.kernels, run_context.assignment),
    )


def detector_scores(run_context: RunContext) -> DetectorScores:
    """The scores of the reference detector. `run_context`: as for `reference_scores`."""
    shared = run_context.shared
    reference = shared.detector
    assert reference is not None
    found = reference.evaluation
    counted = found.counting.all_objects
    assert found.scores.ap50 is not None and found.scores.ap is not None  # each class has objects in a course's set
    return DetectorScores(
        backbone=reference.backbone,
        images_sha256=shared.held_out.sha256,
        images=found.images,
        ap50=found.scores.ap50,
        ap50_interval=found.ap50_interval or (0.0, 1.0),
        ap=found.scores.ap,
        ap_interval=found.ap_interval or (0.0, 1.0),
        per_class={one.name: one.scores.ap50 for one in found.per_class},
        exact_share=counted.exact_share,
        exact_interval=counted.exact_interval,
        latency=_latency(reference.latency),
        boards=_on_boards(reference.kernels, run_context.assignment),
    )


def _by_name(held_out: HeldOutSet, right: list[bool]) -> dict[str, bool]:
    return {name_of(file, file.parents[1]): bool(one) for file, one in zip(held_out.files, right, strict=True)}


def _latency(latency: Latency | None) -> ReferenceLatency | None:
    if latency is None:
        return None
    return ReferenceLatency(machine=processor(), p50_ms=latency.p50_ms, p90_ms=latency.p90_ms)


def _on_boards(kernels: KernelList | None, assignment: Assignment) -> tuple[ReferenceOnBoard, ...]:
    if kernels is None or not assignment.boards:
        return ()
    found = board_predictions("reference", kernels, by_memory(assignment.boards))
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
