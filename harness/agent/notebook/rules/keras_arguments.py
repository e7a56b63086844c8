"""Methods and arguments that Keras 2 and 3 removed: `fit_generator`, `nb_epoch`, `lr=`, `decay=`, ..."""

from __future__ import annotations

import ast

from ..cell import Edit, calls, dotted, edited, keyword, last_name, nodes, span_of, text_of, without
from ..rule_context import Setting

TITLE = "Methods and arguments that Keras has removed are written as today: fit_generator as fit, lr as learning_rate"
ON = True

_METHODS = {"fit_generator": "fit", "evaluate_generator": "evaluate", "predict_generator": "predict"}
_FIT = ("fit", "evaluate", "predict", *_METHODS)
_FIT_ARGUMENTS = {"nb_epoch": "epochs", "nb_val_samples": "validation_steps", "val_samples": "steps"}
_FIT_GONE = ("workers", "use_multiprocessing", "max_queue_size", "max_q_size", "nb_worker", "pickle_safe")
_OPTIMIZERS = ("SGD", "RMSprop", "Adam", "Adadelta", "Adagrad", "Adamax", "Nadam", "sgd", "rmsprop", "adam")
_LAYER_ARGUMENTS = {
    "border_mode": "padding",
    "subsample": "strides",
    "nb_filter": "filters",
    "output_dim": "units",
    "init": "kernel_initializer",
    "W_regularizer": "kernel_regularizer",
    "b_regularizer": "bias_regularizer",
    "activity_regulariser": "activity_regularizer",
    "bias": "use_bias",
    "dim_ordering": "data_format",
    "p": "rate",
}
_ORDERINGS = {"tf": "'channels_last'", "th": "'channels_first'"}
_LAYERS = (
    "Dense",
    "Dropout",
    "Conv2D",
    "Convolution2D",
    "MaxPooling2D",
    "AveragePooling2D",
    "ZeroPadding2D",
    "BatchNormalization",
)
_KERAS = ("keras", "tensorflow", "tf.")


def apply(source: str, setting: Setting) -> str:
    if not any(setting.mentions(word) for word in _KERAS):
        return source
    edits: list[Edit] = []
    for call in calls(source, *_FIT):
        edits += _fitting(source, call)
    for call in calls(source, *_OPTIMIZERS):
        if not dotted(call.func).startswith(("torch", "optim.")):
            edits += _renamed(source, call, {"lr": "learning_rate"}) + without(source, call, "decay")
    for call in calls(source, *_LAYERS):
        edits += _layer(source, call)
    for call in calls(source, "Model"):
        edits += _renamed(source, call, {"input": "inputs", "output": "outputs"})
    for node in nodes(source):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            name = last_name(node.value.func)
            if name in ("set_image_dim_ordering", "set_session", "set_learning_phase"):
                edits.append(Edit(span_of(source, node), f"pass  # not run: {text_of(source, node)}"))
    return edited(source, edits)


def _fitting(source: str, call: ast.Call) -> list[Edit]:
    if not isinstance(call.func, ast.Attribute):
        return []
    edits = _renamed(source, call, _FIT_ARGUMENTS)
    method = call.func.attr
    if method in _METHODS:
        _, end = span_of(source, call.func)
        edits.append(Edit((end - len(method), end), _METHODS[method]))
        edits += _renamed(source, call, {"generator": "x"})
    edits += without(source, call, *_FIT_GONE)
    edits += without(source, call, "samples_per_epoch")  # Keras counts an iterator's steps itself
    return edits


def _layer(source: str, call: ast.Call) -> list[Edit]:
    edits = _renamed(source, call, _LAYER_ARGUMENTS)
    name = last_name(call.func)
    if name == "Dropout":
        return edits
    if (order := keyword(call, "dim_ordering")) and isinstance(order.value, ast.Constant):
        edits = [edit for edit in edits if edit.text != "data_format"]
        value = _ORDERINGS.get(str(order.value.value), "None")
        edits.append(Edit(span_of(source, order), f"data_format={value}"))
    if name in ("Conv2D", "Convolution2D"):
        sizes = call.args[1:3]
        if len(sizes) == 2 and all(_is_whole(size) for size in sizes):
            first, last = span_of(source, sizes[0]), span_of(source, sizes[1])
            edits.append(Edit((first[0], last[1]), f"({text_of(source, sizes[0])}, {text_of(source, sizes[1])})"))
    if name != "Dense":
        edits = [edit for edit in edits if edit.text not in ("units",)]
    return edits


def _is_whole(node: ast.expr) -> bool:
    return (isinstance(node, ast.Constant) and isinstance(node.value, int)) or (
        isinstance(node, ast.Name) and node.id.startswith(("nb_", "kernel_", "n_"))
    )


def _renamed(source: str, call: ast.Call, names: dict[str, str]) -> list[Edit]:
    edits = []
    for given in call.keywords:
        if given.arg in names and keyword(call, names[given.arg]) is None:
            start, _ = span_of(source, given)
            edits.append(Edit((start, start + len(given.arg)), names[given.arg]))
    return edits
