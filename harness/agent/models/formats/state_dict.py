"""A torch state dict, or a checkpoint with one, and model.py with build_model(num_classes)."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..class_names import names_in
from ..loaded_model import Context, Native
from ..model_file import is_plain_state, is_torch_pickle
from ..torch_models import from_state, native, to_onnx, torch_ready

__all__ = ["load", "matches", "to_onnx"]


def matches(file: Path) -> bool:
    return is_torch_pickle(file) and is_plain_state(file)


def load(file: Path, context: Context) -> Native:
    torch = torch_ready(context.threads)
    from ..checkpoints import model_or_state
    from ..unpickling import unpickled

    try:
        loaded = torch.load(file, map_location="cpu", weights_only=True)
    except (RuntimeError, EOFError, OSError, pickle.UnpicklingError):
        loaded = unpickled(file)
    return from_tensors(model_or_state(loaded), context, names_in(loaded))


def from_tensors(state: Mapping[str, Any], context: Context, names: tuple[str, ...]) -> Native:
    """The model of model.py with the state dict loaded."""
    model = from_state(state, context).float().eval()
    return native(model, context, size=None, names=names or names_in(vars(model)))
