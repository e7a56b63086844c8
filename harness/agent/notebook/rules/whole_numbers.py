"""`add_subplot(2, 20/2, i)`, `steps_per_epoch=n/32`: counts that a division made a fraction."""

from __future__ import annotations

import ast

from ..cell import Edit, calls, edited, nodes, span_of
from ..rule_context import Setting

TITLE = "Numbers of subplots and of steps are whole: add_subplot(2, 20/2, 1) gets int(20/2)"
ON = True

_STEPS = ("steps_per_epoch", "validation_steps", "steps")


def apply(source: str, setting: Setting) -> str:
    fractions = [
        given
        for call in calls(source, "subplot", "add_subplot", "subplots", "subplot2grid")
        for given in (*call.args, *(k.value for k in call.keywords if k.arg in ("nrows", "ncols")))
        if _divides(given)
    ]
    fractions += [
        node.value
        for node in nodes(source)
        if isinstance(node, ast.keyword) and node.arg in _STEPS and _divides(node.value)
    ]
    edits = []
    for start, end in (span_of(source, one) for one in fractions):
        edits += [Edit((start, start), "int("), Edit((end, end), ")")]
    return edited(source, edits)


def _divides(node: ast.expr) -> bool:
    return isinstance(node, ast.BinOp) and (
        isinstance(node.op, ast.Div)
        or (isinstance(node.op, ast.Add | ast.Sub | ast.Mult) and (_divides(node.left) or _divides(node.right)))
    )
