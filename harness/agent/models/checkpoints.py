"""Finds the model or the state dict in what a file holds: a checkpoint, a dictionary under any key, a wrapper."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from .loaded_model import Unusable
from .unpickling import StandIn, Wrapped, complete, needed

# Where trainers keep the weights: looked at in this order, so that those to be used come before an average of them.
_KEYS = (
    "state_dict", "model_state_dict", "model_state", "model", "net", "network", "weights", "model_weights", "params",
    "module", "ema", "model_ema", "state_dict_ema",
)  # fmt: skip
_OF_TRAINING = re.compile(r"(opt|optim|optimizers?|amp|(grad_)?scaler|(lr_)?schedulers?)(_.*)?")
_DEEPEST = 5  # mappings in mappings
_MOST = 100_000  # entries that are looked at


def model_or_state(loaded: Any) -> Any:
    """The `torch.nn.Module`, its wrappers taken off, or the state dict, name -> tensor, in what was loaded.

    Under the keys that trainers use, else the largest mapping of tensors. Raises `Unusable` when there is neither, or
    when a class of the model is not there.
    """
    import torch

    if isinstance(loaded, StandIn):
        raise Unusable(needed(loaded))
    found = _by_key(torch, loaded, _DEEPEST)
    if found is None:
        largest = max(_states(torch, loaded, _DEEPEST, [_MOST]), key=len, default=None)
        modules = [] if largest else list(_modules(torch, loaded, _DEEPEST, [_MOST]))
        found = largest or (modules[0] if modules else None)
    if found is None:
        absent = sorted(_stand_ins(loaded, _DEEPEST, [_MOST]), key=lambda one: not one.is_module)
        if absent:
            raise Unusable(needed(absent[0]))
        raise Unusable(
            f"the file holds neither a model nor a state dict, but an object of the type {type(loaded).__name__}; save "
            "the whole model as ONNX, or with torch.save(model)"
        )
    if isinstance(found, torch.nn.Module):
        return _without_wrappers(found)
    return found


def _by_key(torch: Any, held: Any, depth: int) -> Any:
    """The module or state dict itself, or the one under a usual key."""
    if isinstance(held, torch.nn.Module):
        return held
    if not isinstance(held, Mapping) or depth == 0 or (isinstance(held, StandIn) and held.is_module):
        return None
    for key in _KEYS:
        if key in held and (found := _by_key(torch, held[key], depth - 1)) is not None:
            return found
    return _state(torch, held)


def _state(torch: Any, held: Any) -> dict[str, Any] | None:
    """The mapping as a state dict: its tensors, if they are most of it."""
    if not isinstance(held, Mapping):
        return None
    tensors = {}
    for name, value in list(held.items())[:_MOST]:
        if isinstance(value, np.ndarray) and value.dtype.kind in "fiub":
            value = torch.from_numpy(value)
        if isinstance(name, str) and isinstance(value, torch.Tensor):
            tensors[name] = value
    return tensors if tensors and 2 * len(tensors) > len(held) else None


def _inside(held: Any) -> Iterator[Any]:
    """What may hold the weights: not a model of a class that is not there, and not what belongs to the training."""
    if isinstance(held, StandIn) and held.is_module:
        return
    if isinstance(held, Mapping):
        # Numbers are the keys of an optimizer's state.
        named = (value for key, value in held.items() if isinstance(key, str) and not _OF_TRAINING.fullmatch(key))
        yield from named
    elif isinstance(held, (list, tuple)):
        yield from held


def _states(torch: Any, held: Any, depth: int, left: list[int]) -> Iterator[dict[str, Any]]:
    """All state dicts inside."""
    left[0] -= 1
    if left[0] < 0:
        return
    if (state := _state(torch, held)) is not None:
        yield state
    elif depth:
        for value in _inside(held):
            yield from _states(torch, value, depth - 1, left)


def _modules(torch: Any, held: Any, depth: int, left: list[int]) -> Iterator[Any]:
    left[0] -= 1
    if isinstance(held, torch.nn.Module) and not isinstance(held, torch.nn.modules.loss._Loss):
        yield held
    elif depth and left[0] > 0 and not isinstance(held, StandIn):
        for value in _inside(held):
            yield from _modules(torch, value, depth - 1, left)


def _stand_ins(held: Any, depth: int, left: list[int]) -> Iterator[StandIn]:
    left[0] -= 1
    if isinstance(held, StandIn):
        yield held
    elif depth and left[0] > 0:
        for value in _inside(held):
            yield from _stand_ins(value, depth - 1, left)


def _without_wrappers(module: Any) -> Any:
    """The module without DataParallel and torch.compile around it or its parts, and ready for this torch.

    Raises `Unusable` when a part is of a class that is not there.
    """
    module = _unwrapped(module)
    open_ends, seen = [module], set()
    while open_ends:
        part = open_ends.pop()
        if id(part) in seen:
            continue
        seen.add(id(part))
        complete(part)
        for name, child in list(part._modules.items()):
            if child is not None:
                part._modules[name] = _unwrapped(child)
                open_ends.append(part._modules[name])
    return module


def _unwrapped(module: Any) -> Any:
    for _ in range(_DEEPEST):
        if isinstance(module, StandIn):
            raise Unusable(needed(module))
        if not isinstance(module, Wrapped):
            break
        module = module.inner
    return module
