"""A torch state dict, or a checkpoint with one, and model.py with build_model(num_classes)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..loaded_model import Context, Native, Unusable
from ..model_file import is_plain_state, is_torch_pickle
from ..torch_models import from_state, native, to_onnx, torch_ready, unwrapped

__all__ = ["load", "matches", "to_onnx"]


def matches(file: Path) -> bool:
    return is_torch_pickle(file) and is_plain_state(file)


def load(file: Path, context: Context) -> Native:
    torch = torch_ready(context.threads)
    try:
        loaded = torch.load(file, map_location="cpu", weights_only=True)
    except (RuntimeError, EOFError, OSError) as error:
        raise Unusable(f"the file is cut off or damaged ({str(error)[:150]}); save it again") from error
    return from_tensors(unwrapped(loaded), context)


def from_tensors(state: Any, context: Context) -> Native:
    """The model of model.py with the state dict loaded. Raises `Unusable` when `state` is not a state dict."""
    if not isinstance(state, Mapping) or not state or not all(hasattr(v, "shape") for v in state.values()):
        raise Unusable(f"the file holds a {type(state).__name__}, neither a model nor a state dict")
    model = from_state(state, context).float().eval()
    return native(model, context, size=None)
