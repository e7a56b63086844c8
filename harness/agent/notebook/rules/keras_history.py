"""`history.history['acc']` where the metric is called `accuracy`: Keras named it so until 2.3."""

from __future__ import annotations

import ast
import re

from ..cell import Edit, edited, last_name, nodes, span_of
from ..rule_context import Setting

TITLE = "history['acc'] is read as history['accuracy'] where the model is compiled with metrics=['accuracy']"
ON = True

_COMPILED = re.compile(r"metrics\s*=\s*[\[({]?\s*['\"](acc|accuracy)['\"]")
_OTHER = {
    "accuracy": {"acc": "accuracy", "val_acc": "val_accuracy"},
    "acc": {"accuracy": "acc", "val_accuracy": "val_acc"},
}


def apply(source: str, setting: Setting) -> str:
    if "acc" not in source:
        return source
    compiled = {found[1] for text in setting.sources for found in _COMPILED.finditer(text)}
    if len(compiled) != 1:
        return source
    names = _OTHER[compiled.pop()]
    edits = [
        Edit(span_of(source, node.slice), repr(names[node.slice.value]))
        for node in nodes(source)
        if isinstance(node, ast.Subscript)
        and isinstance(node.slice, ast.Constant)
        and node.slice.value in names
        and "hist" in last_name(node.value).lower()
    ]
    return edited(source, edits)
