"""Reads a notebook file as students hand it in, tolerantly."""

from __future__ import annotations

import codecs
import json
import warnings
from pathlib import Path
from typing import Any

import nbformat

from ..phases.error_text import one_sentence
from . import surrogates
from .language import assumed, foreign
from .mending import mended

_LARGEST = 200 * 2**20  # bytes
_MOST_CELLS = 5_000
# What nbformat raises for a file that is not a notebook: also failed assertions and lookups.
_INVALID = (
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    AssertionError,
    ArithmeticError,
    NameError,
    nbformat.ValidationError,
)
PYTHON_ASSUMED = "python_assumed"  # in the metadata that `read` gives: why Python is only an assumption
HALVES = "half_characters"  # likewise: how many half characters were replaced


class Unreadable(Exception):
    """The file is not a notebook that can be run. The message is for the student."""


def read(file: Path) -> Any:
    """The notebook as nbformat 4, as it was handed in but for half characters (`surrogates`). Raises `Unreadable`."""
    size = file.stat().st_size
    if size > _LARGEST:
        raise Unreadable(f"it is {size / 1e6:.0f} MB; clear its outputs and save it again")
    try:
        raw, replaced = surrogates.parsed(_text(file.read_bytes()))
        notebook = _upgraded(raw)
    except RecursionError:
        raise Unreadable("it is nested too deeply") from None
    except _INVALID as error:
        raise Unreadable(f"it is no notebook ({one_sentence(str(error), 120)}); save it again from Jupyter") from error
    if len(notebook.cells) > _MOST_CELLS:
        raise Unreadable(f"it has {len(notebook.cells)} cells; at most {_MOST_CELLS} are run")
    notebook.metadata[HALVES] = replaced
    return notebook


def clear_outputs(notebook: Any) -> None:
    """Remove the saved outputs."""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None


def code_cells(notebook: Any) -> list[Any]:
    """The cells that hold code, in order: every message calls the n-th of them code cell n."""
    return [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]


def _text(content: bytes) -> str:
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return content.decode("utf-16", "surrogatepass")
    return content.removeprefix(codecs.BOM_UTF8).decode("utf-8", "surrogatepass")


def _upgraded(raw: Any) -> Any:
    """The notebook as nbformat 4, with missing keys filled in. Raises what nbformat raises."""
    if not isinstance(raw, dict) or not ("cells" in raw or "worksheets" in raw):
        raise ValueError("it has no cells")
    raw.setdefault("metadata", {})
    if other := foreign(raw["metadata"]):  # before invalid metadata are removed
        raise Unreadable(f"it is written for {other}, not for Python")
    python_assumed = assumed(raw["metadata"])
    raw = mended(raw)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        notebook: Any = nbformat.reads(json.dumps(raw), as_version=4)
        _, notebook = nbformat.validator.normalize(notebook, strip_invalid_metadata=True)
        nbformat.validate(notebook)
    notebook.metadata[PYTHON_ASSUMED] = python_assumed
    return notebook
