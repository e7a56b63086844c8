"""Names that Pillow 10 removed: `Image.ANTIALIAS`, `font.getsize`."""

from __future__ import annotations

import ast

from ..cell import Edit, dotted, edited, nodes, span_of
from ..rule_context import Setting

TITLE = "Names that Pillow has removed are written as today: Image.ANTIALIAS as Image.LANCZOS"
ON = True

_RENAMED = {"ANTIALIAS": "LANCZOS", "LINEAR": "BILINEAR", "CUBIC": "BICUBIC"}
_MODULES = ("Image", "PIL.Image", "pil_image", "PILImage", "PIL_Image")


def apply(source: str, setting: Setting) -> str:
    edits = []
    for node in nodes(source):
        if isinstance(node, ast.Attribute) and dotted(node.value) in _MODULES and node.attr in _RENAMED:
            edits.append(Edit(span_of(source, node), f"{dotted(node.value)}.{_RENAMED[node.attr]}"))
        elif isinstance(node, ast.ImportFrom) and node.module == "PIL.Image":
            edits += [
                Edit(span_of(source, name), f"{_RENAMED[name.name]} as {name.asname or name.name}")
                for name in node.names
                if name.name in _RENAMED
            ]
    return edited(source, edits)
