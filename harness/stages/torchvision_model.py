"""Exports one of torchvision's classifiers to ONNX, in the sandbox, whose software has torch."""

from __future__ import annotations

import tempfile
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from harness.errors import MachineError, UsageError
from harness.stages.context import Rejected, StageContext, failed, read_reply
from harness.stages.evidence.record import Blob

_EXTRA = "pip install 'transfer-harness[torch]', or export the model elsewhere and give the .onnx file"


class _Refused(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: str = Field(max_length=4000)
    not_here: bool  # torch or torchvision is not installed


def export_torchvision(name: str, side: int, weights: Path | None, file_name: str, context: StageContext) -> Blob:
    """The classifier `name` for images of `side` x `side` pixels, as an ONNX file in the store.

    `weights`: the file that torchvision publishes as `file_name`; None for random weights, the same in every run.
    Raises `UsageError` for a name or side that torchvision refuses, and `MachineError` where torch is not installed.
    """
    inputs = {"weights": weights} if weights is not None else {}
    with tempfile.TemporaryDirectory(prefix="harness-torchvision-") as folder:
        outputs = Path(folder)
        request = {"name": name, "side": side, "weights": file_name if weights is not None else None}
        outcome = context.run("torchvision_model", request, inputs, outputs)
        asked = f"torchvision:{name}"
        if outcome.status != "ok":
            raise MachineError(failed(outcome, f"Exporting {asked}", context.limits).whole_reason, _EXTRA)
        if (outputs / "refused.json").is_file():
            try:
                refused = read_reply(outputs, "refused.json", _Refused)
            except Rejected as rejected:
                raise MachineError(f"{asked}: {rejected.whole}", _EXTRA) from rejected
            if refused.not_here:
                raise MachineError(f"{asked}: {refused.reason}", _EXTRA)
            raise UsageError(f"{asked}: {refused.reason}", "take another name or another --input")
        if not (outputs / "model.onnx").is_file():
            raise MachineError(f"{asked}: the export sent no model", _EXTRA)
        return context.store.put(outputs / "model.onnx", "model.onnx")
