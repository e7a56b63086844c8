"""Names that NumPy 1.24 and 2.0 removed: `np.float`, `np.int`, `np.bool`, `np.Inf`, ..."""

from __future__ import annotations

import ast

from ..cell import Edit, dotted, edited, nodes, span_of
from ..rule_context import Setting

TITLE = "Names that NumPy has removed are written as today: np.float as float, np.Inf as np.inf"
ON = True

_BUILTINS = {"float": "float", "int": "int", "bool": "bool", "object": "object", "str": "str", "complex": "complex"}
_BUILTINS |= {"long": "int", "unicode": "str"}
_RENAMED = {
    "float_": "float64",
    "complex_": "complex128",
    "unicode_": "str_",
    "string_": "bytes_",
    "Inf": "inf",
    "Infinity": "inf",
    "infty": "inf",
    "PINF": "inf",
    "NaN": "nan",
    "product": "prod",
    "cumproduct": "cumprod",
    "alltrue": "all",
    "sometrue": "any",
    "in1d": "isin",
    "row_stack": "vstack",
    "trapz": "trapezoid",
    "asfarray": "asarray",
    "round_": "round",
}
_MODULES = ("np", "numpy")


def apply(source: str, setting: Setting) -> str:
    edits = []
    for node in nodes(source):
        if not isinstance(node, ast.Attribute) or dotted(node.value) not in _MODULES:
            continue
        if node.attr in _BUILTINS:
            edits.append(Edit(span_of(source, node), _BUILTINS[node.attr]))
        elif node.attr in _RENAMED:
            edits.append(Edit(span_of(source, node), f"{dotted(node.value)}.{_RENAMED[node.attr]}"))
    return edited(source, edits)
