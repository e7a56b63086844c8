"""The stage `predict`: class probabilities for the held-out images, which go in without labels.

Some images are repeated: in the same process at other positions and in batches of another size; and, if the process
runs student code, also in a second sandbox, which remembers nothing.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from harness.findings import Finding, finding, sentence
from harness.inputs.images import Material, StagedImages, drawn_from, sample, secret_sample
from harness.sandbox import KERAS
from harness.sandbox.engine import Outcome
from harness.stages.context import (
    Rejected,
    StageContext,
    failed,
    read_array,
    read_reply,
    reject_refusal,
    usage,
)
from harness.stages.evidence.conversion import Conversion
from harness.stages.evidence.predictions import Predictions
from harness.stages.evidence.record import Blob
from harness.stages.evidence.stage_result import NO_MODEL, Done, Failed, StageResult
from harness.stages.repeatability import CONSTANT, are_different, largest_difference
from harness.stages.stage import Stage

_PROBE_IMAGES = 40  # to try other pre-processings
_SHARE_FOR_PROBES = 0.4  # of the wall time; a slow model gets fewer images
_ASKED_TWICE = 16  # images, or all where there are fewer
_ROW_SUM_TOLERANCE = 1e-3
_BLOCK = 64  # rows that are checked at once

# A closed list, because the student reads the name and a process that runs his code could send any text.
_Probe = Literal[
    "torchvision-imagenet", "zero-one", "minus-one-one", "raw-0-255", "keras-vgg16-caffe", "colours-swapped"
]
Rows = NDArray[np.float32]


class _Reply(BaseModel):
    """predictions.json, as `harness/agent/phases/predict.py` sends it."""

    model_config = ConfigDict(extra="forbid")

    seconds_per_image: float = Field(ge=0, allow_inf_nan=False)
    probed: int = Field(ge=0, le=_PROBE_IMAGES)
    probes: tuple[_Probe, ...] = Field(max_length=12)


def model_request(conversion: Conversion, context: StageContext) -> tuple[dict[str, object], dict[str, Path]]:
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
        "cpus": context.limits.cpus,
    }
    inputs = {"model": context.store.path(conversion.model)}
    if conversion.factory is not None:
        inputs["model.py"] = context.store.path(conversion.factory)
    return request, inputs


@dataclass(frozen=True, slots=True)
class _Answered:
    """One sandbox's answers, with all rows in the order of the requested images."""

    rows: Rows
    again: Rows  # for the repeated positions, in their order
    seconds_per_image: float
    probed: tuple[int, ...]  # positions
    probes: dict[str, Rows]


class _Unanswered(Exception):
    """The job gave no answers; `failure` is the stage's result."""

    def __init__(self, failure: Failed) -> None:
        super().__init__(failure.reason)
        self.failure = failure


def predict(
    conversion: Conversion, staged: StagedImages, context: StageContext, probe_images: int = _PROBE_IMAGES
) -> StageResult[Predictions]:
    """The model's probabilities for the staged images, in the order of the held-out set.

    `probe_images`: on how many of them, at most, other pre-processings are tried.
    """
    if conversion.native and conversion.environment == KERAS.name:
        context = context.using(KERAS)
    twice = secret_sample(len(staged.names), _ASKED_TWICE)
    try:
        answered, outcome = _ask(conversion, drawn_from(staged), twice, sample(staged, probe_images), context)
        asked_again = [answered.again]
        if conversion.native:
            afresh, _ = _ask(conversion, drawn_from(staged, twice), (), (), context)
            asked_again.append(afresh.rows)
    except _Unanswered as nothing:
        return nothing.failure
    first = answered.rows[list(twice)]
    with tempfile.TemporaryDirectory(prefix="harness-predict-") as folder:

        def stored(rows: Rows, name: str) -> Blob:
            file = Path(folder) / f"{name}.npy"
            np.save(file, np.ascontiguousarray(rows), allow_pickle=False)
            return context.store.put(file, file.name)

        value = Predictions(
            probabilities=stored(answered.rows, "probabilities"),
            labels=conversion.labels,
            images=len(answered.rows),
            seconds_per_image=answered.seconds_per_image,
            asked_twice=len(twice),
            largest_difference=max(largest_difference(first, again) for again in asked_again),
            depends_on_order=any(are_different(first, again, answered.rows) for again in asked_again),
            probe_images=answered.probed,
            probes={name: stored(rows, name) for name, rows in answered.probes.items()},
            guessed=conversion.guessed,
            unsettled=conversion.unsettled,
        )
    # Also for a native model: its answers themselves are judged, and its code gets pixels without labels.
    noticed = _noticed(value, answered.rows)
    return Done(value=value, origin="measured-inside", findings=noticed, usage=usage(outcome))


