"""A SavedModel: TensorFlow's folder, which arrives as one zip (the stage `convert` packs it)."""

from __future__ import annotations

import tempfile
import zipfile
from pathlib import Path
from typing import Any

from ...paths import TMP
from ...phases.error_text import one_sentence
from ..class_names import names_in_extras
from ..loaded_model import Context, Native, Unusable
from ..model_file import has_member
from ..tensorflow_models import native, tensorflow_ready, to_onnx

__all__ = ["load", "matches", "to_onnx"]

_SCALING = ("RealDiv", "Mul", "Sub", "AddV2", "Add")  # what Rescaling and Normalization become
_PASSING = ("Cast", "Identity", "ReadVariableOp", "Const", "NoOp", "Placeholder")


def matches(file: Path) -> bool:
    return has_member(file, "saved_model.pb")


def load(file: Path, context: Context) -> Native:
    tensorflow = tensorflow_ready(context.threads, "it is a SavedModel")
    loaded, signature, name, spec = opened(tensorflow, file)
    shape = None if spec.shape.rank is None else spec.shape.as_list()

    def call(image: object, kept: object = loaded) -> object:  # `kept` keeps the model's variables alive
        return signature(**{name: image})

    scales = _scales(signature.graph)
    return native(
        call,
        tuple(shape) if shape is not None else None,
        context,
        "keras-raw" if scales else "keras-vgg16-caffe",
        dtype=spec.dtype,
        names=names_in_extras(file, "assets/", (".txt", ".json")),
    )


def opened(tensorflow: Any, file: Path) -> tuple[Any, Any, str, Any]:
    """The model, its signature to call, and that one's only input: name and specification. Raises `Unusable`."""
    folder = Path(tempfile.mkdtemp(prefix="saved-model-", dir=TMP))
    with zipfile.ZipFile(file) as archive:
        archive.extractall(folder)
    place = min(folder.rglob("saved_model.pb"), key=lambda found: len(found.parts)).parent
    try:
        loaded = tensorflow.saved_model.load(str(place))
    except (OSError, ValueError, KeyError, tensorflow.errors.OpError) as error:
        raise Unusable(
            f"TensorFlow cannot load it ({one_sentence(str(error))}); save it again with model.export, or as .keras"
        ) from error
    if not loaded.signatures:
        raise Unusable("the SavedModel has no signature to call; save it with model.export(), or as .keras")
    signature = loaded.signatures.get("serving_default") or next(iter(loaded.signatures.values()))
    specs = signature.structured_input_signature[1]
    if len(specs) != 1:
        raise Unusable(f"the model takes {len(specs)} inputs; it has to take one image")
    ((name, spec),) = specs.items()
    return loaded, signature, name, spec


def _scales(graph: object) -> bool:
    """Whether the first operator in the graph, or in a function that it calls, is arithmetic."""
    definition = graph.as_graph_def()  # type: ignore[attr-defined]
    functions = {function.signature.name: function.node_def for function in definition.library.function}
    nodes = definition.node
    for _ in range(len(functions) + 1):
        first = next((node for node in nodes if node.op not in _PASSING), None)
        if first is None or first.op not in ("StatefulPartitionedCall", "PartitionedCall"):
            return first is not None and first.op in _SCALING
        nodes = functions.get(first.attr["f"].func.name, [])
    return False
