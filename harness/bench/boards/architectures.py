"""The kernels of networks that published tables name, and the networks' families.

`architectures.csv` is made by `benchmarks/architectures.py`; `architectures.toml` holds the names.
"""

from __future__ import annotations

import csv
import functools
import re
import tomllib
from collections import defaultdict
from pathlib import Path
from typing import Any

from harness.bench.boards.network import Network, Row, likeness

_FOLDER = Path(__file__).parent
_ENDINGS = re.compile(r"(\.onnx|\.engine|\.plan|\.trt|\.pt|\.pth|\.tflite|\.param|\.uff|\.caffemodel|\.prototxt)+$")
_MODULES = re.compile(r"^(torch2trt\.tests\.)?(torchvision|timm|tf|keras)\.([a-z]+\.)*")
_WEIGHTS = re.compile(r"\.[a-z0-9_]*in\d+k\w*$")  # timm's tag of the weights: `resnet50.a1_in1k`
_DATE = re.compile(r"[_-](19|20)\d\d[a-z]*(\d\d)?")
_QUANTISED = re.compile(
    r"-act_int8-wt_int8-quantized|[ _(-]*(int8bq|int8|quantized|quantised|quant|qdq)\b|[_-](int8bq|int8)(?=[_-]|$)"
)
_PRECISION = re.compile(r"[ _(-]+(fp16|fp32|float16|float32|half)\b")
_SIZE = re.compile(r"[ _(@-]+(\d{2,4}x\d{2,4})\b")
_OPSET = re.compile(r"(?<=\d)-(\d|1\d|2[0-3])$")  # the ONNX model zoo's: `resnet50-v1-7`
_SEPARATORS = re.compile(r"[^a-z0-9]+")


@functools.cache
def _names() -> dict[str, Any]:
    return tomllib.loads((_FOLDER / "architectures.toml").read_text(encoding="utf-8"))


@functools.cache
def _rows() -> dict[str, tuple[int, list[Row]]]:
    """Architecture -> the side of its image, and its kernels at that side."""
    sides: dict[str, int] = {}
    rows: dict[str, list[Row]] = defaultdict(list)
    with (_FOLDER / "architectures.csv").open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            sides[row["architecture"]] = int(row["side"])
            shape = tuple(int(part) for part in row["shape"].split("x") if part)
            numbers = (
                int(row[key]) for key in ("operations", "inputs", "weights", "outputs", "nodes", "order", "count")
            )
            rows[row["architecture"]].append(Row(row["kind"], shape, *numbers))
    return {name: (sides[name], rows[name]) for name in rows}


def known() -> list[str]:
    """Every architecture whose kernels are in the table."""
    return sorted(_rows())


def find(name: str) -> str | None:
    """The architecture that a published table calls `name`; None when its kernels are not known.

    Case, separators, leading folders and modules, and a file's suffix, date, size and precision are ignored.
    """
    text = _ENDINGS.sub("", name.strip().lower().rsplit("/", 1)[-1])
    for noise in (_MODULES, _WEIGHTS, _QUANTISED, _PRECISION, _SIZE):
        text = noise.sub("", text)
    undated = _DATE.sub("", text)
    spellings = (_letters(spelling) for spelling in (text, undated, _OPSET.sub("", undated)))
    return next((_by_letters()[spelling] for spelling in spellings if spelling in _by_letters()), None)


@functools.cache
def _by_letters() -> dict[str, str]:
    """Every architecture by its names, reduced to letters and digits."""
    aliases: dict[str, str] = _names()["aliases"]
    return {_letters(name): meant for name, meant in aliases.items()} | {_letters(name): name for name in known()}


def _letters(text: str) -> str:
    return _SEPARATORS.sub("", text)


def size_in(name: str) -> str:
    """The size in a model's name, as in `resnet50_224x224`; empty for none."""
    found = _SIZE.search(name.lower())
    return found[1] if found else ""


def says_int8(name: str) -> bool:
    """Whether a model's name says that it is quantised to int8."""
    return bool(_QUANTISED.search(name.lower()))


@functools.cache
def family(architecture: str) -> str:
    """The architecture's family: networks built from the same blocks."""
    families: dict[str, list[str]] = _names()["families"]
    fitting = [
        (len(start), name) for name, starts in families.items() for start in starts if architecture.startswith(start)
    ]
    return max(fitting)[1] if fitting else architecture


def side(architecture: str) -> int:
    """The side, in pixels, of the image that the architecture was designed for."""
    return _rows()[architecture][0]


@functools.cache
def network(architecture: str, height: int, width: int) -> Network:
    """The kernels of a known architecture for an image of that size."""
    side, rows = _rows()[architecture]
    return Network.scaled(rows, height * width / side**2)


def nearest(network: Network) -> tuple[str, float]:
    """The known architecture with the largest share of work in the same layers, and that share, 0 to 1."""
    likest = {name: likeness(network, _at_home(name)) for name in known()}
    best = max(likest, key=lambda name: likest[name])
    return best, likest[best]


def _at_home(name: str) -> Network:
    return network(name, side(name), side(name))