def _ask(
    conversion: Conversion, material: Material, twice: Sequence[int], probed: Sequence[int], context: StageContext
) -> tuple[_Answered, Outcome]:
    """One sandbox's answers to the material. Raises `_Unanswered` when there are none."""
    request, inputs = model_request(conversion, context)
    again, probes = material.places(twice), material.places(probed)
    request |= {"again": again, "probes": probes, "probe_seconds": context.limits.wall_seconds * _SHARE_FOR_PROBES}
    with tempfile.TemporaryDirectory(prefix="harness-predict-") as folder:
        outputs = Path(folder)
        outcome = context.run("predict", request, inputs, outputs, images={"images": material})
        if outcome.status != "ok":
            ended = failed(outcome, "The model's prediction", context.limits)
            unusable = finding("prediction-failed", reason=ended.reason, detail=ended.detail)
            raise _Unanswered(ended.model_copy(update={"findings": (unusable,)}))
        try:
            reject_refusal(outputs)
            return _read(outputs, material, again, twice, probes, conversion.outputs), outcome
        except Rejected as rejected:
            unusable = finding("prediction-failed", reason=str(rejected), detail=rejected.detail)
            failure = Failed(
                status="rejected",
                reason=unusable.message,
                detail=unusable.detail,
                findings=(unusable,),
                usage=usage(outcome),
            )
            raise _Unanswered(failure) from rejected


def _read(
    outputs: Path, material: Material, again: list[int], twice: Sequence[int], probes: list[int], labels: int
) -> _Answered:
    """The phase's reply, checked and put in order. `again`, `probes`: the places that it was asked about."""
    reply = read_reply(outputs, "predictions.json", _Reply)
    if reply.probed > len(probes):
        raise Rejected(sentence("tried-on-too-many"))
    rows = checked(read_array(outputs, "probabilities.npy", (len(material.files), labels)))
    second = checked(read_array(outputs, "again.npy", (len(again), labels)))
    at = {material.order[place]: row for place, row in zip(again, second, strict=True)}
    tried: dict[str, Rows] = {}
    for name in dict.fromkeys(reply.probes):
        try:
            tried[name] = checked(read_array(outputs, f"probe-{name}.npy", (reply.probed, labels)))
        except Rejected:  # pixels on another scale can make a valid model overflow
            continue
    return _Answered(
        rows=material.restored(rows),
        again=np.stack([at[position] for position in twice]) if twice else second,
        seconds_per_image=reply.seconds_per_image,
        probed=tuple(material.order[place] for place in probes[: reply.probed]),
        probes=tried,
    )


def checked(rows: Rows) -> Rows:
    """The rows, if they are probabilities. Raises `Rejected` otherwise.

    They are checked in blocks, and copied only where rounding put one outside 0 to 1.
    """
    outside = False
    for start in range(0, len(rows), _BLOCK):
        some = rows[start : start + _BLOCK]
        if not np.isfinite(some).all():
            raise Rejected(sentence("answers-not-finite"))
        if (some < -_ROW_SUM_TOLERANCE).any():
            raise Rejected(sentence("answers-negative"))
        if np.abs(some.sum(axis=1, dtype=np.float64) - 1).max() > _ROW_SUM_TOLERANCE:
            raise Rejected(sentence("answers-no-probabilities"))
        outside = outside or bool((some < 0).any() or (some > 1).any())
    clean: Rows = np.clip(rows, 0, 1) if outside else rows
    return clean


def _noticed(value: Predictions, rows: Rows) -> tuple[Finding, ...]:
    found = []
    if value.depends_on_order:
        found.append(finding("answers-depend-on-order", difference=value.largest_difference, images=value.asked_twice))
    if len(rows) > 1 and float(np.ptp(rows, axis=0).max()) < CONSTANT:
        found.append(finding("constant-output"))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class PredictRequest:
    """A model, and the images that it is asked about."""

    conversion: Conversion | None
    staged: StagedImages


def _predict(request: PredictRequest, context: StageContext) -> StageResult[Predictions]:
    return predict(request.conversion, request.staged, context) if request.conversion else NO_MODEL


PREDICT = Stage("predict", Predictions, _predict)
