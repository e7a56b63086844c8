"""How far a model's weights are from a pre-trained backbone's, in whatever form the exporter wrote them.

Exporters rename tensors, permute their axes (Keras: HWIO, ONNX: OIHW), move them into `Constant` nodes
and multiply BatchNorm into the convolution before it. So names are ignored: each pre-trained tensor is
compared with every tensor of the model that has its dimensions in any order. A factor for each output
channel, which a folded BatchNorm leaves, counts as no change. A tensor of the model is the counterpart of
one layer only.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .rounding import Form, change, kept

Floats = NDArray[np.float32]

# First parts of the ImageNet classifier's name in torchvision's, timm's and Keras' weights.
_CLASSIFIERS = ("classifier", "fc", "head", "heads", "predictions", "top", "AuxLogits", "aux1", "aux2")
_CHANNELS, _ENTRIES = 32, 256  # of a tensor that are compared to find its counterpart
_FOLD = 1e-6  # relative; float32 rounding of weight * gamma / sqrt(var + eps) stays below 2e-7
_FOLDED_VECTOR = 1e-4  # relative; sums and square roots are rounded in another order
_ROUNDED_VECTOR = 0.02  # relative; of a model that was rounded: bfloat16 leaves 0.004 of each number that is added
_ONE_STEP = 0.55  # of the storage's, by which a rounded vector may differ
_SMALLEST_HALF = 2.0**-23  # twice float16's smallest step: BatchNorms of dead channels hold less
_EPSILONS = (1e-5, 1e-3)  # of BatchNorm, in torch and in Keras
_UNRELATED = 0.9  # two unrelated sets of weights of equal size are 1.4 apart


@dataclass(frozen=True, slots=True)
class Backbone:
    """Pre-trained weights: layers and vectors, in the file's order.

    `vectors`: biases, BatchNorm's numbers, and what a folded BatchNorm makes of them.
    """

    layers: dict[str, Floats]
    vectors: tuple[Floats, ...]
    normalised: frozenset[int] = frozenset()  # the sizes of its BatchNorms


@dataclass(frozen=True, slots=True)
class Layer:
    """One pre-trained layer: whether the model has it unchanged, else how much its counterpart changed.

    Rounded numbers, and numbers set to zero, are unchanged. `clear` is False where so much was rounded or set to zero
    that nothing follows from the rest.
    """

    name: str
    elements: int
    identical: bool
    relative_change: float | None  # |w - w0| / |w0|; None when the model has no counterpart
    counterpart: str | None = None  # the tensor's name in the model
    form: Form = ""  # how its numbers were rounded
    zeros: float = 0.0  # share of its numbers that were set to zero
    clear: bool = True


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
    sizes = frozenset(vector.size for name, vector in vectors.items() if name.endswith("running_var"))
    return Backbone(layers, (*vectors.values(), *_folded(vectors)), sizes)


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


def compare(
    layers: Mapping[str, Floats],
    weights: Mapping[str, NDArray[Any]],
    steps: Mapping[str, NDArray[Any]] | None = None,
) -> list[Layer]:
    """Each layer of a backbone against the model's weights, nearest pairs first.

    `steps`: for each number of a weight the distance to the next that its storage has, where that is known.
    """
    steps = steps or {}
    by_sides: dict[tuple[int, ...], list[str]] = {}
    for name, tensor in weights.items():
        if tensor.ndim in (2, 4):
            by_sides.setdefault(tuple(sorted(tensor.shape)), []).append(name)
    pairs = []
    for name, original in layers.items():
        for candidate in by_sides.get(tuple(sorted(original.shape)), []):
            for order in _orders(weights[candidate], original.shape):
                view = weights[candidate].transpose(order)
                pairs.append((_similarity(original, view), name, candidate, order))
    pairs.sort(key=lambda pair: -pair[0])
    found: dict[str, Layer] = {}
    taken: set[str] = set()
    for _, name, candidate, order in pairs:
        if name not in found and candidate not in taken:
            view = np.asarray(weights[candidate].transpose(order), np.float32)
            step = steps[candidate].transpose(order) if candidate in steps else None
            found[name] = _compared(name, candidate, layers[name], view, step)
            taken.add(candidate)
    return [found.get(name) or Layer(name, original.size, False, None) for name, original in layers.items()]


def _compared(name: str, candidate: str, original: Floats, found: Floats, step: NDArray[Any] | None) -> Layer:
    moved = _change(original, found)
    if moved == 0.0:
        gone = (found == 0) & (original != 0)
        return Layer(name, original.size, True, 0.0, candidate, zeros=float(gone.mean()))
    moved = min(moved, change(original, found, step))
    same = kept(original, found, step) if moved <= _UNRELATED else None
    if same is None:
        return Layer(name, original.size, False, moved, candidate)
    return Layer(name, original.size, same.clear, 0.0, candidate, same.form, same.zeros, same.clear)


def unrelated(layer: Layer) -> bool:
    """Whether no tensor of the model can come from this layer."""
    return layer.relative_change is None or layer.relative_change > _UNRELATED


def untouched(
    backbone: Backbone,
    layers: list[Layer],
    weights: Mapping[str, NDArray[Any]],
    steps: Mapping[str, NDArray[Any]] | None = None,
) -> set[str]:
    """The names of the model's tensors that equal the backbone's: layers, biases and BatchNorm's numbers.

    `steps` as in `compare`.
    """
    steps = steps or {}
    same = {layer.counterpart for layer in layers if layer.identical and layer.counterpart}
    is_rounded = any(layer.form for layer in layers)
    by_size: dict[int, list[Floats]] = {}
    for vector in backbone.vectors:
        by_size.setdefault(vector.size, []).append(vector)
    for name, tensor in weights.items():
        if tensor.size == max(tensor.shape, default=0):
            flat = np.asarray(tensor, np.float32).reshape(-1)
            step = np.abs(steps[name]).reshape(-1) if name in steps else None
            if any(_same_vector(flat, known, is_rounded, step) for known in by_size.get(flat.size, [])):
                same.add(name)
    return same


def refolded(backbone: Backbone, layer: Layer, found: NDArray[Any]) -> bool:
    """Whether a frozen layer's factor for each channel is another than its BatchNorm leaves, or none.

    `found`: the layer's tensor in the model.
    """
    original = backbone.layers[layer.name]
    view = view_like(found, original)
    if view is None or layer.form == "quantised":  # a channel of a few steps does not tell its factor
        return False
    w0, w = (np.asarray(x, np.float64).reshape(len(original), -1) for x in (original, view))
    w0 = np.where(w != 0, w0, 0.0)
    squares = (w0**2).sum(axis=1)
    told = squares > 0
    factor = np.divide((w * w0).sum(axis=1), squares, where=told, out=np.zeros(len(w0)))
    allowed = _ROUNDED_VECTOR if layer.form else _FOLDED_VECTOR
    known = [vector.astype(np.float64) for vector in backbone.vectors if vector.size == len(w0)]
    return not any(_relative(factor[told], one[told]) <= allowed for one in (*known, np.ones(len(w0))))


def _same_vector(found: Floats, known: Floats, is_rounded: bool, step: NDArray[Any] | None) -> bool:
    if step is not None and bool((np.abs(found - known) <= _ONE_STEP * step).all()):
        return True
    if np.array_equal(found, known) or _relative(found, known) <= _FOLDED_VECTOR:
        return True
    if not is_rounded:
        return False
    allowed = _ROUNDED_VECTOR * float(np.linalg.norm(known)) + _SMALLEST_HALF * math.sqrt(known.size)
    return float(np.linalg.norm(found - known)) <= allowed


def _views(tensor: NDArray[Any], shape: tuple[int, ...]) -> list[NDArray[Any]]:
    """The tensor in every order of its axes that gives `shape`."""
    return [tensor.transpose(order) for order in _orders(tensor, shape)]


def _orders(tensor: NDArray[Any], shape: tuple[int, ...]) -> list[tuple[int, ...]]:
    return [o for o in permutations(range(tensor.ndim)) if tuple(tensor.shape[axis] for axis in o) == shape]


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
