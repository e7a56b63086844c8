"""The stage `inspect`: parameters and multiply-adds, and which pre-trained layers were left as they were."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from harness.evidence import (
    Conversion,
    Done,
    Failed,
    Inspection,
    LayerComparison,
    Skipped,
    StageResult,
    Verdict,
)
from harness.findings import Finding, finding
from harness.stages.workplace import Rejected, Workplace, failed, read_reply, usage

# Adam moves a weight by at most about its learning rate in each step, and a backbone's weights are
# about 0.02 to 0.1 in size. Fine-tuning at 1e-5, which the course asks for, moves them in some hundred
# steps by 2 % or less; training at 1e-3 without freezing moves them by tens of percent.
LARGEST_FINE_TUNING = 0.05  # median relative change of the layers

# Two unrelated sets of weights of equal size are 1.4 apart. A layer that stayed recognisable is nearer.
_UNRELATED = 0.9
_FEWEST_LAYERS = 3  # of the model's layers with a counterpart, to recognise a backbone at all


class _Refused(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: str = Field(max_length=4000)


class _Layer(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(max_length=200)
    elements: int = Field(ge=1)
    identical: bool
    relative_change: float | None = Field(ge=0, allow_inf_nan=False)


class _Reply(BaseModel):
    """inspection.json, as `harness/agent/inspect.py` sends it."""

    model_config = ConfigDict(extra="forbid")

    parameters: int = Field(ge=0, le=2**40)
    multiply_adds: int = Field(ge=0, le=2**53)
    uncounted: tuple[Annotated[str, Field(max_length=60)], ...] = Field(max_length=50)
    weights_fingerprint: str = Field("", pattern=r"^([0-9a-f]{64})?$")
    backbones: dict[str, Annotated[tuple[_Layer, ...], Field(max_length=5000)]]


def inspect(conversion: Conversion, backbones: Mapping[str, Path], workplace: Workplace) -> StageResult[Inspection]:
    """What the model's ONNX graph holds, compared with pre-trained backbones.

    `backbones`: name -> .pth or .safetensors file with a state dict.
    """
    if conversion.native:
        return Skipped(reason="The model runs as it is, not as ONNX, so its graph cannot be looked at.")
    mounted = {name: f"backbone-{index}{file.suffix}" for index, (name, file) in enumerate(backbones.items())}
    inputs = {"model": workplace.store.path(conversion.model)}
    inputs |= {mounted[name]: file for name, file in backbones.items()}
    rule = conversion.preprocess
    request = {"height": rule.height, "width": rule.width, "backbones": mounted}
    with tempfile.TemporaryDirectory(prefix="harness-inspect-") as folder:
        outputs = Path(folder)
        outcome = workplace.run("inspect", request, inputs, outputs)
        if outcome.status != "ok":
            return failed(outcome, "Looking into the model", workplace.limits)
        try:
            if (outputs / "refused.json").is_file():
                raise Rejected(read_reply(outputs, "refused.json", _Refused).reason)
            reply = read_reply(outputs, "inspection.json", _Reply)
        except Rejected as rejected:
            return Failed(
                status="rejected",
                reason=f"The model cannot be looked into: {rejected}.",
                usage=usage(outcome),
            )
    known = {name: layers for name, layers in reply.backbones.items() if name in backbones}
    value = _judged(reply, known, conversion.model.bytes)
    return Done(value=value, findings=_noticed(value), usage=usage(outcome))


def _judged(reply: _Reply, backbones: Mapping[str, Sequence[_Layer]], file_bytes: int) -> Inspection:
    recognised = {name: layers for name, layers in backbones.items() if _is_recognisable(layers)}
    best = max(recognised, key=lambda name: _closeness(recognised[name]), default=None)
    layers = recognised[best] if best is not None else ()
    verdict: Verdict
    if not backbones:
        verdict = "unknown"
    elif best is None:
        verdict = "from-scratch"
    else:
        verdict = "feature-extraction" if all(x.identical for x in _found(layers)) else "fine-tuned"
    return Inspection(
        parameters=reply.parameters,
        multiply_adds=reply.multiply_adds,
        file_bytes=file_bytes,
        uncounted_operators=reply.uncounted,
        weights_fingerprint=reply.weights_fingerprint,
        verdict=verdict,
        backbone=best,
        layers=tuple(
            LayerComparison(name=x.name, identical=x.identical, relative_change=x.relative_change) for x in layers
        ),
        median_change=median(_changes(layers)) if layers else None,
    )


def _found(layers: Sequence[_Layer]) -> list[_Layer]:
    """The layers for which the model has a tensor of the same size; it may end before the backbone does."""
    return [layer for layer in layers if layer.relative_change is not None]


def _changes(layers: Sequence[_Layer]) -> list[float]:
    return [layer.relative_change for layer in layers if layer.relative_change is not None]


def _is_recognisable(layers: Sequence[_Layer]) -> bool:
    changes = _changes(layers)
    if sum(layer.identical for layer in layers) >= _FEWEST_LAYERS:
        return True
    return len(changes) >= max(_FEWEST_LAYERS, len(layers) // 4) and median(changes) <= _UNRELATED


def _closeness(layers: Sequence[_Layer]) -> float:
    """The share of the backbone's weights that the model has, each weighed by how near it is."""
    total = sum(layer.elements for layer in layers)
    near = sum(x.elements * max(0.0, 1.0 - x.relative_change) for x in layers if x.relative_change is not None)
    return near / total if total else 0.0


def _noticed(value: Inspection) -> tuple[Finding, ...]:
    found = []
    if value.uncounted_operators:
        found.append(finding("unknown-operators", names=", ".join(value.uncounted_operators)))
    if value.verdict == "from-scratch":
        found.append(finding("trained-from-scratch"))
    moved = value.median_change
    if value.layers and value.frozen_layers == 0 and moved is not None and moved > LARGEST_FINE_TUNING:
        found.append(finding("no-layer-frozen", layers=len(value.layers), backbone=value.backbone, moved=moved))
    return tuple(found)
