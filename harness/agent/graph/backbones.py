"""How far a model's weights are from a pre-trained backbone's, in whatever form the exporter wrote them.

Exporters rename tensors, permute their axes (Keras: HWIO, ONNX: OIHW), move them into `Constant` nodes
and multiply BatchNorm into the convolution before it. So names are ignored: each pre-trained tensor is
compared with every tensor of the model that has its dimensions in any order. A factor for each output
channel, which a folded BatchNorm leaves, counts as no change. A tensor of the model is the counterpart of
one layer only.
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

# First parts of the ImageNet classifier's name in torchvision's, timm's and Keras' weights.
_CLASSIFIERS = ("classifier", "fc", "head", "heads", "predictions", "top", "AuxLogits", "aux1", "aux2")
_CHANNELS, _ENTRIES = 32, 256  # of a tensor that are compared to find its counterpart
_FOLD = 1e-6  # relative; float32 rounding of weight * gamma / sqrt(var + eps) stays below 2e-7
_FOLDED_VECTOR = 1e-4  # relative; sums and square roots are rounded in another order
_EPSILONS = (1e-5, 1e-3)  # of BatchNorm, in torch and in Keras
_UNRELATED = 0.9  # two unrelated sets of weights of equal size are 1.4 apart


@dataclass(frozen=True, slots=True)
class Backbone:
    """Pre-trained weights: layers and vectors, in the file's order.

    `vectors`: biases, BatchNorm's numbers, and what a folded BatchNorm makes of them.
    """

    layers: dict[str, Floats]
    vectors: tuple[Floats, ...]


@dataclass(frozen=True, slots=True)
class Layer:
    """One pre-trained layer: whether the model has it unchanged, else how much its counterpart changed."""

    name: str
    elements: int
    identical: bool
    relative_change: float | None  # |w - w0| / |w0|; None when the model has no counterpart
    counterpart: str | None = None  # the tensor's name in the model


def load(file: Path) -> Backbone:
    """The weights of a backbone's convolutions and inner linear layers, without the classifier."""
    tensors: Mapping[str, Any]
    if file.suffix == ".safetensors":
        from safetensors.numpy import load_file

        tensors = load_file(file)
    elif file.suffix == ".h5":
        tensors = _keras(file)
    else:
        import torch

        tensors = torch.load(file, map_location="cpu", weights_only=True)  # older files do not support mmap
    kept = {
        name: np.asarray(tensor, dtype=np.float32)
        for name, tensor in tensors.items()
        if name.split(".")[0] not in _CLASSIFIERS
    }
    layers = {name.removesuffix(".weight"): tensor for name, tensor in kept.items() if tensor.ndim in (2, 4)}
    vectors = {name: tensor for name, tensor in kept.items() if tensor.ndim == 1}
    return Backbone(layers, (*vectors.values(), *_folded(vectors)))


def _keras(file: Path) -> dict[str, Floats]:
    """The kernels of a Keras file of weights, in torch's order of axes."""
    import h5py

    found: dict[str, Floats] = {}
    with h5py.File(file, "r") as stored:
        root = stored.get("model_weights", stored)
        for layer in map(_text, root.attrs["layer_names"]):
            for name in map(_text, root[layer].attrs["weight_names"]):
                kernel = np.asarray(root[layer][name], dtype=np.float32)
                if kernel.ndim == 4:  # HWIO; a depthwise kernel has its channels in the third place
                    found[layer] = kernel.transpose((2, 3, 0, 1) if "depthwise" in name else (3, 2, 0, 1))
                elif kernel.ndim == 2:
                    found[layer] = kernel
                elif kernel.ndim == 1:
                    found[f"{layer}.{_VECTORS.get(name.split('/')[-1].partition(':')[0], 'bias')}"] = kernel
    return found


_VECTORS = {  # Keras' names, and torch's
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
}


def _text(name: str | bytes) -> str:
    return name.decode() if isinstance(name, bytes) else name


