"""The calls with which a notebook makes libraries load weights and image sets. The notebook is never run.

Only here does Python's parser read cells outside the sandbox. This process has limits, may crash alone, and answers an
instructor's question (`harness weights fetch --needed-by`); no mark depends on it.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

from .code_cells import code_cells

_LIBRARIES = {
    "torchvision",
    "torch",
    "keras",
    "tensorflow",
    "tf_keras",
    "timm",
    "tensorflow_datasets",
    "tensorflow_hub",
}
_ADDRESS = re.compile(r"https?://[^\s'\"<>()\\]{1,300}")
_MOST = 500  # calls, and addresses
_CELL = 200_000  # characters
_BROKEN_LINES = 50  # in one cell: shell commands, Python 2
_DEPTH = 4  # of nested values

Value = object  # JSON: a constant, a list of them, {"name": dotted}, or {"name": ""} if unknown


def calls_and_addresses(notebook: Path) -> dict[str, object]:
    """`calls`: [dotted name, values, {keyword: value}] in order; `addresses`: every http address in code."""
    seen = _Seen()
    addresses: dict[str, None] = {}
    for source in code_cells(notebook):
        for match in _ADDRESS.finditer(source[:_CELL]):
            addresses[match[0].rstrip(".,;")] = None
        tree = _parsed(source[:_CELL])
        if tree is not None:
            seen.visit(tree)
    return {"calls": seen.calls[:_MOST], "addresses": list(addresses)[:_MOST]}


def _parsed(source: str) -> ast.Module | None:
    """The cell's tree, without lines that are not Python 3; None where there are too many of these."""
    lines = ["" if line.lstrip().startswith(("!", "%")) else line for line in source.splitlines()]
    for _ in range(_BROKEN_LINES):
        try:
            return ast.parse("\n".join(lines))
        except SyntaxError as error:
            at = min(error.lineno or 1, len(lines)) - 1
            if at < 0 or not lines[at].strip():
                return None
            indent = lines[at][: len(lines[at]) - len(lines[at].lstrip())]
            lines[at] = "" if lines[at].strip() == "pass" else f"{indent}pass"
        except (ValueError, RecursionError):
            return None
    return None


class _Seen(ast.NodeVisitor):
    """Follows imports and plain assignments through the cells, and collects the libraries' calls."""

    def __init__(self) -> None:
        self.calls: list[object] = []
        self._names: dict[str, str] = {}  # name in the notebook -> dotted name that was imported
        self._values: dict[str, Value] = {}  # name -> last assigned value
        self._whole: list[str] = []  # modules of `from ... import *`

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            top = alias.name.split(".")[0]
            self._names[alias.asname or top] = alias.name if alias.asname else top

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        for alias in node.names:
            if alias.name == "*":
                self._whole.append(node.module or "")
            else:
                self._names[alias.asname or alias.name] = f"{node.module or ''}.{alias.name}"

    def visit_Assign(self, node: ast.Assign) -> None:
        self.generic_visit(node)
        for target in node.targets:
            if not isinstance(target, ast.Name):
                continue
            dotted = self._dotted(node.value)
            if dotted and dotted.split(".")[0] in _LIBRARIES:
                self._names[target.id] = dotted
                self._values.pop(target.id, None)
            else:
                self._names.pop(target.id, None)
                self._values[target.id] = self._value(node.value)

    def visit_Call(self, node: ast.Call) -> None:
        dotted = self._dotted(node.func)
        candidates = [dotted] if "." in dotted else [f"{module}.{dotted}" for module in self._whole if dotted]
        for name in candidates:
            if name.split(".")[0] in _LIBRARIES:
                values = [self._value(value) for value in node.args]
                options = {word.arg: self._value(word.value) for word in node.keywords if word.arg}
                self.calls.append([name, values, options])
        self.generic_visit(node)

    def _dotted(self, node: ast.expr) -> str:
        """The dotted name in its library, `torchvision.models.alexnet` for `models.alexnet`; else empty."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return ""
        return ".".join([self._names.get(node.id, node.id), *reversed(parts)])

    def _value(self, node: ast.expr, depth: int = 0) -> Value:
        if depth < _DEPTH:
            match node:
                case ast.Constant(value=None | bool() | int() | float() | str() as value):
                    return value[:300] if isinstance(value, str) else value
                case ast.Tuple() | ast.List():
                    return [self._value(element, depth + 1) for element in node.elts[:8]]
                case ast.Name() if node.id in self._values:
                    return self._values[node.id]
                case ast.Name() if node.id in self._names:
                    return {"name": self._names[node.id][:300]}
                case ast.BinOp(op=ast.Add()):  # IMG_SIZE + (3,)
                    left, right = self._value(node.left, depth + 1), self._value(node.right, depth + 1)
                    if isinstance(left, list) and isinstance(right, list):
                        return [*left, *right][:8]
                case ast.Attribute():
                    return {"name": self._dotted(node)[:300]}
        return {"name": ""}
