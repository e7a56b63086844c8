"""The phase `inspect`: a model's layers, their distance from pre-trained backbones, and whether it uses one.

The request holds what `predict` needs to run a model, and `backbones` (name -> file name under /in). The list of
images is `images`; a model that was not converted gets none. Sent: `inspection.json`, for an ONNX graph with a final
linear layer `final_layer.npy`, float32, (outputs, inputs); or `refused.json`.
"""

from __future__ import annotations

import io
import json
import sys
import traceback
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..graph.backbone_use import BackboneUse, backbone_use
from ..graph.backbones import Backbone, Layer, compare, load, unrelated, untouched
from ..graph.final_layer import final_layer
from ..graph.initialisation import head, initialised_as, structure
from ..graph.multiply_adds import fingerprint, parameters, statistics, weights, work
from ..graph.onnx_model import live, read, scales_its_input, signature
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
    model = live(read(IN / "model"))
    graph = signature(model)
    rule = Rule.from_request(request["rule"])
    done = work(model, graph, rule.height, rule.width)
    tensors = weights(model)
    last = head(model, tensors)
    mapped = final_layer(model, tensors)
    if mapped is not None:
        send("final_layer.npy", _npy(mapped))
    given = _images(rule, request)

    def used(backbone: Backbone, layers: list[Layer]) -> BackboneUse:
        if given is None:
            return BackboneUse(None, "not-run")
        return backbone_use(model, backbone, layers, graph.input, given, graph.dynamic_batch, request["cpus"])

    return {
        **_compared(tensors, statistics(model), request["backbones"], used),
        "parameters": parameters(model),
        "multiply_adds": done.multiply_adds,
        "uncounted": done.uncounted,
        "head_initialised_as": initialised_as(last) if last is not None else "",
        "scales_its_input": scales_its_input(model, graph),
        "final_layer": list(mapped.shape) if mapped is not None else None,
    }


def _of_native(request: dict[str, Any]) -> dict[str, Any]:
    """The inspection of an unconverted model, as its own process reports it."""
    rule = Rule.from_request(request["rule"])
    size = (rule.height, rule.width)
    model = StudentModel(request["labels"], size, request["factory"], request["cpus"])
    return model.inspection(request["backbones"])


def of_module(module: Any, backbones: dict[str, str]) -> dict[str, Any]:
    """The inspection of a loaded module, in the process that loaded it. Raises `Unusable`."""
    tensors = _own_weights(module)
    counted = [tensor.size for name, tensor in tensors.items() if not name.endswith(_STATISTICS)]
    return {
        **_compared(tensors, {name for name in tensors if name.endswith(_STATISTICS)}, backbones, None),
        "parameters": sum(counted),
        "multiply_adds": None,
        "uncounted": [],
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
        named = {str(name): tensor.detach().cpu().numpy() for name, tensor in module.state_dict().items()}
    elif hasattr(module, "weights"):
        named = {f"{i} {weight.path}": np.asarray(weight.numpy()) for i, weight in enumerate(module.weights)}
    else:
        raise Unusable("it does not show its weights")
    return {name: tensor for name, tensor in named.items() if tensor.dtype.kind == "f"}


def _compared(
    tensors: Tensors,
    not_trained: set[str],
    backbones: dict[str, str],
    used: Callable[[Backbone, list[Layer]], BackboneUse] | None,
) -> dict[str, Any]:
    """The weights compared with each backbone. `used` is called only for a backbone that the model may come from."""
    shapes = {name: t for name, t in tensors.items() if t.ndim in (2, 4) and t.size > max(t.shape)}
    found = {}
    for name, file in backbones.items():
        try:
            backbone: Backbone = load(IN / file)
        except Exception as error:  # weights without a published hash may hold anything
            print(f"{name}: {type(error).__name__}: {error}", file=sys.stderr)
            continue
        layers = compare(backbone.layers, tensors)
        same = untouched(backbone, layers, tensors) - not_trained
        mine = {layer.counterpart for layer in layers if not unrelated(layer)}
        near = sum(not unrelated(layer) for layer in layers)
        use = used(backbone, layers) if used is not None and near >= _FEWEST_LAYERS else BackboneUse(None)
        found[name] = {
            "layers": [_plain(layer) for layer in layers],
            "untouched_parameters": sum(tensors[n].size for n in same if tensors[n].ndim > 0),
            "new_layers": len(set(shapes) - mine),
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
