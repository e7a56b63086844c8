"""Parses a notebook's outputs about its training: learning curves, epochs, parameters, reported accuracy.

Only text of bounded length is parsed, in the formats of Keras, PyTorch's tutorials and torchinfo. The author
reports it: evidence for a reader, never a measurement.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from typing import Any

from . import reported_precision
from .cell import calls, keyword, nodes

_MOST_TEXT = 400_000  # characters of one cell's outputs
_ALL_TEXT = 8_000_000
_MOST_RUNS = 12
_MOST_EPOCHS = 1000
_METRICS = ("loss", "accuracy", "val_loss", "val_accuracy")

_ESCAPE = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
_EPOCH = re.compile(r"(?:^|\W)epochs?\W{0,4}(\d{1,5})(?:\s*(?:/|of)\s*(\d{1,5}))?", re.IGNORECASE)
_BARE_EPOCH = re.compile(r"^\s*\[?\s*(\d{1,5})\s*(?:/\s*(\d{1,5})\s*\])?\s*[:|\]]")
_NUMBER = r"([-+]?(?:\d+\.\d*|\.?\d+)(?:e[-+]?\d+)?|nan|inf)\s*(%?)"
_METRIC = re.compile(
    r"\b((?:train(?:ing|ed)?|val(?:id(?:ation)?)?|test(?:ing)?)(?:[ _.-]|\b))?"
    r"(?:(?:binary|categorical|sparse_categorical|running|epoch|avg|average|mean|total)[ _])*"
    r"(loss|acc(?:uracy)?|top1)\b(?:[ _](?:score|rate))?\s*(?:\[?=|:|is|-)?\s*" + _NUMBER,
    re.IGNORECASE,
)
_BARE = re.compile(r"^\s*(\d{1,4})\s*:\s*(0?\.\d+|1\.0+)\s*$")  # the Jetson course prints `epoch: accuracy`
_PARAMETERS = re.compile(
    r"(?<![\w-])(total|(?<!non-)trainable|non-trainable)\s+param(?:eter)?s?\s*[:#(=]*\s*([\d,._ ]*\d)(?:\s*\(|\b)",
    re.IGNORECASE,
)
_COUNTED = re.compile(r"([\d,_]{4,})\s+(total|trainable|non-trainable)\s+param", re.IGNORECASE)
_REPORT = re.compile(r"^\s*accuracy\s+(0?\.\d+|1\.0+)\s+\d+\s*$", re.MULTILINE)
_PHRASES = (
    (
        "test",
        re.compile(
            r"\btest(?:ing)?[ _-]*(?:set )?acc(?:uracy)?\b(?:\s*\([^)]*\))?[^\d\n]{0,30}?" + _NUMBER, re.IGNORECASE
        ),
    ),
    ("test", re.compile(r"\baccuracy\b[^\d\n]{0,40}\btest\b[^\n]{0,40}?[:=]\s*" + _NUMBER, re.IGNORECASE)),
    ("test", re.compile(r"\baccuracy of the (?:network|model)\b[^\n]{0,60}?[:=]\s*" + _NUMBER, re.IGNORECASE)),
    (
        "validation",
        re.compile(r"\b(?:best )?val(?:id(?:ation)?)?[ _-]*acc(?:uracy)?\b[^\d\n]{0,20}?" + _NUMBER, re.IGNORECASE),
    ),
    (
        "unsaid",
        re.compile(
            r"^\W*(?:final |model |overall )?acc(?:uracy)?(?: score)?\s*(?:is|[:=])\s*" + _NUMBER,
            re.IGNORECASE | re.MULTILINE,
        ),
    ),
)
_ORDER = ("test", "unsaid", "validation", "training")


@dataclass(slots=True)
class Run:
    """One training: its metrics by epoch, as printed."""

    cell: int
    planned: int | None = None
    epochs: list[dict[str, float]] = field(default_factory=list)
    last: int | None = None  # number of the last epoch

    def reply(self) -> dict[str, Any]:
        curves = {name: [epoch.get(name) for epoch in self.epochs] for name in _METRICS}
        return {
            "cell": self.cell,
            "epochs": len(self.epochs),
            "planned": self.planned,
            "curves": {name: values for name, values in curves.items() if any(v is not None for v in values)},
        }


def shown(cells: list[Any]) -> dict[str, Any]:
    """What the code cells' outputs show. `cells`: nbformat's cells that hold code, in order."""
    runs: list[Run] = []
    parameters: dict[str, int] = {}
    claims: list[dict[str, Any]] = []
    precisions: list[dict[str, Any]] = []
    any_output, left = False, _ALL_TEXT
    for number, cell in enumerate(cells, start=1):
        text = text_of_outputs(cell)[: max(0, left)]
        left -= len(text)
        any_output = any_output or bool(cell.get("outputs"))
        if not text:
            continue
        runs += _runs(text, number)
        parameters |= _parameters(text)
        claims += _claims(text, cell.source, number)
        precisions += reported_precision.reported(text, number)
    runs = [run for run in runs if run.epochs][:_MOST_RUNS]
    return {
        "has_outputs": any_output,
        "runs": [run.reply() for run in runs],
        "batch_size": _batch_size(cells),
        "parameters": parameters.get("total"),
        "trainable_parameters": parameters.get("trainable"),
        "frozen_parameters": parameters.get("non-trainable"),
        "claim": _best_claim(claims, runs),
        "average_precision": reported_precision.best(precisions),
    }


def text_of_outputs(cell: Any) -> str:
    """The text of a cell's outputs without escape codes; a rewritten line has all of its states."""
    pieces = []
    for output in cell.get("outputs", []):
        if output.get("output_type") == "stream":
            pieces.append(output.get("text", ""))
        elif output.get("output_type") in ("execute_result", "display_data"):
            pieces += [output.get("data", {}).get("text/plain", ""), "\n"]
    text = "".join("".join(piece) if isinstance(piece, list) else str(piece) for piece in pieces)
    text = _ESCAPE.sub("", text[:_MOST_TEXT])
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\b", "")


