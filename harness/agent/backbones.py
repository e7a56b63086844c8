"""How far a model's weights are from a pre-trained backbone's, whatever the exporter made of them.

Exporters rename tensors, permute their axes (Keras: HWIO, ONNX: OIHW), move them into `Constant` nodes
and multiply BatchNorm into the convolution before it. So names say nothing: each pre-trained tensor is
compared with every tensor of the model that has its sides in any order, and a factor for each output
channel, which is what a folded BatchNorm leaves, counts as no change.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

# The ImageNet classifier, by the first part of its name in torchvision's, timm's and Keras' weights.
_CLASSIFIERS = ("classifier", "fc", "head", "heads", "predictions", "top", "AuxLogits", "aux1", "aux2")
_SAMPLED = 4096  # numbers of a tensor that are looked at to find its counterpart
_BEST = 3  # counterparts that are then compared in full
_FOLD = 1e-6  # relative; float32 rounding of weight * gamma / sqrt(var + eps) stays below 2e-7


@dataclass(frozen=True, slots=True)
class Layer:
    """One pre-trained layer: whether the model has it unchanged, else how far its nearest tensor is."""

    name: str
    elements: int
    identical: bool
    relative_change: float | None  # |w - w0| / |w0|; None when the model has no tensor of its size


def load(file: Path) -> dict[str, Floats]:
    """The weights of a backbone's convolutions and inner linear layers, in the file's order."""
    tensors: Mapping[str, Any]
    if file.suffix == ".safetensors":
        from safetensors.numpy import load_file

        tensors = load_file(file)
    elif file.suffix == ".h5":
        tensors = _keras(file)
    else:
        import torch

        tensors = torch.load(file, map_location="cpu", weights_only=True)  # no mmap: older files cannot
    return {
        name.removesuffix(".weight"): np.asarray(tensor, dtype=np.float32)
        for name, tensor in tensors.items()
        if tensor.ndim in (2, 4) and name.split(".")[0] not in _CLASSIFIERS
    }


def _keras(file: Path) -> dict[str, Floats]:
    """The kernels of a Keras file of weights, in torch's order of axes."""
    import h5py

    found: dict[str, Floats] = {}
    with h5py.File(file, "r") as stored:
        root = stored.get("model_weights", stored)
        for layer in map(_text, root.attrs["layer_names"]):
            for name in map(_text, root[layer].attrs["weight_names"]):
                kernel = np.asarray(root[layer][name], dtype=np.float32)
                if kernel.ndim == 4:  # HWIO; a depthwise one has its channels third
                    found[layer] = kernel.transpose((2, 3, 0, 1) if "depthwise" in name else (3, 2, 0, 1))
                elif kernel.ndim == 2:
                    found[layer] = kernel
    return found


def _text(name: str | bytes) -> str:
    return name.decode() if isinstance(name, bytes) else name


def compare(backbone: Mapping[str, Floats], weights: Mapping[str, NDArray[Any]]) -> list[Layer]:
    """Each layer of the backbone against the model's weights."""
    by_sides: dict[tuple[int, ...], list[NDArray[Any]]] = {}
    for tensor in weights.values():
        if tensor.ndim in (2, 4):
            by_sides.setdefault(tuple(sorted(tensor.shape)), []).append(tensor)
    return [
        _nearest(name, original, by_sides.get(tuple(sorted(original.shape)), [])) for name, original in backbone.items()
    ]


def _nearest(name: str, original: Floats, candidates: list[NDArray[Any]]) -> Layer:
    views = [view for candidate in candidates for view in _views(candidate, original.shape)]
    if not views:
        return Layer(name, original.size, False, None)
    chosen = np.random.default_rng(0).permutation(original.size)[:_SAMPLED]
    where = np.unravel_index(chosen, original.shape)
    seen = original[where]
    ranked = sorted(views, key=lambda view: -_cosine(seen, view[where]))
    changes = [_change(original, np.asarray(view, np.float32)) for view in ranked[:_BEST]]
    nearest = min(changes)
    return Layer(name, original.size, nearest == 0.0, nearest)


def _views(tensor: NDArray[Any], shape: tuple[int, ...]) -> list[NDArray[Any]]:
    """The tensor with its axes in every order that gives `shape`."""
    orders = permutations(range(tensor.ndim))
    return [tensor.transpose(order) for order in orders if tuple(tensor.shape[axis] for axis in order) == shape]


def _cosine(one: NDArray[Any], other: NDArray[Any]) -> float:
    a, b = one.astype(np.float64), other.astype(np.float64)
    norms = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / norms if norms else 0.0


def _change(original: Floats, found: Floats) -> float:
    """|w - w0| / |w0|, or the same with the best factor for each output channel; 0 for a folded one."""
    if np.array_equal(original, found):
        return 0.0
    w0 = original.reshape(len(original), -1).astype(np.float64)
    w = found.reshape(len(found), -1).astype(np.float64)
    if not np.isfinite(w).all():
        return float("inf")
    direct = _relative(w, w0)
    squares = (w0 * w0).sum(axis=1, keepdims=True)
    factors = np.divide((w * w0).sum(axis=1, keepdims=True), squares, where=squares > 0, out=squares * 0)
    folded = _relative(w, factors * w0)
    return 0.0 if folded <= _FOLD else min(direct, folded)


def _relative(w: NDArray[np.float64], w0: NDArray[np.float64]) -> float:
    size = float(np.linalg.norm(w0))
    return float(np.linalg.norm(w - w0)) / size if size else float("inf")
