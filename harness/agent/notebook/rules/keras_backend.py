"""`os.environ['KERAS_BACKEND'] = 'jax'`: a backend that is not here."""

from __future__ import annotations

import ast

from ..cell import Edit, edited, nodes, span_of, text_of
from ..rule_context import Setting

TITLE = "A Keras backend that the environment does not have is not asked for"
ON = True

_MODULES = {"jax": "jax", "tensorflow": "tensorflow", "torch": "torch", "theano": "theano", "cntk": "cntk"}


def apply(source: str, setting: Setting) -> str:
    edits = [
        Edit(span_of(source, node), f"pass  # not run: {text_of(source, node)}")
        for node in nodes(source)
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Subscript)
        and isinstance(node.targets[0].slice, ast.Constant)
        and node.targets[0].slice.value == "KERAS_BACKEND"
        and isinstance(node.value, ast.Constant)
        and not setting.can_import(_MODULES.get(str(node.value.value), str(node.value.value) or "none"))
    ]
    return edited(source, edits)
