"""Text that may be a student's, made fit to stand in a sentence."""

from __future__ import annotations


def with_detail(sentence: str, detail: str) -> str:
    """`It stopped.` and `no such file` -> `It stopped: no such file.`"""
    if not detail:
        return sentence
    end = "." if sentence.endswith(".") else ""
    return f"{sentence.removesuffix('.')}: {detail.removesuffix('.')}{end}"


def one_line(text: str, limit: int = 300) -> str:
    """Control characters and line breaks out, cut at `limit`: the text may be a student's."""
    shown = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"
