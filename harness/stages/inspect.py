"""The stage `inspect`: parameters and multiply-adds, and which pre-trained layers were left as they were.

It says what the weights show. The verdict also needs the score: `harness/stages/transfer_verdict.py`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from harness.findings import sentence
from harness.inputs.given_weights import KnownBackbones
from harness.inputs.images import StagedImages, drawn_from, sample
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
from harness.stages.evidence.inspection import (
    FEWEST_BESIDE,
    LEAST_REUSED,
    Inspection,
    LayerComparison,
    Rounding,
    UseDoubt,
    WeightsSay,
)
from harness.stages.evidence.record import Blob
from harness.stages.evidence.stage_result import NO_MODEL, Done, Failed, Skipped, StageResult
from harness.stages.inspection_findings import noticed
from harness.stages.predict import model_request
from harness.stages.stage import Stage

_IMAGES = 6  # on which the answers with and without the backbone are compared
_LARGEST_FINAL_LAYER = 2**18  # numbers, as harness/agent/graph/final_layer.py sends
_FEWEST_LAYERS = 3  # of the model's layers with a counterpart, to recognise a backbone at all
_UNCLEAR = 0.25  # share of the layers that may be rounded or emptied beyond recognition
_MOST_ZEROS = 0.9  # of a backbone's weights; from less nothing follows

# Formats that are loaded by running what the student wrote.
_RUNS_CODE = ("state_dict", "safetensors", "whole_module", "torch_module")
# Of these, detectors whose own code gives the boxes that are graded: their graph is only what that code wrote.
_GRADED_AS_CODE = ("torch_module",)

# A network that was pre-trained on something that we do not know is not one that was trained from scratch. Weights
# drawn at random use all inputs alike (1.0), and 51 photographs change that little; ImageNet leaves 1.9
# (MobileNetV2) to 10 (VGG16). Networks as small as those that students make up are never pre-trained ones.
_PRETRAINED_STRUCTURE = 1.4
_SMALLEST_PRETRAINED = 8  # convolutions


# A closed list: the student reads it, and a process that runs his code could send any text.
_Initialisation = Literal[
    "", "one number throughout", "torch's Linear", "Keras' Dense (Glorot uniform)", "He uniform", "He normal",
    "Glorot normal", "normal, 0.01", "normal, 0.02",
]  # fmt: skip


class _Layer(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(max_length=200)
    elements: int = Field(ge=1)
    identical: bool
    relative_change: float | None = Field(ge=0, allow_inf_nan=False)
    form: Rounding
    zeros: float = Field(ge=0, le=1, allow_inf_nan=False)
    clear: bool


class _Backbone(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    layers: Annotated[tuple[_Layer, ...], Field(max_length=5000)]
    untouched_parameters: int = Field(ge=0, le=2**40)
    new_parameters: int = Field(ge=0, le=2**40)
    new_layers: int = Field(ge=0, le=2**31)
    beside_layers: int = Field(ge=0, le=2**31)
    beside_parameters: int = Field(ge=0, le=2**40)
    normalisations: int = Field(ge=0, le=2**31)
    moved_normalisations: int = Field(ge=0, le=2**31)
    used: bool | None
    why_unused: UseDoubt = ""

    @model_validator(mode="after")
    def _says_why(self) -> _Backbone:
        if self.used is False and not self.why_unused:
            raise ValueError("it is not used, and there is no reason why")
        return self


class _Reply(BaseModel):
    """inspection.json, as `harness/agent/phases/inspect.py` sends it."""

    model_config = ConfigDict(extra="forbid")

    parameters: int = Field(ge=0, le=2**40)
    multiply_adds: int | None = Field(ge=0, le=2**53)
    uncounted: tuple[Annotated[str, Field(max_length=60)], ...] = Field(max_length=50)
    weights_fingerprint: str = Field("", pattern=r"^([0-9a-f]{64})?$")
    unread_layers: int = Field(0, ge=0, le=2**31)
    weight_tensors: int = Field(ge=0, le=2**31)
    convolutions: int = Field(ge=0, le=2**31)
    structure: float | None = Field(ge=0, allow_inf_nan=False)
    head_initialised_as: _Initialisation
    scales_its_input: bool
    final_layer: tuple[Annotated[int, Field(ge=2, le=1000)], Annotated[int, Field(ge=1, le=2**18)]] | None = None
    backbones: dict[str, _Backbone]


def inspect(
    conversion: Conversion,
    backbones: Mapping[str, Path],
    staged: StagedImages,
    classes: int,
    context: StageContext,
) -> StageResult[Inspection]:
    """What the model holds, compared with pre-trained backbones, and whether its answers rest on them.

    `backbones`: name -> .pth or .safetensors file with a state dict. A few of the `staged` images are
    answered with and without the backbone. What a model that runs as it is says of itself is self-reported.
    """
    mounted = {name: f"backbone-{index}{file.suffix}" for index, (name, file) in enumerate(backbones.items())}
    request, inputs = model_request(conversion, context)
    inputs |= {mounted[name]: file for name, file in backbones.items()}
    request |= {"backbones": mounted, "detects": conversion.detects}
    # A model that runs as it is answers nothing here: it gets no images.
    chosen = () if conversion.native else sample(staged, _IMAGES)
    with tempfile.TemporaryDirectory(prefix="harness-inspect-") as folder:
        outputs = Path(folder)
        outcome = context.run("inspect", request, inputs, outputs, images={"images": drawn_from(staged, chosen)})
        if outcome.status != "ok":
            return failed(outcome, "Looking into the model", context.limits)
        try:
            reject_refusal(outputs)
            reply = read_reply(outputs, "inspection.json", _Reply)
            final_layer = _final_layer(reply, outputs, conversion, context)
        except Rejected as rejected:
            return Failed(
                status="rejected",
                reason=sentence("not-looked-into", why=rejected),
                detail=rejected.detail,
                usage=usage(outcome),
            )
    value = _judged(reply, set(backbones), conversion, classes).model_copy(update={"final_layer": final_layer})
    return Done(
        value=value,
        origin="self-reported" if _speaks_for_itself(conversion) else "measured-inside",
        findings=noticed(value),
        usage=usage(outcome),
    )


def _speaks_for_itself(conversion: Conversion) -> bool:
    """Whether the student's code says what the model is made of; else that is read in the ONNX graph that is graded."""
    return conversion.native or conversion.source_format in _GRADED_AS_CODE


