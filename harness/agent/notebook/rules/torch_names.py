"""What torch and torchvision removed: `transforms.Scale`, `loader_iterator.next()`, loading a whole model."""

from __future__ import annotations

import ast

from ..cell import Edit, calls, dotted, edited, keyword, nodes, span_of
from ..rule_context import Setting

TITLE = "Names that torch has removed are written as today: transforms.Scale as Resize, it.next() as next(it)"
ON = True

_RENAMED = {"Scale": "Resize", "RandomSizedCrop": "RandomResizedCrop"}


def apply(source: str, setting: Setting) -> str:
    edits = []
    for node in nodes(source):
        if isinstance(node, ast.Attribute) and node.attr in _RENAMED and dotted(node.value).endswith("transforms"):
            _, end = span_of(source, node)
            edits.append(Edit((end - len(node.attr), end), _RENAMED[node.attr]))
    for call in calls(source, "next"):
        if isinstance(call.func, ast.Attribute) and not call.args and not call.keywords:
            (start, end), (_, last) = span_of(source, call.func.value), span_of(source, call)
            edits += [Edit((start, start), "next("), Edit((end, last), ")")]
    states = [call.args[0] for call in calls(source, "load_state_dict") if call.args]  # those load as they are
    for call in calls(source, "load"):
        if call in states:
            continue
        if dotted(call.func) == "torch.load" and call.args and keyword(call, "weights_only") is None:
            _, end = span_of(source, (call.keywords or call.args)[-1])
            edits.append(Edit((end, end), ", weights_only=False"))
    return edited(source, edits)
