"""Times the layers of an ONNX model by ONNX Runtime's own profile, in the sandbox."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from harness.findings import sentence
from harness.inputs.images import StagedImages
from harness.stages.context import Rejected, StageContext, failed, read_reply, reject_refusal, usage
from harness.stages.evidence.conversion import Conversion
from harness.stages.evidence.layers import LayerTime, LayerTimes, OperatorTime
from harness.stages.evidence.stage_result import Done, Failed
from harness.stages.timing_replies import model_request, timed_images

_MOST = 40  # layers and operators, as `harness/agent/timing/layer_profile.py` sends them
_Ms = Annotated[float, Field(ge=0, le=10**7, allow_inf_nan=False)]
_Operator = Annotated[str, Field(max_length=60)]
_Count = Annotated[int, Field(ge=1, le=10**6)]


class _Layer(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = Field(max_length=120)
    operator: _Operator
    ms: _Ms


class _OfOperator(BaseModel):
    model_config = ConfigDict(extra="forbid")

    operator: _Operator
    layers: _Count
    ms: _Ms


class _Reply(BaseModel):
    """layers.json, as `harness/agent/phases/layers.py` sends it."""

    model_config = ConfigDict(extra="forbid")

    queries: int = Field(ge=1, le=1000)
    query_ms: _Ms
    sum_ms: _Ms
    count: _Count
    layers: tuple[_Layer, ...] = Field(min_length=1, max_length=_MOST)
    operators: tuple[_OfOperator, ...] = Field(min_length=1, max_length=_MOST)


def layer_times(
    conversion: Conversion, staged: StagedImages, seconds: float, cores: tuple[int, ...], context: StageContext
) -> Done[LayerTimes] | Failed:
    """The mean time of each layer over `seconds` of queries of one image each, on ONNX Runtime's CPU provider.

    Raises `EngineFailed` when the sandbox engine broke.
    """
    request = {**model_request(conversion), "cores": cores, "seconds": seconds}
    images = {"images": timed_images(staged).material}
    with tempfile.TemporaryDirectory(prefix="harness-layers-") as folder:
        outputs = Path(folder)
        inputs = {"model": context.store.path(conversion.model)}
        outcome = context.run("layers", request, inputs, outputs, images=images, cores=cores)
        if outcome.status != "ok":
            return failed(outcome, "Timing the model's layers", context.limits)
        try:
            reject_refusal(outputs)
            reply = read_reply(outputs, "layers.json", _Reply)
        except Rejected as rejected:
            reason = sentence("layers-not-timed", why=rejected)
            return Failed(status="rejected", reason=reason, detail=rejected.detail, usage=usage(outcome))
    times = LayerTimes(
        queries=reply.queries,
        query_ms=reply.query_ms,
        sum_ms=reply.sum_ms,
        count=reply.count,
        layers=tuple(LayerTime(**one.model_dump()) for one in reply.layers),
        operators=tuple(OperatorTime(**one.model_dump()) for one in reply.operators),
    )
    return Done(value=times, origin="measured-inside", usage=usage(outcome))
