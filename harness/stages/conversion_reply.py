"""What the phase `convert` sends, checked: conversion.json and needs.json, and what they say of outputs and names."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from harness.findings import Finding, finding, one_line
from harness.stages.evidence.conversion import OutputKind, Preprocess

MOST_CHECKED = 16  # images on which ONNX and original are compared
_SETTINGS_NAMED = 3
_Number = Annotated[int, Field(ge=1, le=1000)]


class NeedsReply(BaseModel):
    """needs.json: the environment in which the model can be read."""

    model_config = ConfigDict(extra="forbid")

    environment: Literal["keras"]
    why: str = Field(max_length=300)


class ConversionReply(BaseModel):
    """conversion.json, as `harness/agent/phases/convert` sends it."""

    model_config = ConfigDict(extra="forbid")

    source_format: str = Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")
    layout: Literal["NCHW", "NHWC"]
    input_dtype: Literal["float32", "uint8"]
    outputs: int = Field(ge=1, le=1_000_000)
    output_kind: OutputKind
    within_unit: bool
    one_unit: bool  # it has one output, which stands for two classes
    always_one: bool  # and that is 1 for every image
    output: tuple[_Number, _Number]  # which of how many
    names: tuple[Annotated[str, Field(max_length=200)], ...] = Field(max_length=1000)  # of the classes, in the file
    passed_over: tuple[Annotated[str, Field(max_length=150)], ...] = Field(max_length=20)  # empty settings of layers
    only_original_varies: bool  # a second answer differs, and the ONNX form's does not
    default: Literal["", "torchvision-imagenet", "jetson-inference", "keras-raw", "keras-vgg16-caffe"]
    rule: Preprocess
    images_compared: int = Field(ge=0, le=MOST_CHECKED)
    native: Literal["", "not-converted", "differs"]
    dynamic_batch: bool
    max_abs_difference: float | None = Field(ge=0, le=1)
    opset: int | None = Field(ge=0, le=10_000)

    @model_validator(mode="after")
    def _fits(self) -> ConversionReply:
        if self.one_unit and self.outputs != 2:
            raise ValueError("one unit stands for two classes")
        if self.output[0] > self.output[1]:
            raise ValueError("an output that is not there")
        return self


def names_inside(names: tuple[str, ...], classes: tuple[str, ...]) -> tuple[str, ...]:
    """The names that a model's file holds, as the assignment writes them; empty unless they are its classes.

    `classes`: empty where no assignment names any; then the names stand as they are.
    """
    if not classes:
        return names if len(set(names)) == len(names) and all(name.isprintable() for name in names) else ()
    spelt = {name.strip().casefold(): name for name in classes}
    found = tuple(spelt.get(name.strip().casefold(), "") for name in names)
    return found if sorted(found) == sorted(classes) else ()


def about_outputs(reply: ConversionReply, labels: tuple[str, ...]) -> list[Finding]:
    """Findings on a chosen output, on one unit that stands for the two `labels`, and on settings left out."""
    found = []
    if reply.output[1] > 1:
        number, of = reply.output
        found.append(finding("output-chosen", number=number, of=of, outputs=1 if reply.one_unit else reply.outputs))
    if reply.one_unit:
        first, second = (one_line(name, 60) for name in labels)
        found.append(finding("softmax-of-one-unit" if reply.always_one else "one-unit", first=first, second=second))
    if reply.passed_over:
        found.append(finding("settings-passed-over", settings=", ".join(reply.passed_over[:_SETTINGS_NAMED])))
    return found
