"""TorchScript (`torch.jit.save`): it carries its own code."""

from __future__ import annotations

from pathlib import Path

from ..loaded_model import Context, Native, Unusable
from ..model_file import has_member
from ..torch_models import export_module, native, torch_ready


def matches(file: Path) -> bool:
    return has_member(file, "data.pkl", "constants.pkl")


def load(file: Path, context: Context) -> Native:
    torch = torch_ready(context.threads)
    try:
        script = torch.jit.load(str(file), map_location="cpu")
    except (RuntimeError, ValueError) as error:
        raise Unusable(f"torch.jit.load refuses it: {' '.join(str(error).split())[:200]}") from error
    return native(script.float().eval(), context, size=None)


def to_onnx(native: Native, out: Path) -> None:
    export_module(native, out)
