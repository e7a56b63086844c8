"""The stage `predict`: class probabilities for the held-out pictures, which go in without labels."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from harness.evidence.conversion import Conversion
from harness.evidence.predictions import Predictions
from harness.evidence.record import Blob
from harness.evidence.stage_result import Done, Failed, StageResult
from harness.findings import Finding, finding
from harness.images import StagedImages
from harness.sandbox import KERAS
from harness.sandbox.base import Outcome
from harness.stages.workplace import Rejected, Workplace, failed, read_array, read_reply, reject_refusal, usage

_PROBE_IMAGES = 40  # on which other pre-processings are tried
_SHARE_FOR_PROBES = 0.4  # of the wall time; a slow model gets fewer pictures
_ROW_SUM_TOLERANCE = 1e-3
_SAME = 1e-6  # largest spread of a probability that counts as constant

# A closed list: the student reads the name, and a process that runs his code could send any.
_Probe = Literal[
    "torchvision-imagenet", "zero-one", "minus-one-one", "raw-0-255", "keras-vgg16-caffe", "colours-swapped"
]
_Name = Annotated[str, Field(max_length=100)]


class _Reply(BaseModel):
    """predictions.json, as `harness/agent/predict.py` sends it."""

    model_config = ConfigDict(extra="forbid")

    names: tuple[_Name, ...] = Field(max_length=1_000_000)
    seconds_per_image: float = Field(ge=0, allow_inf_nan=False)
    probe_images: tuple[_Name, ...] = Field(max_length=_PROBE_IMAGES)
    probes: tuple[_Probe, ...] = Field(max_length=12)


def model_request(conversion: Conversion, workplace: Workplace) -> tuple[dict[str, object], dict[str, Path]]:
    """What a phase needs to run a converted model: its part of the request, and its inputs."""
    request: dict[str, object] = {
        "native": conversion.native,
        "factory": conversion.factory is not None,
        "layout": conversion.layout,
        "input_dtype": conversion.input_dtype,
        "dynamic_batch": conversion.dynamic_batch,
        "rule": conversion.preprocess.model_dump(),
        "output_kind": conversion.output_kind,
        "labels": conversion.outputs,
        "cpus": workplace.limits.cpus,
    }
    inputs = {"model": workplace.store.path(conversion.model)}
    if conversion.factory is not None:
        inputs["model.py"] = workplace.store.path(conversion.factory)
    return request, inputs


def predict(conversion: Conversion, staged: StagedImages, workplace: Workplace) -> StageResult[Predictions]:
    """The model's probabilities for the staged pictures, in the order of the held-out set."""
    if conversion.native and conversion.environment == KERAS.name:
        workplace = workplace.using(KERAS)
    request, inputs = model_request(conversion, workplace)
    request["probe_images"] = _probe_images(staged)
    request["probe_seconds"] = workplace.limits.wall_seconds * _SHARE_FOR_PROBES
    with tempfile.TemporaryDirectory(prefix="harness-predict-") as folder:
        outputs = Path(folder)
        outcome = workplace.run("predict", request, {**inputs, "images": staged.folder}, outputs)
        if outcome.status != "ok":
            ended = failed(outcome, "The model's prediction", workplace.limits)
            unusable = finding("prediction-failed", reason=ended.reason, detail=ended.detail)
            return ended.model_copy(update={"findings": (unusable,)})
        try:
            reject_refusal(outputs)
            return _result(conversion, staged, outputs, outcome, workplace)
        except Rejected as rejected:
            unusable = finding("prediction-failed", reason=str(rejected), detail=rejected.detail)
            return Failed(
                status="rejected",
                reason=unusable.message,
                detail=unusable.detail,
                findings=(unusable,),
                usage=usage(outcome),
            )


def _probe_images(staged: StagedImages) -> list[str]:
    """Names of pictures of the set, drawn by its content: every run and every hand-in tries the same ones."""
    order = np.random.default_rng(int(staged.sha256, 16)).permutation(len(staged.names))
    return [staged.names[index] for index in order[:_PROBE_IMAGES]]


def _result(
    conversion: Conversion, staged: StagedImages, outputs: Path, outcome: Outcome, workplace: Workplace
) -> Done[Predictions]:
    reply = read_reply(outputs, "predictions.json", _Reply)
    position = {name: index for index, name in enumerate(reply.names)}
    if len(position) != len(reply.names) or set(position) != set(staged.names):
        raise Rejected("it does not answer for exactly the pictures that it was given")
    sent = read_array(outputs, "probabilities.npy", (len(staged.names), conversion.outputs))
    rows = checked(sent)[[position[name] for name in staged.names]]
    index = {name: i for i, name in enumerate(staged.names)}
    if reply.probe_images != tuple(_probe_images(staged)[: len(reply.probe_images)]):
        raise Rejected("it tried other pre-processings on other pictures than it was told to")
    shape = (len(reply.probe_images), conversion.outputs)
    probes: dict[str, Blob] = {}
    for name in dict.fromkeys(reply.probes):
        try:
            tried = checked(read_array(outputs, f"probe-{name}.npy", shape))
        except Rejected:  # pixels on another scale can make a sound model overflow
            continue
        probes[name] = _stored(tried, name, outputs, workplace)
    value = Predictions(
        probabilities=_stored(rows, "probabilities", outputs, workplace),
        labels=conversion.labels,
        images=len(rows),
        seconds_per_image=reply.seconds_per_image,
        probe_images=tuple(index[name] for name in reply.probe_images),
        probes=probes,
    )
    # Also of a native model: its answers are what is judged, and its code gets pixels, no labels.
    return Done(value=value, origin="measured-inside", findings=_noticed(rows), usage=usage(outcome))


def checked(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """The rows, if they are probabilities. Raises `Rejected` otherwise."""
    if not np.isfinite(rows).all():
        raise Rejected("its answers hold NaN or infinity")
    if (rows < -_ROW_SUM_TOLERANCE).any():
        raise Rejected("its answers hold negative probabilities")
    if len(rows) and np.abs(rows.sum(axis=1, dtype=np.float64) - 1).max() > _ROW_SUM_TOLERANCE:
        raise Rejected("its answers do not sum to 1 for each picture")
    clean: NDArray[np.float32] = np.clip(rows, 0, 1)
    return clean


def _stored(rows: NDArray[np.float32], name: str, outputs: Path, workplace: Workplace) -> Blob:
    file = outputs / f"kept-{name}.npy"
    np.save(file, np.ascontiguousarray(rows), allow_pickle=False)
    return workplace.store.put(file, f"{name}.npy")


def _noticed(rows: NDArray[np.float32]) -> tuple[Finding, ...]:
    if len(rows) > 1 and float(np.ptp(rows, axis=0).max()) < _SAME:
        return (finding("constant-output"),)
    return ()
