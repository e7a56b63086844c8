"""Text that may be a student's, made fit to stand in a sentence."""

from __future__ import annotations

import re

_MOST_OF_IT = 0.6  # of a limit; a shorter text would lose more than a half sentence says
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\^_])")


FOR_INSTRUCTOR = "For the instructor: "  # begins the last sentence of a message, where only the instructor can do it

_ON_ONES_OWN_MACHINE = {
    "the grading machine": "this machine",
    "The grading machine": "This machine",
    "held-out images": "images here",
    "held-out image": "image here",
}


def said_to_student(message: str) -> str:
    """The message without what it says to the instructor."""
    return message.partition(FOR_INSTRUCTOR)[0].rstrip()


def said_on_ones_own_machine(message: str) -> str:
    """The message as a student reads it who found this out himself: the machine is his, and so is what to do.

    Held-out images are on no student's machine: others stand for them.
    """
    known, _, to_do = message.partition(FOR_INSTRUCTOR)
    text = known + to_do[:1].upper() + to_do[1:]
    for in_grading, here in _ON_ONES_OWN_MACHINE.items():
        text = text.replace(in_grading, here)
    return text


def with_detail(sentence: str, detail: str) -> str:
    """`It stopped.` and `no such file` -> `It stopped: no such file.`"""
    if not detail:
        return sentence
    end = "." if sentence.endswith(".") else ""
    return f"{sentence.removesuffix('.')}: {detail.removesuffix('.')}{end}"


def one_line(text: str, limit: int = 300) -> str:
    """Escape codes, control characters and line breaks out; the text may be a student's.

    At most `limit` characters: a longer one ends after a sentence that fills most of it, else after a word, with an
    ellipsis.
    """
    text = _ESCAPES.sub("", text)
    shown = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    if len(shown) <= limit:
        return shown
    kept = shown[: limit - 1]
    end = max(kept.rfind(mark) for mark in (". ", "; ", "! ", "? "))
    if end >= _MOST_OF_IT * limit:
        return f"{kept[:end]} …"
    if shown[limit - 1] != " ":
        kept = kept.rpartition(" ")[0] or kept
    return kept.rstrip(" .,:;([{'\"") + "…"
