"""The phase `inspect`: a model's layers, their distance from pre-trained backbones, and whether it uses one.

The request holds what `predict` needs to run a model, `detects` (whether it gives boxes) and `backbones` (name -> file
name under /in). The list of images is `images`; a model that was not converted gets none. Sent: `inspection.json`, for
an ONNX graph with a final linear layer, or with a detector's heads, `final_layer.npy`, float32, (outputs, inputs); or
`refused.json`.
"""

from __future__ import annotations

import io
import json
import sys
import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..graph.backbone_use import BackboneUse, backbone_use
from ..graph.backbones import Backbone, Layer, compare, load, refolded, unrelated, untouched
from ..graph.detector_graph import class_heads, in_one_row
from ..graph.final_layer import final_layer
from ..graph.float_form import float_form
from ..graph.image_input import scales_its_input
from ..graph.initialisation import head, initialised_as, structure
from ..graph.layout import Layout, layout, unread_layers
from ..graph.multiply_adds import fingerprint, parameters, statistics, weights, work
from ..graph.onnx_model import live, read, signature
from ..images.preprocessing import Rule, UnreadableImage, batch
from ..models.loaded_model import Unusable
from ..models.student_model import StudentModel
from ..paths import IN
from .refusal import described, refuse, unread

Tensors = dict[str, NDArray[Any]]

_FEWEST_LAYERS = 3  # a backbone needs this many to be recognised, as in `harness/stages/inspect.py`
_STATISTICS = ("running_mean", "running_var", "num_batches_tracked", "moving_mean", "moving_variance")


def run(request: dict[str, Any], send: Callable[[str, Path | bytes], None]) -> None:
    """Inspect /in/model and send the result."""
    try:
        reply = _of_native(request) if request["native"] else _of_graph(request, send)
    except Unusable as error:
        refuse(send, str(error))
    except (Exception, SystemExit) as error:  # a native model's code may raise anything, and so may an unusual graph
        traceback.print_exc()
        refuse(send, described(error) if request["native"] else unread(error))
    else:
        send("inspection.json", json.dumps(reply).encode())


def _of_graph(request: dict[str, Any], send: Callable[[str, Path | bytes], None]) -> dict[str, Any]:
    model = handed_in = live(read(IN / "model"))
    if request["detects"]:
        model = in_one_row(handed_in)
    graph = signature(model)
    rule = Rule.from_request(request["rule"])
    done = work(model, graph, rule.height, rule.width)
    model, steps = float_form(model)
    tensors = weights(model)
    last = None if request["detects"] else head(model, tensors)
    mapped = class_heads(handed_in, tensors, request["labels"]) if request["detects"] else final_layer(model, tensors)
    if mapped is not None:
        send("final_layer.npy", _npy(mapped))
    given = _images(rule, request)

    def used(backbone: Backbone, layers: list[Layer]) -> BackboneUse:
        if given is None:
            return BackboneUse(None, "not-run")
        return backbone_use(model, backbone, layers, graph.input, given, graph.dynamic_batch, request["cpus"])

    def laid_out(kept: set[str]) -> Layout:
        return layout(model, tensors, kept, graph.input)

    return {
        **_compared(_Held(tensors, steps, statistics(model)), request["backbones"], used, laid_out),
        "parameters": parameters(model),
        "multiply_adds": done.multiply_adds,
        "uncounted": done.uncounted,
        "unread_layers": unread_layers(model, tensors, graph.input),
        "head_initialised_as": initialised_as(last) if last is not None else "",
        "scales_its_input": scales_its_input(model, graph.input),
        "final_layer": list(mapped.shape) if mapped is not None else None,
    }


def _of_native(request: dict[str, Any]) -> dict[str, Any]:
    """The inspection of an unconverted model, as its own process reports it."""
    rule = Rule.from_request(request["rule"])
    size = (rule.height, rule.width)
    model = StudentModel(request["labels"], size, request["factory"], request["cpus"])
    return model.inspection(request["backbones"])


def of_module(module: Any, backbones: dict[str, str]) -> dict[str, Any]:
    """The inspection of a loaded module, in the process that loaded it: its numbers only. Raises `Unusable`."""
    tensors = _own_weights(module)
    counted = [tensor.size for name, tensor in tensors.items() if not name.endswith(_STATISTICS)]
    return {
        **_compared(_Held(tensors, {}, {n for n in tensors if n.endswith(_STATISTICS)}), backbones, None, None),
        "parameters": sum(counted),
        "multiply_adds": None,
        "uncounted": [],
        "unread_layers": 0,
        "head_initialised_as": "",
        "scales_its_input": True,
        "final_layer": None,
    }


def _npy(array: NDArray[Any]) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=False)
    return stream.getvalue()


def _own_weights(module: Any) -> Tensors:
    """Name -> tensor of a torch module or a Keras model. Raises `Unusable` for anything else."""
    if callable(getattr(module, "state_dict", None)):
        found = {str(name): _floats(tensor) for name, tensor in module.state_dict().items()}
        return {name: tensor for name, tensor in found.items() if tensor is not None}
    if not hasattr(module, "weights"):
        raise Unusable("it does not show its weights")
    named = {f"{i} {weight.path}": np.asarray(weight.numpy()) for i, weight in enumerate(module.weights)}
    return {name: tensor for name, tensor in named.items() if tensor.dtype.kind == "f"}


