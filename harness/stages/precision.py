"""The stage `precision`: a converted model in half precision or 8 bits, then predicted and timed like any other."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Literal

from harness.findings import sentence
from harness.inputs.images import StagedImages, drawn_from
from harness.stages.context import Rejected, StageContext, failed, reject_refusal, usage
from harness.stages.evidence.conversion import Conversion
from harness.stages.evidence.stage_result import Done, Failed, StageResult


def in_precision(
    conversion: Conversion, precision: Literal["fp16", "int8"], calibration: StagedImages | None, context: StageContext
) -> StageResult[Conversion]:
    """The conversion with the model in half precision, or quantised with the images of `calibration`.

    `calibration` is needed for int8. Labels and pre-processing do not change.
    """
    request = {
        "precision": precision,
        "layout": conversion.layout,
        "input_dtype": conversion.input_dtype,
        "rule": conversion.preprocess.model_dump(),
    }
    inputs = {"model": context.store.path(conversion.model)}
    material = {"calibration": drawn_from(calibration)} if calibration is not None else None
    with tempfile.TemporaryDirectory(prefix="harness-precision-") as folder:
        outputs = Path(folder)
        outcome = context.run("precision", request, inputs, outputs, images=material)
        if outcome.status != "ok":
            return failed(outcome, f"The conversion to {precision}", context.limits)
        try:
            reject_refusal(outputs)
            if not (outputs / "model.onnx").is_file():
                raise Rejected(sentence("reply-not-sent", name="model.onnx"))
        except Rejected as rejected:
            reason = sentence("not-in-precision", precision=precision, why=rejected)
            return Failed(status="rejected", reason=reason, detail=rejected.detail, usage=usage(outcome))
        model = context.store.put(outputs / "model.onnx", f"model-{precision}.onnx")
    return Done(value=conversion.model_copy(update={"model": model}), usage=usage(outcome))