def _final_layer(reply: _Reply, outputs: Path, conversion: Conversion, context: StageContext) -> Blob | None:
    """The final layer, kept for the comparison with other submissions; None of a model that speaks for itself."""
    if reply.final_layer is None or conversion.native:
        return None
    weights = read_array(outputs, "final_layer.npy", reply.final_layer)
    if weights.size > _LARGEST_FINAL_LAYER or not np.isfinite(weights).all():
        raise Rejected(sentence("array-too-large-or-no-numbers", name="final_layer.npy"))
    np.save(outputs / "final-layer-kept.npy", weights, allow_pickle=False)
    return context.store.put(outputs / "final-layer-kept.npy", "final_layer.npy")


def _judged(reply: _Reply, asked: set[str], conversion: Conversion, classes: int) -> Inspection:
    recognised = {n: b for n, b in reply.backbones.items() if n in asked and _is_recognisable(b.layers)}
    in_use = {name: found for name, found in recognised.items() if found.used is not False}
    best = max(in_use or recognised, key=lambda name: _closeness(recognised[name].layers), default=None)
    found = recognised[best] if best is not None else None
    layers = found.layers if found else ()
    moved = [index for index, layer in enumerate(layers, 1) if layer.relative_change and not layer.identical]
    counts = found is not None and found.used is not False
    frozen = [layer for layer in layers if layer.identical] if counts else []
    return Inspection(
        total_parameters=reply.parameters,
        trainable_parameters=max(0, reply.parameters - (found.untouched_parameters if found and counts else 0)),
        multiply_adds=reply.multiply_adds,
        file_bytes=conversion.model.bytes,
        uncounted_operators=reply.uncounted,
        weights_fingerprint=reply.weights_fingerprint,
        weights_say=_weights_say(reply, found, asked, conversion.native),
        self_reported=conversion.native or conversion.source_format in _RUNS_CODE,
        backbone=best,
        frozen_layers=len(frozen),
        moved_layers=len(moved) if counts else 0,
        new_layers=found.new_layers if found and counts else reply.weight_tensors,
        first_moved_layer=moved[0] if moved and counts else None,
        layers=tuple(
            LayerComparison(
                name=x.name,
                identical=x.identical,
                relative_change=x.relative_change,
                rounding=x.form,
                zeros=x.zeros,
                clear=x.clear,
            )
            for x in layers
        ),
        weights_used=found.used if found else None,
        why_unused=found.why_unused if found else "",
        outputs=conversion.outputs,
        outputs_fit=conversion.outputs == classes,
        head_initialised_as=reply.head_initialised_as,
        scales_its_input=reply.scales_its_input,
        median_change=median(_changes(layers)) if layers else None,
        reused_layers=len(_found(layers)) if counts else 0,
        quantised_layers=sum(layer.form == "quantised" for layer in frozen),
        half_layers=sum(layer.form == "half" for layer in frozen),
        zeros=_zeros(frozen),
        new_parameters=min(found.new_parameters, reply.parameters) if found and counts else None,
        beside_layers=found.beside_layers if found and counts else 0,
        beside_parameters=found.beside_parameters if found and counts else 0,
        normalisations=found.normalisations if found and counts else 0,
        moved_normalisations=found.moved_normalisations if found and counts else 0,
    )


