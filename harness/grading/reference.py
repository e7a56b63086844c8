"""The reference solution: trained by the instructor's code, then run through the same stages as a submission."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.bench.boards.stage import KERNELS
from harness.files.hashing import HashedFile
from harness.files.whole_file import copy_whole, write_whole
from harness.grading.context import (
    GradedOn,
    RunContext,
    with_detector,
    with_reference,
    with_scenes,
    without_reference,
)
from harness.grading.detection import reference as detector_reference
from harness.grading.model_run import Depth, run_model, value
from harness.grading.reference_failures import needed
from harness.inputs.assignment import Assignment
from harness.sandbox import Sandbox
from harness.stages.benchmark import BENCHMARK, BenchmarkRequest
from harness.stages.cache import StageCache
from harness.stages.context import StageContext
from harness.stages.convert import HandedModel
from harness.stages.evidence.reference import Reference
from harness.stages.progress import Progress
from harness.stages.train import TRAIN, TrainRequest


@contextmanager
def prepared(
    assignment: Assignment,
    sandbox: Sandbox,
    progress: Progress,
    *,
    force: bool = False,
    cache: StageCache | None = None,
) -> Iterator[RunContext]:
    """Yield the run context, with its reference if the course has a held-out set.

    Raises `UsageError` for a board that is not known, `AssignmentError` for images that do not decode,
    `MachineError` for missing weights and for a reference that does not train.
    """
    with without_reference(assignment, sandbox, progress, force=force, cache=cache) as run_context:
        if assignment.has_shared_set:
            run_context = with_scenes(run_context)
            run_context = _with_its_own(run_context)
        yield run_context


def _with_its_own(run_context: RunContext) -> RunContext:
    if run_context.assignment.task == "detection":
        trained_one = detector_reference.trained(run_context, run_context.shared)
        return with_detector(run_context, detector_reference.timed(trained_one, run_context))
    return with_reference(run_context, _timed(trained(run_context, run_context.shared), run_context))


def trained(
    run_context: RunContext, on: GradedOn, depth: Depth = "reference", lay_out: Callable[[], None] = lambda: None
) -> Reference:
    """The reference's model and scores, not timed; trained now if it is missing or one of its inputs changed.

    `lay_out` is called before training, to put the training images into their folder.

    Raises `MachineError` with the end of the log when the instructor's reference code fails.
    """
    assignment, progress, store = run_context.assignment, run_context.progress, run_context.stage_context.store
    spec, runner = assignment.reference, run_context.runner(None)

    def starting() -> None:
        progress.say(f"Training the reference ({spec.backbone}); this is done once ...")
        lay_out()

    weights = HashedFile(run_context.weights.files[spec.weights_name])
    request = TrainRequest(spec, None if spec.code is None else HashedFile(spec.code), on.training, weights)
    made = needed(runner.run(TRAIN, request, starting=starting), "train", spec.code)
    if TRAIN.name in runner.cached:
        progress.say(f"The reference ({spec.backbone}) is up to date.")
    beside = {"labels.txt": store.path(made.labels), "handin.json": store.path(made.handin)}
    found = run_model((HandedModel(store.path(made.model), beside, made.model.name),), on, depth, run_context, runner)
    conversion = needed(found.convert, "convert", spec.code)
    predictions = needed(found.predict, "predict", spec.code)
    evaluation = needed(found.evaluate, "evaluate", spec.code)
    return Reference(
        kernels=value(runner.run(KERNELS, conversion)) if assignment.boards else None,
        backbone=spec.backbone,
        conversion=conversion,
        predictions=predictions,
        evaluation=evaluation,
        training_seconds=made.seconds,
        seed=spec.seed,
    )


def _timed(reference: Reference, run_context: RunContext) -> Reference:
    """The course's reference with its latency; call it when nothing else runs."""
    assignment, staged = run_context.assignment, run_context.shared.staged
    request = BenchmarkRequest(reference.conversion, reference.predictions, None, staged, assignment.benchmark)
    timing = run_context.runner(None).run(BENCHMARK, request)
    return reference.model_copy(update={"latency": needed(timing, "benchmark", assignment.reference.code).model})


def write(reference: Reference, context: StageContext, folder: Path) -> None:
    """The reference as files: model.onnx, labels.txt, handin.json as a submission has them, and baseline.json.

    Only the owner can read them, even if older files were readable, since they hold the answer to each held-out image.
    """
    folder.mkdir(parents=True, exist_ok=True)
    conversion = reference.conversion
    copy_whole(context.store.path(conversion.model), folder / "model.onnx")
    write_whole(folder / "labels.txt", "\n".join(conversion.labels) + "\n")
    handin = {
        "schema": 1,
        "classes": conversion.labels,
        **conversion.preprocess.model_dump(mode="json"),
        "layout": conversion.layout,
        "output": "probabilities" if conversion.output_kind == "probabilities" else "logits",
    }
    write_whole(folder / "handin.json", json.dumps(handin, indent=2) + "\n")
    write_whole(folder / "baseline.json", reference.model_dump_json(indent=2))