def _runs(text: str, number: int) -> list[Run]:
    runs: list[Run] = []
    for line in text.split("\n"):
        line = line[-600:] if len(line) > 3000 else line  # Keras writes its progress bars on one line
        head = _EPOCH.search(line)
        metrics = list(_METRIC.finditer(line))
        if head is None and metrics:
            head = _BARE_EPOCH.match(line)
        if head is not None:
            _begin(runs, int(head[1]), int(head[2]) if head[2] else None, number)
        elif bare := _BARE.match(line):
            _begin(runs, int(bare[1]), None, number)
            runs[-1].epochs[-1]["val_accuracy"] = float(bare[2])
        if runs and runs[-1].epochs and (head is None or metrics):
            _note(runs[-1].epochs[-1], line, metrics)
    for run in runs:
        run.epochs = [epoch for epoch in run.epochs if epoch]
    return runs


def _begin(runs: list[Run], epoch: int, planned: int | None, cell: int) -> None:
    """Begin an epoch: of the current training or, if the count starts again, of a new one."""
    if not runs or runs[-1].last is None or epoch < runs[-1].last or (planned != runs[-1].planned and planned):
        runs.append(Run(cell, planned))
    if runs[-1].last != epoch and len(runs[-1].epochs) < _MOST_EPOCHS:
        runs[-1].epochs.append({})
    runs[-1].last = epoch


def _note(epoch: dict[str, float], line: str, metrics: list[re.Match[str]]) -> None:
    """Note a line's metrics for an epoch; a later line, as of a progress bar, replaces them."""
    side = re.match(r"\s*\W*(train|val|valid|validation|test)(?:ing)?\b", line, re.IGNORECASE)
    for found in metrics:
        prefix = (found[1] or (side[1] if side else "")).lower()
        name = "loss" if found[2].lower() == "loss" else "accuracy"
        if prefix.startswith(("val", "test")):
            name = f"val_{name}"
        value = _value(found[3], found[4])
        if value is not None and (name.endswith("loss") or 0 <= value <= 1):
            epoch[name] = value


def _value(number: str, percent: str) -> float | None:
    try:
        value = float(number.replace(",", ""))
    except ValueError:
        return None
    if value != value or value in (float("inf"), float("-inf")):
        return None
    return value / 100 if percent else value


def _parameters(text: str) -> dict[str, int]:
    """The counts in the last summary, and in sentences like `20,485 trainable parameters`."""
    found: dict[str, int] = {}
    for match in _PARAMETERS.finditer(text):
        found[match[1].lower()] = _count(match[2])
    for match in _COUNTED.finditer(text):
        found.setdefault(match[2].lower(), _count(match[1]))
    return {kind: count for kind, count in found.items() if count <= 10**13}


def _count(text: str) -> int:
    return int(re.sub(r"\D", "", text)[:18] or 0)


def _claims(text: str, source: str, number: int) -> list[dict[str, Any]]:
    """Accuracies that a cell reports, each with its words."""
    claims = []
    in_training = bool(_EPOCH.search(text))
    for kind, pattern in _PHRASES:
        if in_training and kind == "unsaid":
            continue
        for found in pattern.finditer(text):
            value = _share(found[1], found[2])
            if value is not None:
                claims.append(_claim(kind, value, number, found[0]))
    for found in _REPORT.finditer(text):
        claims.append(_claim("test", float(found[1]), number, found[0]))
    pair = re.match(r"\s*[\[(]\s*[\d.e+-]+\s*,\s*(0?\.\d+|1\.0+|1)\s*[\])]\s*$", text.strip().split("\n")[-1])
    if pair and any(True for _ in calls(source, "evaluate", "evaluate_generator")):
        claims.append(_claim("test" if "test" in source else "validation", float(pair[1]), number, pair[0]))
    return claims


def _share(number: str, percent: str) -> float | None:
    value = _value(number, percent)
    if value is not None and not percent and 1 < value <= 100:
        value /= 100
    return value if value is not None and 0 < value <= 1 else None


def _claim(kind: str, value: float, cell: int, words: str) -> dict[str, Any]:
    return {"kind": kind, "accuracy": value, "cell": cell, "words": " ".join(words.split())[:200]}


def _best_claim(claims: list[dict[str, Any]], runs: list[Run]) -> dict[str, Any] | None:
    """The last claim about test images, else the last claim, else the last epoch's accuracy."""
    for kind in _ORDER:
        if of_kind := [claim for claim in claims if claim["kind"] == kind]:
            return of_kind[-1]
    for name, kind in (("val_accuracy", "validation"), ("accuracy", "training")):
        for run in reversed(runs):
            if name in run.epochs[-1]:
                return _claim(kind, run.epochs[-1][name], run.cell, f"last epoch, {name}")
    return None


def _batch_size(cells: list[Any]) -> int | None:
    """The last batch size that the code gives as a number."""
    sizes: list[int] = []
    for cell in cells:
        for node in nodes(cell.source):
            value = None
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                if re.fullmatch(r"(?:train_)?(?:batch_?size|bs|BATCH_?SIZE)", node.targets[0].id, re.IGNORECASE):
                    value = node.value
            elif isinstance(node, ast.Call) and (given := keyword(node, "batch_size")) is not None:
                value = given.value
            if isinstance(value, ast.Constant) and type(value.value) is int and 0 < value.value <= 10**6:
                sizes.append(value.value)
    return sizes[0] if sizes else None
