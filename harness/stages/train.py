"""The stage `train`: runs the instructor's reference code, or the packaged one, in the sandbox."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from harness.files.hashing import HashedFile
from harness.findings import sentence
from harness.inputs.assignment.sections import ReferenceSolution
from harness.inputs.images import TrainingImages
from harness.stages.context import StageContext, failed, usage
from harness.stages.evidence.record import Blob, Record
from harness.stages.evidence.stage_result import Done, Failed, StageResult
from harness.stages.stage import Stage

_MODEL, _LABELS, _HANDIN = "model.onnx", "labels.txt", "handin.json"


class TrainedReference(Record):
    """The files that the reference code wrote, with the names that a submission has."""

    model: Blob
    labels: Blob
    handin: Blob
    seconds: float  # wall time of the whole phase


def train(
    reference: ReferenceSolution, train_dir: Path, weights_file: Path, context: StageContext
) -> StageResult[TrainedReference]:
    """Train the reference on the class folders in `train_dir`, from the pre-trained `weights_file`."""
    weights = f"weights{weights_file.suffix}"
    request = {
        "code": reference.code and reference.code.name,
        "weights": weights,
        "backbone": reference.backbone,
        "seed": reference.seed,
        "fine_tune_epochs": reference.fine_tune_epochs,
    }
    inputs = {weights: weights_file, "dataset": train_dir}
    if reference.code is not None:
        inputs[reference.code.name] = reference.code
    with tempfile.TemporaryDirectory(prefix="harness-train-") as folder:
        outputs = Path(folder)
        outcome = context.run("train", request, inputs, outputs, wall_seconds=reference.wall_seconds)
        if outcome.status != "ok":
            limits = context.limits.model_copy(update={"wall_seconds": reference.wall_seconds})
            return failed(outcome, "Training the reference", limits)
        missing = [name for name in (_MODEL, _LABELS, _HANDIN) if not (outputs / name).is_file()]
        if missing:
            reason = sentence("reference-wrote-no", files=", ".join(missing))
            return Failed(status="failed", reason=reason, usage=usage(outcome))
        store = context.store
        value = TrainedReference(
            model=store.put(outputs / _MODEL, _MODEL),
            labels=store.put(outputs / _LABELS, _LABELS),
            handin=store.put(outputs / _HANDIN, _HANDIN),
            seconds=outcome.seconds,
        )
        return Done(value=value, usage=usage(outcome))


@dataclass(frozen=True, slots=True)
class TrainRequest:
    """The reference code, its training images, and its pre-trained weights."""

    reference: ReferenceSolution
    code: HashedFile | None  # None for the packaged code, which is hashed with the agent's
    training: TrainingImages
    weights: HashedFile

    def key(self) -> object:
        """The identity of what decides the result, independent of paths."""
        said = self.reference.model_dump(mode="json", exclude={"code"})
        return [said, self.code and self.code.key(), self.training.key(), self.weights.key()]


def _train(request: TrainRequest, context: StageContext) -> StageResult[TrainedReference]:
    return train(request.reference, request.training.folder, request.weights.file, context)


TRAIN = Stage("train", TrainedReference, _train)
