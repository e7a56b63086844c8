"""Makes a student's text plain: no character in it moves, hides or reorders the text around it."""

from __future__ import annotations

import re

# Control characters except tab and newline; invisible and bidirectional ones (Trojan Source, CVE-2021-42574)
# except the zero-width joiners, which emoji and some scripts need; lone surrogates, which UTF-8 does not have.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f"
    "\ufeff\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)
_LINE_ENDS = re.compile("\r\n|[\x0b\x0c\x85\u2028\u2029]")
_MARKS = "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]"
_STACKED = re.compile(f"({_MARKS}{{4}}){_MARKS}+")
_ESCAPES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor
    r"|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)"  # OSC: titles, links
    r"|\x1b[ -/]*[0-~]"
)


def plain(text: str) -> str:
    """The text without control, bidirectional and invisible characters; line breaks and tabs are kept."""
    text = _INVISIBLE.sub("", _LINE_ENDS.sub("\n", text))
    return _STACKED.sub(r"\1", text)


def terminal_text(text: str) -> str:
    """The text as a terminal would show it: no escape codes, and only the last state of a rewritten line."""
    lines = _LINE_ENDS.sub("\n", _ESCAPES.sub("", text)).split("\n")
    return plain("\n".join(line.rstrip("\r").rpartition("\r")[2] for line in lines))


def cut(text: str, limit: int) -> tuple[str, int]:
    """The text's beginning and end, `limit` characters in all, and how many between them were left out."""
    if len(text) <= limit:
        return text, 0
    head = limit * 3 // 4
    tail = limit - head
    return f"{text[:head]}\n⋯\n{text[-tail:]}", len(text) - limit
