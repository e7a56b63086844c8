"""Lists the kernels of an ONNX model, in the sandbox."""

from __future__ import annotations

import tempfile
from pathlib import Path

from harness.findings import sentence
from harness.stages.context import (
    Rejected,
    StageContext,
    failed,
    read_reply,
    reject_refusal,
    usage,
)
from harness.stages.evidence.kernels import KernelList
from harness.stages.evidence.stage_result import Done, Failed


def kernels(model: Path, height: int, width: int, context: StageContext) -> Done[KernelList] | Failed:
    """The model as an engine runs it. `height` and `width` are used if its input size is free."""
    with tempfile.TemporaryDirectory(prefix="harness-kernels-") as folder:
        outputs = Path(folder)
        request = {"height": height, "width": width}
        outcome = context.run("kernels", request, {"model": model}, outputs)
        if outcome.status != "ok":
            return failed(outcome, "Listing the model's kernels", context.limits)
        try:
            reject_refusal(outputs)
            listed = read_reply(outputs, "kernels.json", KernelList)
            return Done(value=listed, origin="measured-inside", usage=usage(outcome))
        except Rejected as rejected:
            reason = sentence("kernels-not-listed", why=rejected.whole)
            return Failed(status="rejected", reason=reason, usage=usage(outcome))
