"""Weights as safetensors, and model.py with build_model(num_classes)."""

from __future__ import annotations

from pathlib import Path

from ..class_names import names_in
from ..loaded_model import Context, Native, Unusable
from ..model_file import is_safetensors
from ..torch_models import from_state, native, to_onnx

__all__ = ["load", "matches", "to_onnx"]


def matches(file: Path) -> bool:
    return is_safetensors(file)


def load(file: Path, context: Context) -> Native:
    from safetensors import SafetensorError, safe_open
    from safetensors.torch import load_file

    try:
        tensors = load_file(file)
        with safe_open(file, framework="pt") as opened:
            names = names_in(opened.metadata())
    except SafetensorError as error:
        raise Unusable("the safetensors file is cut off or damaged; save or upload it again") from error
    return native(from_state(tensors, context).float().eval(), context, size=None, names=names)
