"""The reference detector: trained by the packaged or the instructor's code, then run through a detector's stages."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from harness.bench.boards.stage import KERNELS
from harness.files.hashing import HashedFile
from harness.files.whole_file import copy_whole, write_whole
from harness.grading.context import GradedOn, RunContext
from harness.grading.detection.detector_run import run_detector, timed_detector
from harness.grading.model_run import Depth, value
from harness.grading.reference_failures import needed
from harness.inputs.assignment.sections import ReferenceSolution
from harness.stages.context import StageContext
from harness.stages.convert import HandedModel
from harness.stages.detection.benchmark import BENCHMARK_DETECTOR, BenchmarkDetectorRequest
from harness.stages.detection.train_detector import TRAIN_DETECTOR, TrainDetectorRequest
from harness.stages.evidence.detector_reference import DetectorReference
from harness.stages.evidence.trained_detector import TrainedDetector
from harness.stages.store import Store


def trained(
    run_context: RunContext,
    on: GradedOn,
    depth: Depth = "reference",
    lay_out: Callable[[], None] = lambda: None,
) -> DetectorReference:
    """The reference detector and its scores, not timed; trained now if it is missing or one of its inputs changed.

    `lay_out` is called before training, to put the training images into their folder.

    Raises `MachineError` with the end of the log when it fails in a stage that its scores rest on.
    """
    assignment, progress, store = run_context.assignment, run_context.progress, run_context.stage_context.store
    spec, runner = assignment.reference, run_context.runner(None)
    named = title(spec)

    def starting() -> None:
        progress.say(f"Training the reference ({named}); this is done once ...")
        lay_out()

    request = TrainDetectorRequest(
        spec,
        None if spec.code is None else HashedFile(spec.code),
        on.training,
        HashedFile(run_context.weights.files[spec.weights_name]),
        on.held_out.classes,
    )
    made = needed(runner.run(TRAIN_DETECTOR, request, starting=starting), "train_detector", spec.code)
    if TRAIN_DETECTOR.name in runner.cached:
        progress.say(f"The reference ({named}) is up to date.")
    found = run_detector((_handed_in(made, store),), on, depth, run_context, runner)
    conversion = value(found.convert)  # it is for timing and boards only
    return DetectorReference(
        backbone=spec.backbone,
        answers=needed(found.detect, "detect", spec.code),
        evaluation=needed(found.score_boxes, "score_boxes", spec.code),
        training_seconds=made.seconds,
        seed=spec.seed,
        files=made,
        conversion=conversion,
        kernels=value(runner.run(KERNELS, conversion)) if assignment.boards and conversion else None,
    )


def timed(reference: DetectorReference, run_context: RunContext) -> DetectorReference:
    """The course's reference with its latency; call it when nothing else runs."""
    assignment, model = run_context.assignment, timed_detector(reference.conversion, reference.answers)
    request = BenchmarkDetectorRequest(model, None, run_context.shared.staged, assignment.benchmark)
    timing = run_context.runner(None).run(BENCHMARK_DETECTOR, request)
    measured = needed(timing, BENCHMARK_DETECTOR.name, assignment.reference.code)
    return reference.model_copy(update={"latency": measured.model})


def title(spec: ReferenceSolution) -> str:
    """What it is called in messages: the instructor's file, or what the packaged code trains."""
    if spec.code:
        return spec.code.name
    return spec.backbone if spec.backbone.startswith("ssd_") else f"SSD on {spec.backbone}"


def _handed_in(made: TrainedDetector, store: Store) -> HandedModel:
    """The model as a submission hands it in: the scores and boxes of all priors, as jetson-inference exports them."""
    beside = {"labels.txt": store.path(made.labels)}
    if made.handin is not None:
        beside["handin.json"] = store.path(made.handin)
    return HandedModel(store.path(made.model), beside, made.model.name)


def write(reference: DetectorReference, context: StageContext, folder: Path) -> None:
    """The reference as files: model.onnx and labels.txt, as a submission has them, and baseline.json.

    `model_nms.onnx` is the packaged one with the suppression inside; an instructor's code may have written handin.json.
    Only the owner can read them, even if older files were readable, since they hold the answer to each held-out image.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = reference.files
    assert files is not None  # it is as `trained` made it
    for blob in (files.model, files.labels, files.suppressed, files.handin):
        if blob is not None:
            copy_whole(context.store.path(blob), folder / blob.name)
    write_whole(folder / "baseline.json", reference.model_dump_json(indent=2))
