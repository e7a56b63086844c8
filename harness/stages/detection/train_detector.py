"""The stage `train_detector`: trains the reference detector in the sandbox, by packaged code or the instructor's."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from harness.files.hashing import HashedFile
from harness.findings import sentence
from harness.inputs.assignment.sections import ReferenceSolution
from harness.inputs.images import TrainingImages
from harness.sandbox.engine import Outcome
from harness.stages.context import Rejected, StageContext, failed, read_reply, usage
from harness.stages.evidence.record import Blob
from harness.stages.evidence.stage_result import Done, Failed, StageResult
from harness.stages.evidence.trained_detector import TrainedDetector
from harness.stages.stage import Stage

DetectorBudget = Literal["whole", "tiny"]  # the latter learns nothing; tests ask for it

_MODEL, _SUPPRESSED, _LABELS, _HANDIN = "model.onnx", "model_nms.onnx", "labels.txt", "handin.json"
_SUMMARY = "training.json"
_WHAT = "Training the reference"


_Loss = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class _Summary(BaseModel):
    """training.json, as `harness/agent/phases/train_detector.py` sends it."""

    model_config = ConfigDict(extra="forbid")

    images: int = Field(ge=1, le=1_000_000)
    boxes: int = Field(ge=1, le=100_000_000)
    losses: list[_Loss] = Field(min_length=1, max_length=20)
    cpu_seconds: float = Field(ge=0, allow_inf_nan=False)


@dataclass(frozen=True, slots=True)
class TrainDetectorRequest:
    """The reference code, its annotated training images, its pre-trained weights, and how much is computed."""

    reference: ReferenceSolution
    code: HashedFile | None  # None for the packaged code, which is hashed with the agent's
    training: TrainingImages
    weights: HashedFile
    classes: tuple[str, ...]  # in the order of the labels, without BACKGROUND
    budget: DetectorBudget = "whole"  # of the packaged code

    def key(self) -> object:
        """The identity of what decides the result, independent of paths."""
        said = self.reference.model_dump(mode="json", exclude={"code"})
        things = [self.code and self.code.key(), self.training.key(), self.weights.key()]
        return [said, *things, list(self.classes), self.budget]


def _train(request: TrainDetectorRequest, context: StageContext) -> StageResult[TrainedDetector]:
    reference, code = request.reference, request.reference.code
    weights = f"weights{request.weights.file.suffix}"
    asked: dict[str, object] = {"backbone": reference.backbone, "weights": weights, "seed": reference.seed}
    inputs = {weights: request.weights.file, "dataset": request.training.folder}
    wanted: tuple[str, ...]
    if code is None:
        phase, wanted = "train_detector", (_MODEL, _LABELS, _SUPPRESSED, _SUMMARY)
        asked |= {"classes": list(request.classes), "budget": request.budget}
    else:
        phase, wanted = "train", (_MODEL, _LABELS)
        asked |= {"code": code.name, "fine_tune_epochs": reference.fine_tune_epochs}
        inputs[code.name] = code
    with tempfile.TemporaryDirectory(prefix="harness-train-") as folder:
        outputs = Path(folder)
        outcome = context.run(phase, asked, inputs, outputs, wall_seconds=reference.wall_seconds)
        if outcome.status != "ok":
            limits = context.limits.model_copy(update={"wall_seconds": reference.wall_seconds})
            return failed(outcome, _WHAT, limits)
        if missing := [name for name in wanted if not (outputs / name).is_file()]:
            reason = sentence("reference-wrote-no", files=", ".join(missing))
            return Failed(status="failed", reason=reason, usage=usage(outcome))
        try:
            summary = read_reply(outputs, _SUMMARY, _Summary) if code is None else None
        except Rejected as rejected:
            return Failed(status="rejected", reason=str(rejected), detail=rejected.detail, usage=usage(outcome))
        return Done(value=_kept(outputs, summary, outcome, context), usage=usage(outcome))


def _kept(outputs: Path, summary: _Summary | None, outcome: Outcome, context: StageContext) -> TrainedDetector:
    """The files in the store. What an instructor's code wrote beside is passed over, as for classification."""

    def put(name: str) -> Blob:
        return context.store.put(outputs / name, name)

    return TrainedDetector(
        model=put(_MODEL),
        labels=put(_LABELS),
        suppressed=put(_SUPPRESSED) if summary else None,
        handin=put(_HANDIN) if not summary and (outputs / _HANDIN).is_file() else None,
        images=summary.images if summary else None,
        boxes=summary.boxes if summary else None,
        seconds=outcome.seconds,
    )


TRAIN_DETECTOR = Stage("train_detector", TrainedDetector, _train)
