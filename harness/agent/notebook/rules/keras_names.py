"""Modules and classes that Keras moved or renamed between 1, 2 and 3."""

from __future__ import annotations

import ast
import re

from ..cell import Edit, dotted, edited, nodes, span_of
from ..rule_context import Setting

TITLE = "Names that Keras has moved are written as today: keras.layers.core as keras.layers"
ON = True

# Module, after `keras.` or `tensorflow.keras.` -> the module of today.
_MODULES = {
    r"layers\.(?:core|convolutional|pooling|normalization|merge|advanced_activations|embeddings|recurrent|noise|"
    r"wrappers|local)": "layers",
    r"layers\.experimental\.preprocessing": "layers",
    r"layers\.experimental": "layers",
    r"engine(?:\.(?:topology|training|network|sequential|input_layer|base_layer))?": "models",
    r"utils\.(?:np_utils|vis_utils|data_utils|generic_utils|layer_utils|training_utils|all_utils)": "utils",
    r"optimizers\.(?:experimental|legacy)": "optimizers",
    r"applications\.(?:mobilenetv2)": "applications.mobilenet_v2",
}
_IN_PATH = [(re.compile(rf"^((?:tensorflow\.)?keras)\.{old}$"), rf"\1.{new}") for old, new in _MODULES.items()]
_FROM_TENSORFLOW = re.compile(r"^tensorflow\.(?:contrib|python)\.keras\b")
_CLASSES = {
    "Convolution2D": "Conv2D",
    "Convolution1D": "Conv1D",
    "Deconvolution2D": "Conv2DTranspose",
    "SeparableConvolution2D": "SeparableConv2D",
}
_LAYERS_IN_MODELS = {"Layer": "layers", "InputSpec": "layers", "Input": "layers", "InputLayer": "layers"}
_GENERATORS = ("ImageDataGenerator", "DirectoryIterator", "NumpyArrayIterator", "Iterator")
_IN_ATTRIBUTE = {
    "keras.preprocessing.image.ImageDataGenerator": "__import__('keras.src.legacy.preprocessing.image', "
    "fromlist=['*']).ImageDataGenerator",
    "image.ImageDataGenerator": "__import__('keras.src.legacy.preprocessing.image', fromlist=['*']).ImageDataGenerator",
    "np_utils.to_categorical": "__import__('keras').utils.to_categorical",
}
_LEGACY_IMAGE = "keras.src.legacy.preprocessing.image"


def apply(source: str, setting: Setting) -> str:
    edits = []
    for node in nodes(source):
        if isinstance(node, ast.ImportFrom) and node.module:
            edits += _from(source, node)
        elif isinstance(node, ast.Attribute):
            edits += _attribute(source, node, setting)
    return edited(source, edits)


def today(module: str) -> str:
    """The module's current name."""
    module = _FROM_TENSORFLOW.sub("tensorflow.keras", module)
    for pattern, new in _IN_PATH:
        if pattern.match(module):
            return pattern.sub(new, module)
    return module


def _from(source: str, node: ast.ImportFrom) -> list[Edit]:
    module = node.module or ""
    if not re.match(r"(tensorflow\.(contrib\.|python\.)?)?keras(\.|$)", module):
        return []
    if module == "keras.preprocessing.image" and any(name.name in _GENERATORS for name in node.names):
        return [Edit(span_of(source, node), _split(node, module, _GENERATORS, _LEGACY_IMAGE))]
    if module in ("keras.utils", "tensorflow.keras.utils") and any(name.name == "np_utils" for name in node.names):
        return [Edit(span_of(source, node), f"from {module.rpartition('.')[0]} import utils as np_utils")]
    new = today(module)
    if new.endswith(".models") and any(name.name in _LAYERS_IN_MODELS for name in node.names):
        return [Edit(span_of(source, node), _split(node, new, tuple(_LAYERS_IN_MODELS), new[:-6] + "layers"))]
    renamed = [name for name in node.names if _CLASSES.get(name.name, name.name) != name.name]
    if new == module and not renamed:
        return []
    return [Edit(span_of(source, node), f"from {new} import {', '.join(_imported(name) for name in node.names)}")]


def _imported(name: ast.alias) -> str:
    new = _CLASSES.get(name.name, name.name)
    if new != name.name:
        return f"{new} as {name.asname or name.name}"
    return f"{name.name} as {name.asname}" if name.asname else name.name


def _split(node: ast.ImportFrom, module: str, elsewhere: tuple[str, ...], other: str) -> str:
    """Two imports, the second one of the names `elsewhere` from `other`; on one line, because it may be indented."""
    moved = ", ".join(_imported(name) for name in node.names if name.name in elsewhere)
    kept = ", ".join(_imported(name) for name in node.names if name.name not in elsewhere)
    first = f"from {module} import {kept}; " if kept else ""
    return f"{first}from {other} import {moved}"


def _attribute(source: str, node: ast.Attribute, setting: Setting) -> list[Edit]:
    name = dotted(node)
    if name == "image.ImageDataGenerator" and not setting.mentions("from keras.preprocessing import image"):
        return []
    if name in _IN_ATTRIBUTE and not (name.startswith("keras.") and setting.mentions("from tensorflow import keras")):
        return [Edit(span_of(source, node), _IN_ATTRIBUTE[name])]
    if "layers.experimental.preprocessing." in name:
        return [Edit(span_of(source, node), name.replace("layers.experimental.preprocessing.", "layers."))]
    if "keras.optimizers.legacy." in name:
        return [Edit(span_of(source, node), name.replace("optimizers.legacy.", "optimizers."))]
    if name.endswith(("layers.Convolution2D", "layers.Convolution1D")):
        return [Edit(span_of(source, node), name.replace("Convolution", "Conv"))]
    return []
