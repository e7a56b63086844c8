"""`.cuda()`, `torch.device('cuda')`: on the processor where there is no graphics card."""

from __future__ import annotations

import ast
import re

from ..cell import Edit, calls, edited, last_name, nodes, span_of, text_of
from ..rule_context import Setting

TITLE = "What asks for a graphics card runs on the processor where there is none"
ON = True

_CUDA = re.compile(r"^cuda(:\d+)?$")
_TAKES_DEVICE = ("device", "to", "Generator", "autocast")
_TENSORS = ("FloatTensor", "LongTensor", "IntTensor", "DoubleTensor", "HalfTensor", "ByteTensor", "BoolTensor")


def apply(source: str, setting: Setting) -> str:
    if setting.has_gpu() or not setting.mentions("torch"):
        return source
    edits = []
    for call in calls(source, "cuda"):
        if isinstance(call.func, ast.Attribute) and not _is_module(call.func.value):
            edits.append(Edit((span_of(source, call.func.value)[1], span_of(source, call)[1]), ""))
    for call in calls(source, *_TAKES_DEVICE):
        edits += [Edit(span_of(source, given), "'cpu'") for given in call.args if _is_cuda(given)]
    for node in nodes(source):
        if (isinstance(node, ast.keyword) and node.arg in ("device", "map_location") and _is_cuda(node.value)) or (
            isinstance(node, ast.Assign) and "device" in last_name(node.targets[0]).lower() and _is_cuda(node.value)
        ):
            edits.append(Edit(span_of(source, node.value), "'cpu'"))
        elif isinstance(node, ast.Attribute) and node.attr in _TENSORS and last_name(node.value) == "cuda":
            edits.append(Edit(span_of(source, node), f"torch.{node.attr}"))
        elif isinstance(node, ast.Assert) and "cuda.is_available" in text_of(source, node):
            edits.append(Edit(span_of(source, node), f"pass  # not run: {text_of(source, node)}"))
    return edited(source, edits)


def _is_module(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id in ("torch", "numba", "cupy")


def _is_cuda(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and bool(_CUDA.match(node.value))
