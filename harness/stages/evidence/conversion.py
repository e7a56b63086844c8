"""The stage `convert`: a converted model, and its pre-processing."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from harness.inputs.environment_names import EnvironmentName
from harness.stages.evidence.record import Blob, Record

Guess = Literal["preprocessing", "labels"]
# Of a model's rows. `one-logit`: one unit for two classes, a logit of the second.
OutputKind = Literal["probabilities", "logits", "one-logit"]
Precision = Literal["fp32", "fp16", "int8"]  # of weights and arithmetic


class Preprocess(Record):
    """From an image to the model's input: x = (pixel * scale - mean) / std, channel by channel.

    `pixel` is 0..255, `mean` and `std` are in the order of `colour`. `resize`: `stretch` ignores the
    aspect ratio; `shorter-side-crop` scales the shorter side to size / crop_fraction and cuts the centre.
    """

    width: int = Field(ge=8, le=2048)
    height: int = Field(ge=8, le=2048)
    colour: Literal["RGB", "BGR"]
    scale: float
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    resize: Literal["stretch", "shorter-side-crop"]
    crop_fraction: float = Field(default=1.0, gt=0.0, le=1.0)


class Conversion(Record):
    """A model as ONNX or, if conversion fails, in its own format."""

    model: Blob  # the ONNX file, or the file handed in when `native`
    factory: Blob | None = None  # model.py, when `native` and needed
    native: bool
    environment: EnvironmentName = "torch"  # that reads it, and runs it when `native`
    source_format: str  # the name of the format's module in agent/models/formats
    layout: Literal["NCHW", "NHWC"]
    input_dtype: Literal["float32", "uint8"]
    dynamic_batch: bool
    outputs: int  # number of classes that the model distinguishes
    output_kind: OutputKind
    detects: bool = False  # whether it gives boxes; `outputs` then does not count a background
    labels: tuple[str, ...]
    preprocess: Preprocess
    assumed: str = ""  # which pre-processing was assumed, or measured to fit; empty when it was declared
    by_the_run: bool = False  # made by the notebook's run, not handed in
    guessed: tuple[Guess, ...] = ()  # what is not declared, so that it was assumed or measured
    unsettled: bool = False  # whether something guessed matters, and training images did not show what it is
    max_abs_difference: float | None  # of the probabilities, ONNX against the original; None when native
    images_compared: int
    opset: int | None = None
