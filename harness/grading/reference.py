"""The reference solution: trained by the instructor's code, then through the same stages as a submission."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from harness.bench.boards.report import kernels_of
from harness.errors import MachineError
from harness.files.hashing import file_sha256
from harness.files.whole_file import copy_whole, write_whole
from harness.inputs.assignment import Assignment
from harness.inputs.images import HeldOutSet, StagedImages
from harness.stages.benchmark import benchmark
from harness.stages.cache import StageCache
from harness.stages.context import StageContext
from harness.stages.convert import HandedModel, convert
from harness.stages.evaluate.score import score, trial
from harness.stages.evidence.benchmark import Benchmark
from harness.stages.evidence.conversion import Conversion
from harness.stages.evidence.evaluation import Evaluation
from harness.stages.evidence.kernels import KernelList
from harness.stages.evidence.predictions import Predictions
from harness.stages.evidence.reference import Reference
from harness.stages.evidence.robustness import RobustnessAnswers
from harness.stages.evidence.stage_result import Done, Skipped, StageResult
from harness.stages.predict import predict
from harness.stages.progress import Progress
from harness.stages.robustness import stress
from harness.stages.train import TrainedReference, train

T = TypeVar("T", bound=BaseModel)


def prepare(
    assignment: Assignment,
    held_out: HeldOutSet,
    staged: StagedImages,
    training_sha256: str,
    check_images: Callable[[], Sequence[Path]],
    weights_file: Path,
    context: StageContext,
    cache: StageCache,
    progress: Progress,
    unseen: StagedImages | None = None,
    lay_out: Callable[[], None] = lambda: None,
) -> Reference:
    """The reference's model and scores, trained now if it is missing or something that it reads changed.

    `lay_out` is called before it is trained, where its training images are not in their folder yet.

    Raises `MachineError` with the log's end when the reference code fails: it is the instructor's.
    """
    spec, limits = assignment.reference, assignment.limits
    assert assignment.dataset is not None and assignment.dataset.path is not None  # `assignment.load` has seen to it
    train_dir = assignment.dataset.path

    def step(name: str, value: type[T], inputs: object, work: Any) -> T:
        remembered = cache.run(name, inputs, value, work)
        if name == "train" and remembered.cached:
            progress.say(f"The reference ({spec.backbone}) is up to date.")
        result: StageResult[T] = remembered.result
        if isinstance(result, Done):
            return result.value
        log = "\n".join(result.usage.log.splitlines()[-15:])
        raise MachineError(
            f"the reference solution failed in {name}: {result.whole_reason}\n{log}", f"correct {spec.code}"
        )

    def train_now() -> StageResult[TrainedReference]:
        progress.say(f"Training the reference ({spec.backbone}); this is done once ...")
        lay_out()
        return train(spec, train_dir, weights_file, context)

    trained = step(
        "train",
        TrainedReference,
        [
            file_sha256(spec.code),
            training_sha256,
            spec.model_dump(mode="json", exclude={"code"}),
            file_sha256(weights_file),
            limits,
        ],
        train_now,
    )
    store = context.store
    handed = HandedModel(
        store.path(trained.model),
        {"labels.txt": store.path(trained.labels), "handin.json": store.path(trained.handin)},
    )
    conversion = step(
        "convert",
        Conversion,
        [handed.key(), held_out.classes, training_sha256, limits],
        lambda: convert(handed, held_out.classes, check_images(), None, context),
    )
    predictions = step(
        "predict",
        Predictions,
        [conversion, staged.sha256, limits],
        lambda: predict(conversion, staged, context),
    )
    rules = assignment.robustness

    def tried() -> StageResult[RobustnessAnswers]:
        if not rules.enabled:
            return Skipped(reason="This assignment does not ask for it.")
        attempt = trial(predictions, held_out, rules.model_copy(update={"looks": 0}), rules.images, unseen, store)
        return stress(conversion, attempt, staged, context)

    inputs = ["reference", conversion, held_out.sha256, rules, unseen and unseen.sha256, limits]
    stressed = cache.run("stress", inputs, RobustnessAnswers, tried).result
    stress_value = stressed.value if isinstance(stressed, Done) else None
    evaluation = step(
        "evaluate",
        Evaluation,
        [predictions, held_out.sha256, stress_value],
        lambda: score(predictions, held_out, None, store, stress_value),
    )
    timing = step(
        "benchmark",
        Benchmark,
        [conversion, predictions.probabilities, staged.sha256, assignment.benchmark, limits],
        lambda: benchmark(conversion, None, predictions, staged, assignment.benchmark, context),
    )
    return Reference(
        kernels=_kernels(conversion, context, cache) if assignment.boards else None,
        backbone=spec.backbone,
        conversion=conversion,
        predictions=predictions,
        evaluation=evaluation,
        latency=timing.model,
        training_seconds=trained.seconds,
        seed=spec.seed,
    )


def _kernels(conversion: Conversion, context: StageContext, cache: StageCache) -> KernelList | None:
    """The reference's, for the boards; None where they cannot be listed: then there is no ratio to it."""
    inputs = [conversion.model, conversion.preprocess, context.limits]
    listed = cache.run("kernels", inputs, KernelList, lambda: kernels_of(conversion, context)).result
    return listed.value if isinstance(listed, Done) else None


def write(reference: Reference, context: StageContext, folder: Path) -> None:
    """The reference as files: model.onnx, labels.txt, handin.json as a submission has them, and baseline.json.

    They are the owner's only, also where older files lie that were not: they say how each held-out image was answered.
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
        "output": conversion.output_kind,
    }
    write_whole(folder / "handin.json", json.dumps(handin, indent=2) + "\n")
    write_whole(folder / "baseline.json", reference.model_dump_json(indent=2))
