"""The stage `convert_detector`: a graded detector as an ONNX graph, for timing, for boards and for what it is made of.

Its answers are graded as they are, by the stage `detect`. TensorFlow's detectors and a student's own code have no graph
here: the first stay as they are, which is said, and the latter have no model that could be looked into.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from harness.findings import Finding, finding, sentence
from harness.inputs.given_weights import GivenWeights
from harness.stages.context import Rejected, StageContext, failed, read_reply, refusal, usage
from harness.stages.detection.scalings import in_words, own
from harness.stages.evidence.conversion import Conversion, Preprocess
from harness.stages.evidence.detections import DetectorAnswers
from harness.stages.evidence.record import Blob
from harness.stages.evidence.stage_result import NO_MODEL, Done, Failed, Skipped, StageResult
from harness.stages.stage import Stage

_GRAPHS = ("ssd_onnx", "yolo_onnx", "torchvision_onnx")
_EXPORTED = ("ssd_checkpoint", "torch_module")
_RUNS_CODE = ("torch_module",)  # what comes out of it says what the student's code wants
_CALLED = {"tflite": "TensorFlow Lite", "saved_model": "SavedModel"}
_CAMERA = (1280, 720)  # pixels, of a graph that takes images of any size: what a Jetson's camera gives

_Side = Annotated[int, Field(ge=8, le=4096)]


class DetectorGraphReply(BaseModel):
    """detector-graph.json, as `harness/agent/phases/convert_detector.py` sends it."""

    model_config = ConfigDict(extra="forbid")

    changed: bool  # whether the graph comes with it, because it is not the file itself
    native: Literal["", "not-converted", "differs"]
    layout: Literal["NCHW", "NHWC"]
    input_dtype: Literal["float32", "uint8"]
    dynamic_batch: bool
    height: _Side | None
    width: _Side | None
    opset: int | None = Field(ge=0, le=10_000)
    max_abs_difference: float | None = Field(ge=0, le=1)
    images_compared: int = Field(ge=0, le=16)


@dataclass(frozen=True, slots=True)
class ConvertDetectorRequest:
    """What the stage `detect` found out about the detector that is graded; None where it found none."""

    answers: DetectorAnswers | None
    weights: GivenWeights


def convert_detector(answers: DetectorAnswers, weights: GivenWeights, context: StageContext) -> StageResult[Conversion]:
    """The detector as an ONNX graph, or as it is where that fails. Labels do not count the background."""
    family = answers.description.family
    if answers.model is None:
        return Skipped(reason=sentence("own-code-no-graph"))
    if family not in (*_GRAPHS, *_EXPORTED):
        return Done(
            value=_conversion(answers, answers.model, None),
            origin="self-reported",
            findings=(_not_converted(family),),
        )
    mounted = {location: f"data-{number}" for number, (location, _) in enumerate(answers.data)}
    inputs = {mounted[location]: context.store.path(blob) for location, blob in answers.data}
    inputs["model"] = context.store.path(answers.model)
    if weights.hub is not None:
        inputs["weights"] = weights.hub
    request = {"family": family, "data": mounted, "cpus": context.limits.cpus}
    with tempfile.TemporaryDirectory(prefix="harness-convert-detector-") as folder:
        outputs = Path(folder)
        outcome = context.run("convert_detector", request, inputs, outputs)
        if outcome.status != "ok":
            return failed(outcome, "Converting the detector", context.limits)
        try:
            if (reason := refusal(outputs)) is not None:
                raise Rejected(sentence("reply-stopped"), reason)
            reply = read_reply(outputs, "detector-graph.json", DetectorGraphReply)
            graph = _graph(answers.model, reply, outputs, context)
        except Rejected as rejected:
            return Failed(
                status="rejected",
                reason=sentence("job-unusable", what="The detector's conversion", why=rejected),
                detail=rejected.detail,
                usage=usage(outcome),
            )
    return Done(
        value=_conversion(answers, graph, reply),
        origin="self-reported" if family in _RUNS_CODE else "measured-inside",
        findings=_noticed(reply, family),
        usage=usage(outcome),
    )


def _graph(handed_in: Blob, reply: DetectorGraphReply, outputs: Path, context: StageContext) -> Blob:
    """The graph that came, else the file itself. Raises `Rejected` where it was announced and is not there."""
    if reply.native or not reply.changed:
        return handed_in
    if not (outputs / "model.onnx").is_file():
        raise Rejected(sentence("reply-not-sent", name="model.onnx"))
    return context.store.put(outputs / "model.onnx", "model.onnx")


def _conversion(answers: DetectorAnswers, model: Blob, reply: DetectorGraphReply | None) -> Conversion:
    """`reply`: None for a detector that has no graph."""
    described = answers.description
    native = reply is None or bool(reply.native)
    width, height = _size(answers, reply)
    labels = _labels(answers)
    return Conversion(
        model=model,
        native=native,
        environment=answers.environment,
        source_format=described.family,
        layout=reply.layout if reply else "NHWC",
        input_dtype=reply.input_dtype if reply else "float32",
        dynamic_batch=reply.dynamic_batch if reply else False,
        detects=True,
        outputs=len(labels),
        output_kind="probabilities",
        labels=labels,
        preprocess=Preprocess(
            width=width,
            height=height,
            colour=described.colour,
            scale=described.scale,
            mean=described.mean,
            std=described.std,
            resize="stretch",
        ),
        assumed="" if answers.preprocess else in_words(own(described)),
        by_the_run=answers.by_the_run,
        max_abs_difference=None if native or reply is None else reply.max_abs_difference,
        images_compared=reply.images_compared if reply else 0,
        opset=reply.opset if reply else None,
    )


def _size(answers: DetectorAnswers, reply: DetectorGraphReply | None) -> tuple[int, int]:
    """Width and height of the graph's input; a camera's where it takes any."""
    described = answers.description
    width = (reply.width if reply else None) or described.width or _CAMERA[0]
    height = (reply.height if reply else None) or described.height or _CAMERA[1]
    return min(max(width, 8), 2048), min(max(height, 8), 2048)  # as `Preprocess` bounds them


def _labels(answers: DetectorAnswers) -> tuple[str, ...]:
    """What each label of the model is called, without a background; by number where it does not say."""
    described = answers.description
    count = described.labels or max(len(answers.meaning.taken), len(described.names), 1)
    names = described.names if len(described.names) == count else tuple(f"class {index}" for index in range(count))
    return names[1:] if described.background_first and count > 1 else names


def _not_converted(family: str) -> Finding:
    if family in _EXPORTED:
        return finding("model-not-converted", reason=sentence("detector-not-exported"))
    return finding("model-not-converted", reason=sentence("detector-no-graph", format=_CALLED.get(family, family)))


def _noticed(reply: DetectorGraphReply, family: str) -> tuple[Finding, ...]:
    if reply.native == "differs":
        return (finding("conversion-differs", difference=reply.max_abs_difference or 0.0),)
    return (_not_converted(family),) if reply.native else ()


def _convert_detector(request: ConvertDetectorRequest, context: StageContext) -> StageResult[Conversion]:
    return NO_MODEL if request.answers is None else convert_detector(request.answers, request.weights, context)


CONVERT_DETECTOR = Stage("convert", Conversion, _convert_detector, sees_no_secret=True)