def _floats(tensor: Any) -> NDArray[Any] | None:
    """A torch tensor's numbers; None of one that holds no weights (a counter, or packed parameters)."""
    if getattr(tensor, "is_quantized", False):
        tensor = tensor.dequantize()
    if not callable(getattr(tensor, "is_floating_point", None)) or not tensor.is_floating_point():
        return None
    return np.asarray(tensor.detach().cpu().float().numpy())


@dataclass(frozen=True, slots=True)
class _Held:
    """A model's weights by name, the steps of their storage, and the names of BatchNorm's statistics."""

    tensors: Tensors
    steps: Tensors
    statistics: set[str]


def _compared(
    held: _Held,
    backbones: dict[str, str],
    used: Callable[[Backbone, list[Layer]], BackboneUse] | None,
    laid_out: Callable[[set[str]], Layout] | None,
) -> dict[str, Any]:
    """The weights compared with each backbone. `used` is called only for a backbone that the model may come from."""
    tensors = held.tensors
    shapes = {name: t for name, t in tensors.items() if t.ndim in (2, 4) and t.size > max(t.shape)}
    known: dict[str, tuple[Backbone, list[Layer]]] = {}
    for name, file in backbones.items():
        try:
            backbone: Backbone = load(IN / file)
        except Exception as error:  # weights without a published hash may hold anything
            print(f"{name}: {type(error).__name__}: {error}", file=sys.stderr)
            continue
        known[name] = backbone, compare(backbone.layers, tensors, held.steps)
    frozen = {name: {x.counterpart for x in layers if x.identical} for name, (_, layers) in known.items()}
    found = {}
    for name, (backbone, layers) in known.items():
        mine = {layer.counterpart for layer in layers if layer.counterpart and not unrelated(layer)}
        use = used(backbone, layers) if used is not None and len(mine) >= _FEWEST_LAYERS else BackboneUse(None)
        place = laid_out(mine) if laid_out is not None else Layout({}, (), frozenset())
        # A layer of another frozen backbone is not one that was trained here.
        elsewhere = set().union(*(kept for kept in frozen.values() if len(kept) >= _FEWEST_LAYERS))
        beside = [weight for weight in place.beside if weight not in elsewhere and weight in shapes]
        found[name] = {
            "layers": [_plain(layer) for layer in layers],
            **_vectors(held, backbone, layers, place),
            "new_layers": len(set(shapes) - mine),
            "beside_layers": len(beside),
            "beside_parameters": sum(tensors[weight].size for weight in beside),
            "used": use.used,
            "why_unused": use.why,
        }
    return {
        "backbones": found,
        "weight_tensors": len(shapes),
        "convolutions": sum(tensor.ndim == 4 for tensor in shapes.values()),
        "structure": structure(tensors),
        "weights_fingerprint": fingerprint(tensors),
    }


def _vectors(held: _Held, backbone: Backbone, layers: list[Layer], place: Layout) -> dict[str, int]:
    """Counts of the parameters that are as they were and of those that are new, and of frozen layers' BatchNorms.

    A BatchNorm whose statistics moved is told from one whose factor was trained only where it was not folded; a
    folded one next to a frozen layer is taken for the first, so that an exporter changes no count.
    """
    tensors = held.tensors
    same = untouched(backbone, layers, tensors, held.steps)
    frozen = {layer.counterpart for layer in layers if layer.identical and layer.counterpart}
    mine = {layer.counterpart for layer in layers if layer.counterpart and not unrelated(layer)}
    folded = {
        name for name in place.folded if place.owner[name] in frozen and tensors[name].size in backbone.normalised
    }
    stored = {name for name in held.statistics if place.owner.get(name) in frozen}
    moved = {place.owner[name] for name in folded | stored if name not in same}
    by_weight = {layer.counterpart: layer for layer in layers}
    for weight in {place.owner[name] for name in folded} - moved:
        if refolded(backbone, by_weight[weight], tensors[weight]):
            moved.add(weight)
    counted = {name for name, tensor in tensors.items() if name not in held.statistics and tensor.ndim > 0}
    layer_of = {name: place.owner.get(name, name) for name in counted}
    return {
        "untouched_parameters": sum(tensors[name].size for name in counted & (same | folded)),
        "new_parameters": sum(
            tensors[name].size
            for name in counted
            if layer_of[name] not in mine and not (name in same and not place.owner)
        ),
        "normalisations": len({place.owner[name] for name in folded | stored}),
        "moved_normalisations": len(moved),
    }


def _plain(layer: Layer) -> dict[str, Any]:
    values = asdict(layer)
    del values["counterpart"]
    if unrelated(layer):
        values["relative_change"] = None
    return values


def _images(rule: Rule, request: dict[str, Any]) -> NDArray[Any] | None:
    encoded = list(request["images"].take("images"))
    try:
        return batch(encoded, rule, request["layout"], request["input_dtype"]) if len(encoded) > 1 else None
    except UnreadableImage:
        return None
