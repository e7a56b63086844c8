"""The parts of an executed notebook that are shown: bounded text and PNG images, within 1 MiB of JSON.

It prints a line of JSON, then the bytes of the images, one after another:

    {"problem": null, "cells_left_out": 0, "cells": [{"kind": "code", "source": "1 + 1", "left_out": 0, "number": 1,
     "outputs": [{"kind": "result", "text": "2", "left_out": 0}, {"kind": "image", "bytes": 812}]}]}

The file is a student's: whatever it holds costs memory and time of this process only.
"""

from __future__ import annotations

import base64
import binascii
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from . import notebook_file
from .notebook_file import NoNotebook, is_code, listed, text
from .plain import cut, plain, terminal_text

_FILE_BYTES = 24 * 10**6
_JSON_BYTES = 2**20 - 1024  # what the harness reads
_CELLS = 500
_CELL_CHARACTERS = 20_000  # of a cell's source, and of one output
_ALL_CHARACTERS = 400_000
_OUTPUTS = 50  # of one cell
_IMAGE_BYTES = 2 * 10**6
_ALL_IMAGE_BYTES = 8 * 10**6

Made = dict[str, Any]


def main(file: str) -> None:
    """Print the shown parts of the notebook `file`."""
    images: list[bytes] = []
    try:
        said = _encoded(shown(Path(file), images), images)
    except MemoryError:
        images = []
        said = json.dumps({"problem": "too-large"}).encode()
    sys.stdout.buffer.write(said + b"\n" + b"".join(images))


def shown(file: Path, images: list[bytes]) -> Made:
    """The cells, or the problem. Appends the images to `images`."""
    try:
        cells = notebook_file.cells(notebook_file.read(file, _FILE_BYTES))
    except NoNotebook as problem:
        return {"problem": str(problem)}
    budget = _Budget(images)
    made = []
    for raw_cell in cells[:_CELLS]:
        if budget.characters <= 0:
            break
        made.append(_cell(raw_cell, budget))
    return {"cells": made, "cells_left_out": len(cells) - len(made)}


def _encoded(made: Made, images: list[bytes]) -> bytes:
    """The JSON; where it would be too long, with fewer cells and without their images."""
    while True:
        said = json.dumps(made, ensure_ascii=False).encode("utf-8", "replace")
        if len(said) <= _JSON_BYTES:
            return said
        last = made["cells"].pop()
        made["cells_left_out"] += 1
        drawn = sum(output["kind"] == "image" for output in last["outputs"])
        del images[len(images) - drawn :]


class _Budget:
    """How much may still be shown."""

    def __init__(self, images: list[bytes]) -> None:
        self.characters = _ALL_CHARACTERS
        self.code_cells = 0
        self.images = images

    def take(self, text: str) -> Made:
        kept, left_out = cut(text, min(_CELL_CHARACTERS, max(self.characters, 0)))
        self.characters -= len(kept)
        return {"text": kept, "left_out": left_out}

    def image_bytes(self) -> int:
        return _ALL_IMAGE_BYTES - sum(map(len, self.images))


def _cell(raw: dict[str, Any], budget: _Budget) -> Made:
    taken = budget.take(plain(notebook_file.source(raw)))
    cell: Made = {"kind": "raw", "source": taken["text"], "left_out": taken["left_out"], "number": None, "outputs": []}
    if raw.get("cell_type") == "markdown":
        cell["kind"] = "markdown"
    elif is_code(raw):
        cell["kind"] = "code"
        if cell["source"].strip():  # empty cells are not run, and not counted
            budget.code_cells += 1
            cell["number"] = budget.code_cells
        cell["outputs"] = list(_outputs(listed(raw.get("outputs")), budget))
    return cell


def _outputs(raw: list[Any], budget: _Budget) -> Iterator[Made]:
    for one in raw[:_OUTPUTS]:
        if not isinstance(one, dict):
            continue
        match one.get("output_type"):
            case "stream":
                kind = "stderr" if one.get("name") == "stderr" else "stdout"
                yield {"kind": kind, **budget.take(terminal_text(text(one.get("text"))))}
            case "error":
                yield {"kind": "error", **budget.take(terminal_text(_traceback(one)))}
            case "display_data" | "execute_result":
                data = one.get("data")
                yield _display(data if isinstance(data, dict) else {}, budget)
    if len(raw) > _OUTPUTS:
        yield _not_shown("rest", str(len(raw) - _OUTPUTS))


def _traceback(raw: dict[str, Any]) -> str:
    frames = [line for line in listed(raw.get("traceback")) if isinstance(line, str)]
    return "\n".join(frames) or f"{text(raw.get('ename'))}: {text(raw.get('evalue'))}"


def _display(data: dict[str, Any], budget: _Budget) -> Made:
    if "image/png" in data:
        return _image(text(data["image/png"]), budget)
    if "text/plain" in data:
        return {"kind": "result", **budget.take(terminal_text(text(data["text/plain"])))}
    return _not_shown("kind", plain(", ".join(str(kind)[:40] for kind in list(data)[:3])))


def _image(encoded: str, budget: _Budget) -> Made:
    """The bytes of an image, unchecked: the report checks whether they are one."""
    if len(encoded) > 2 * _IMAGE_BYTES:
        return _not_shown("image")
    try:
        content = base64.b64decode("".join(encoded.split()), validate=True)
    except (binascii.Error, ValueError):
        return _not_shown("image")
    if len(content) > min(_IMAGE_BYTES, budget.image_bytes()):
        return _not_shown("image")
    budget.images.append(content)
    return {"kind": "image", "bytes": len(content)}


def _not_shown(what: str, detail: str = "") -> Made:
    return {"kind": "not-shown", "what": what, "detail": detail}
