"""Texts and numbers as they stand in a cell, where no text is a formula."""

from __future__ import annotations

import re

# A cell that begins with one of these is a formula to a spreadsheet (OWASP, CSV injection).
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


# Where the system's list separator is a semicolon, as in much of Europe, a spreadsheet begins a new cell after each.
_AFTER_SEMICOLON = re.compile(r"(;[\s\"']*)(?=[=+\-@＝＋－＠])")


def harmless(text: str) -> str:
    """The text with line breaks and control characters as spaces, and an apostrophe before a formula."""
    plain = "".join(c if c.isprintable() else " " for c in text)
    plain = _AFTER_SEMICOLON.sub(r"\1'", plain)
    return f"'{plain}" if text.startswith(_FORMULA_STARTS) or begins_formula(plain) else plain


def begins_formula(text: str) -> bool:
    """Whether a spreadsheet takes the text for a formula."""
    return text.lstrip().startswith(_FORMULA_STARTS)


def points(value: float) -> str:
    """At most two decimals, as the rubric rounds."""
    return f"{value:.2f}".rstrip("0").rstrip(".")
