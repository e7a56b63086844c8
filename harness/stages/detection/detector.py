"""The stage `detector`: describes an ONNX detector (scores and boxes) for timing. It is not scored."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from harness.findings import sentence
from harness.stages.context import (
    Rejected,
    StageContext,
    failed,
    read_reply,
    reject_refusal,
    usage,
)
from harness.stages.evidence.conversion import Conversion, Preprocess
from harness.stages.evidence.record import Record
from harness.stages.evidence.stage_result import Done, Failed, StageResult

# As `harness/agent/detectors/heads.py` names them.
DetectorHead = Literal["scores-boxes", "boxes-scores", "yolo", "yolo-rows", "yolo-objectness", "suppressed"]
_SSD: tuple[DetectorHead, ...] = ("scores-boxes", "boxes-scores")


class Detector(Record):
    """A detector: its file as a conversion, whose labels are numbers, and its head."""

    conversion: Conversion
    head: DetectorHead


class _Reply(BaseModel):
    """detector.json, as `harness/agent/phases/detector.py` sends it."""

    model_config = ConfigDict(extra="forbid")

    height: int = Field(ge=8, le=2048)
    width: int = Field(ge=8, le=2048)
    dynamic_batch: bool
    classes: int = Field(ge=1, le=100_000)
    head: DetectorHead
    opset: int = Field(ge=0, le=10_000)


def open_detector(file: Path, context: StageContext) -> StageResult[Detector]:
    """The detector's input and head; a failure for any other file.

    Pixels are scaled to -1 to 1 for an SSD, as in jetson-inference, and to 0 to 1 for a YOLO.
    """
    with tempfile.TemporaryDirectory(prefix="harness-detector-") as folder:
        outputs = Path(folder)
        outcome = context.run("detector", {}, {"model": file}, outputs)
        if outcome.status != "ok":
            return failed(outcome, "Loading the model", context.limits)
        try:
            reject_refusal(outputs)
            reply = read_reply(outputs, "detector.json", _Reply)
        except Rejected as rejected:
            reason = sentence("no-detector", why=rejected)
            return Failed(status="rejected", reason=reason, detail=rejected.detail, usage=usage(outcome))
    middle, reach = ((0.5,) * 3, (0.5,) * 3) if reply.head in _SSD else ((0.0,) * 3, (1.0,) * 3)
    conversion = Conversion(
        model=context.store.put(file, "model.onnx"),
        native=False,
        source_format="onnx",
        layout="NCHW",
        input_dtype="float32",
        dynamic_batch=reply.dynamic_batch,
        outputs=reply.classes,
        output_kind="probabilities",
        labels=tuple(f"class {index}" for index in range(reply.classes)),
        preprocess=Preprocess(
            width=reply.width,
            height=reply.height,
            colour="RGB",
            scale=1 / 255,
            mean=middle,
            std=reach,
            resize="stretch",
        ),
        max_abs_difference=None,
        images_compared=0,
        opset=reply.opset,
    )
    return Done(value=Detector(conversion=conversion, head=reply.head), usage=usage(outcome))
