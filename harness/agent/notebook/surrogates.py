"""Half characters: JSON can write one half of an emoji alone (`\\ud83d`), which nothing in UTF-8 can hold."""

from __future__ import annotations

import json
import re
from typing import Any

REPLACEMENT = "\ufffd"
_HALF = re.compile("[\ud800-\udfff]")
_WRITTEN = re.compile(r"\\u[dD][89a-fA-F]|[\ud800-\udfff]")


def whole(text: str) -> str:
    """The text with halves that belong together joined, and every other one replaced by U+FFFD."""
    if _HALF.search(text) is None:
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def parsed(text: str) -> tuple[Any, int]:
    """The JSON document in `text` without half characters, in keys too, and how many were replaced.

    Raises `ValueError` and `RecursionError` as `json.loads` does.
    """
    document = json.loads(text)
    if _WRITTEN.search(text) is None:
        return document, 0
    written = json.dumps(document, ensure_ascii=False)
    clean = whole(written)
    if clean == written:
        return document, 0
    return json.loads(clean), clean.count(REPLACEMENT) - written.count(REPLACEMENT)


def encoded(reply: Any) -> bytes:
    """JSON that every parser takes: what a kernel or a notebook put into it may hold half characters."""
    return whole(json.dumps(reply, ensure_ascii=False)).encode()
