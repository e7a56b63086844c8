"""Reads lines that LMSs write: Blackboard's receipt, and nbgrader's time."""

from __future__ import annotations

import re
from typing import Any

from .sources import first_bytes

_RECEIPT_BYTES = 2_000
_RECEIPT_LINE = re.compile(r"[^:\n]{1,40}:\s*(?P<name>[^\n]{1,200}?)\s*\((?P<user>[^()\s]{1,100})\)\s*")
_STAMP_BYTES = 200


def receipt(file: dict[str, Any]) -> list[str] | None:
    """The full name and the user's name in the first line; None when it has not this form."""
    first_line = first_bytes(file, _RECEIPT_BYTES).decode("utf-8-sig", "replace").partition("\n")[0]
    match = _RECEIPT_LINE.fullmatch(first_line)
    return [match["name"], match["user"]] if match else None


def stamp(file: dict[str, Any]) -> str:
    """The first line of a short text."""
    return first_bytes(file, _STAMP_BYTES).decode("utf-8-sig", "replace").partition("\n")[0].strip()
