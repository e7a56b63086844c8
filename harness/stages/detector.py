"""The stage `detector`: an ONNX detector (scores and boxes), described so that it can be timed. It is not scored."""

from __future__ import annotations

import tempfile
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from harness.evidence.conversion import Conversion, Preprocess
from harness.evidence.record import Record
from harness.evidence.stage_result import Done, Failed, StageResult
from harness.stages.workplace import Rejected, Workplace, failed, read_reply, reject_refusal, usage


class Detector(Record):
    """A detector: its file as a conversion, whose labels are numbers, and which of its two outputs holds boxes."""

    conversion: Conversion
    boxes_output: int


class _Reply(BaseModel):
    """detector.json, as `harness/agent/detector.py` sends it."""

    model_config = ConfigDict(extra="forbid")

    height: int = Field(ge=8, le=2048)
    width: int = Field(ge=8, le=2048)
    dynamic_batch: bool
    classes: int = Field(ge=2, le=100_000)
    boxes_output: int = Field(ge=0, le=1)
    opset: int = Field(ge=0, le=10_000)


def open_detector(file: Path, workplace: Workplace) -> StageResult[Detector]:
    """What the detector takes and gives; a failure for anything else. Pixels are scaled as jetson-inference does."""
    with tempfile.TemporaryDirectory(prefix="harness-detector-") as folder:
        outputs = Path(folder)
        outcome = workplace.run("detector", {}, {"model": file}, outputs)
        if outcome.status != "ok":
            return failed(outcome, "Loading the model", workplace.limits)
        try:
            reject_refusal(outputs)
            reply = read_reply(outputs, "detector.json", _Reply)
        except Rejected as rejected:
            return Failed(status="rejected", reason=f"It is no detector: {rejected}", usage=usage(outcome))
    conversion = Conversion(
        model=workplace.store.put(file, "model.onnx"),
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
            mean=(0.5, 0.5, 0.5),
            std=(0.5, 0.5, 0.5),
            resize="stretch",
        ),
        max_abs_difference=None,
        images_compared=0,
        opset=reply.opset,
    )
    return Done(value=Detector(conversion=conversion, boxes_output=reply.boxes_output), usage=usage(outcome))