def _folded(vectors: Mapping[str, Floats]) -> list[Floats]:
    """Factor and bias of every BatchNorm, as exporters compute them."""
    found = []
    for name, variance in vectors.items():
        stem = name.removesuffix("running_var")
        if stem == name:
            continue
        for epsilon in _EPSILONS:
            factor = vectors[f"{stem}weight"] / np.sqrt(variance + np.float32(epsilon))
            found += [factor, vectors[f"{stem}bias"] - vectors[f"{stem}running_mean"] * factor]
    return found


def compare(layers: Mapping[str, Floats], weights: Mapping[str, NDArray[Any]]) -> list[Layer]:
    """Each layer of a backbone against the model's weights, nearest pairs first."""
    by_sides: dict[tuple[int, ...], list[str]] = {}
    for name, tensor in weights.items():
        if tensor.ndim in (2, 4):
            by_sides.setdefault(tuple(sorted(tensor.shape)), []).append(name)
    pairs = []
    for name, original in layers.items():
        for candidate in by_sides.get(tuple(sorted(original.shape)), []):
            for view in _views(weights[candidate], original.shape):
                pairs.append((_similarity(original, view), name, candidate, view))
    pairs.sort(key=lambda pair: -pair[0])
    found: dict[str, Layer] = {}
    taken: set[str] = set()
    for _, name, candidate, view in pairs:
        if name not in found and candidate not in taken:
            change = _change(layers[name], np.asarray(view, np.float32))
            found[name] = Layer(name, layers[name].size, change == 0.0, change, candidate)
            taken.add(candidate)
    return [found.get(name) or Layer(name, original.size, False, None) for name, original in layers.items()]


def unrelated(layer: Layer) -> bool:
    """Whether no tensor of the model can come from this layer."""
    return layer.relative_change is None or layer.relative_change > _UNRELATED


def untouched(backbone: Backbone, layers: list[Layer], weights: Mapping[str, NDArray[Any]]) -> set[str]:
    """The names of the model's tensors that equal the backbone's: layers, biases and BatchNorm's numbers."""
    same = {layer.counterpart for layer in layers if layer.identical and layer.counterpart}
    by_size: dict[int, list[Floats]] = {}
    for vector in backbone.vectors:
        by_size.setdefault(vector.size, []).append(vector)
    for name, tensor in weights.items():
        if tensor.size == max(tensor.shape, default=0):
            flat = np.asarray(tensor, np.float32).reshape(-1)
            if any(_same_vector(flat, known) for known in by_size.get(flat.size, [])):
                same.add(name)
    return same


def _same_vector(found: Floats, known: Floats) -> bool:
    return np.array_equal(found, known) or _relative(found, known) <= _FOLDED_VECTOR


def _views(tensor: NDArray[Any], shape: tuple[int, ...]) -> list[NDArray[Any]]:
    """The tensor in every order of its axes that gives `shape`."""
    orders = permutations(range(tensor.ndim))
    return [tensor.transpose(order) for order in orders if tuple(tensor.shape[axis] for axis in order) == shape]


def view_like(original: NDArray[Any], found: NDArray[Any]) -> NDArray[Any] | None:
    """A pre-trained tensor with its axes in the order of `found`'s; None where no order gives that shape."""
    views = _views(original, found.shape) if original.ndim == found.ndim else []
    return max(views, key=lambda view: _similarity(found, view), default=None)


def _similarity(one: NDArray[Any], other: NDArray[Any]) -> float:
    """The mean of |cosine| over some output channels; it ignores a factor for each channel."""
    channels = np.linspace(0, len(one) - 1, min(_CHANNELS, len(one)), dtype=int)
    a, b = (x[channels].reshape(len(channels), -1)[:, :_ENTRIES].astype(np.float64) for x in (one, other))
    norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    cosines = np.divide(np.abs((a * b).sum(axis=1)), norms, where=norms > 0, out=np.zeros_like(norms))
    return float(np.nan_to_num(cosines).mean())


def _change(original: Floats, found: Floats) -> float:
    """|w - w0| / |w0|, or less with the best factor for each output channel; 0 where a BatchNorm was folded in."""
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


def _relative(w: NDArray[Any], w0: NDArray[Any]) -> float:
    size = float(np.linalg.norm(w0))
    return float(np.linalg.norm(w - w0)) / size if size else float("inf")
