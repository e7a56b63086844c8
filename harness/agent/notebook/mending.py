"""Fills in what a notebook file lacks: tools and people leave out keys that Jupyter always writes."""

from __future__ import annotations

import re
from typing import Any

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_KEYS = {
    "code": ("cell_type", "id", "metadata", "source", "outputs", "execution_count"),
    "markdown": ("cell_type", "id", "metadata", "source", "attachments"),
    "raw": ("cell_type", "id", "metadata", "source", "attachments"),
}


def mended(raw: dict[str, Any]) -> dict[str, Any]:
    """The notebook with every key that format 4 requires, without invalid cells and unknown keys of cells.

    A notebook of format 3 or older is returned unchanged, because nbformat upgrades it.
    """
    if not isinstance(raw.get("cells"), list):
        return raw
    cells = [_cell(cell) for cell in raw["cells"] if isinstance(cell, dict)]
    metadata = raw.get("metadata")
    minor = raw.get("nbformat_minor")
    return {
        "nbformat": raw.get("nbformat", 4),
        "nbformat_minor": minor if type(minor) is int and 0 <= minor <= 5 else 5,
        "metadata": metadata if isinstance(metadata, dict) else {},
        "cells": cells,
    }


def _cell(raw: dict[str, Any]) -> dict[str, Any]:
    kind = raw.get("cell_type")
    if kind not in _KEYS:
        kind = "raw"
    cell = {key: raw[key] for key in _KEYS[kind] if key in raw} | {"cell_type": kind}
    if not (isinstance(cell.get("id"), str) and _ID.fullmatch(cell["id"])):
        cell.pop("id", None)  # nbformat adds a new one
    if not isinstance(cell.get("metadata"), dict):
        cell["metadata"] = {}
    if not _is_text(cell.get("source")):
        cell["source"] = ""
    if not isinstance(cell.get("attachments", {}), dict):
        del cell["attachments"]
    if kind == "code":
        cell["execution_count"] = None
        outputs = cell.get("outputs")
        cell["outputs"] = [one for one in outputs if _is_output(one)] if isinstance(outputs, list) else []
    return cell


def _is_text(value: object) -> bool:
    return isinstance(value, str) or (isinstance(value, list) and all(isinstance(line, str) for line in value))


def _is_output(value: object) -> bool:
    """Whether it is an output of format 4, as far as the agent reads one."""
    if not isinstance(value, dict):
        return False
    match value.get("output_type"):
        case "stream":
            return isinstance(value.get("name"), str) and _is_text(value.get("text"))
        case "display_data" | "execute_result":
            return isinstance(value.get("data"), dict) and isinstance(value.get("metadata"), dict)
        case "error":
            return isinstance(value.get("traceback"), list) and "ename" in value and "evalue" in value
    return False