def _weights_say(reply: _Reply, found: _Backbone | None, asked: set[str], native: bool) -> WeightsSay:
    if found is not None and found.used is not False:
        if found.used is None and not native:
            shared = found.why_unused == "shared" and found.beside_layers >= FEWEST_BESIDE
            return "mixed" if shared else "unknown"
        return _of_used(found)
    if found is None and (not asked or _from_elsewhere(reply)):
        return "unknown"
    return "from-scratch"


def _of_used(found: _Backbone) -> WeightsSay:
    """What the weights show of a backbone on which the answers rest."""
    layers = _found(found.layers)
    if found.beside_layers >= FEWEST_BESIDE:
        return "mixed"
    if sum(not x.clear for x in layers) > _UNCLEAR * len(layers) or _zeros(layers) > _MOST_ZEROS:
        return "unknown"
    if len(layers) < LEAST_REUSED * len(found.layers):
        return "little-reused"
    return "feature-extraction" if all(x.identical or not x.clear for x in layers) else "fine-tuned"


def _zeros(layers: Sequence[_Layer]) -> float:
    """The share of the layers' weights that were set to zero."""
    return sum(x.zeros * x.elements for x in layers) / max(1, sum(x.elements for x in layers))


def _from_elsewhere(reply: _Reply) -> bool:
    """Whether the weights look pre-trained, on something that is not known here, or cannot be read."""
    if reply.unread_layers >= _FEWEST_LAYERS:
        return True
    if reply.convolutions < _SMALLEST_PRETRAINED:
        return False
    return reply.structure is None or reply.structure >= _PRETRAINED_STRUCTURE


def _found(layers: Sequence[_Layer]) -> list[_Layer]:
    """The layers for which the model has a tensor; it may end before the backbone does."""
    return [layer for layer in layers if layer.relative_change is not None]


def _changes(layers: Sequence[_Layer]) -> list[float]:
    return [layer.relative_change for layer in layers if layer.relative_change is not None]


def _is_recognisable(layers: Sequence[_Layer]) -> bool:
    if sum(layer.identical for layer in layers) >= _FEWEST_LAYERS:
        return True
    return len(_changes(layers)) >= max(_FEWEST_LAYERS, len(layers) // 4)


def _closeness(layers: Sequence[_Layer]) -> float:
    """The share of the backbone's weights that the model has, each weighed by how near it is."""
    total = sum(layer.elements for layer in layers)
    near = sum(x.elements * max(0.0, 1.0 - x.relative_change) for x in layers if x.relative_change is not None)
    return near / total if total else 0.0


@dataclass(frozen=True, slots=True)
class InspectRequest:
    """A model, the backbones that it may rest on, and images to try that with."""

    conversion: Conversion | None
    known: KnownBackbones
    staged: StagedImages
    classes: int


def _inspect(request: InspectRequest, context: StageContext) -> StageResult[Inspection]:
    if request.conversion is None:
        return NO_MODEL
    if request.conversion.detects and request.conversion.native:
        return Skipped(reason=sentence("native-not-looked-into"))
    return inspect(request.conversion, request.known.files, request.staged, request.classes, context)


INSPECT = Stage("inspect", Inspection, _inspect)
