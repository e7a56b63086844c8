"""What published tables call a board, and what such a name says beside the board.

Wider than `boards.load`, which also says what fits into memory: a TX2 4GB is as fast as a TX2, but not as large.
"""

from __future__ import annotations

import functools
import re
import tomllib
from pathlib import Path

from harness.bench.boards.board import Board, load, names

_FILE = Path(__file__).with_name("titles.toml")
# Beside the board: its maker, what it is sold as, the release of JetPack, the power mode, a processor, a precision.
_NOISE = re.compile(
    r"nvidia|jetson|developer|devkit|\bdev\b|\bkit\b|module|\bsom\b|edition|before super"
    r"|(jetpack|\bjp)[ -]?[\d.]*|\bl4t[ -]?[\d.]*|max-?[npq](?![a-z])|\b\d+ ?w\b|\bmode\b"
    r"|\b(cuda|gpu|cpu|fp16|fp32|int8)\b"
)
_GIGABYTES = re.compile(r"(\d+) ?g(i?b)?\b")
_PLAIN = re.compile(r"[^a-z0-9]")


def find(title: str, power_mode: str = "") -> Board | None:
    """The board that a published table means by `title`; None for one that is not known."""
    name = _by_letters().get(_letters(title))
    if name == "jetson-orin-nano" and "super" in power_mode.lower():
        name = "jetson-orin-nano-super"
    return load(name) if name else None


def listed() -> dict[str, list[str]]:
    """What titles.toml lists: by a board's name, its names in published tables."""
    return tomllib.loads(_FILE.read_text(encoding="utf-8"))


@functools.cache
def _by_letters() -> dict[str, str]:
    """Every board by each of its names, in letters and digits alone."""
    every, further = [load(name) for name in names()], listed()
    return {
        _letters(title): board.name
        for board in every
        for title in (board.name, board.title, *board.aliases, *further.get(board.name, ()))
    }


def _letters(title: str) -> str:
    text = _GIGABYTES.sub(r"\1gb", title.lower().replace("_", " "))
    return _PLAIN.sub("", _NOISE.sub(" ", text))
