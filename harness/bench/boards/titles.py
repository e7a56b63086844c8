"""Finds the board that a published table means, and parses what else the name says.

It is more tolerant than `boards.load`, which also decides what fits into memory: a TX2 4GB is as fast as a TX2, but has
less memory.
"""

from __future__ import annotations

import functools
import re
import tomllib
from pathlib import Path

from harness.bench.boards.board import Board, load, names

_FILE = Path(__file__).with_name("titles.toml")
# Besides the board: maker, product name, JetPack release, power mode, processor, precision.
_NOISE = re.compile(
    r"nvidia|jetson|developer|devkit|\bdev\b|\bkit\b|module|\bsom\b|edition|before super"
    r"|(jetpack|\bjp)[ -]?[\d.]*|\bl4t[ -]?[\d.]*|max-?[npq](?![a-z])|\b\d+ ?w\b|\bmode\b"
    r"|\b(cuda|gpu|cpu|fp16|fp32|int8)\b"
)
_GIGABYTES = re.compile(r"(\d+) ?g(i?b)?\b")
_PLAIN = re.compile(r"[^a-z0-9]")


def find(title: str, power_mode: str = "") -> Board | None:
    """The board that a published table calls `title`; None for an unknown one."""
    name = _by_letters().get(_letters(title))
    if name == "jetson-orin-nano" and "super" in power_mode.lower():
        name = "jetson-orin-nano-super"
    return load(name) if name else None


def listed() -> dict[str, list[str]]:
    """Board name -> its names in published tables, from titles.toml."""
    return tomllib.loads(_FILE.read_text(encoding="utf-8"))


@functools.cache
def _by_letters() -> dict[str, str]:
    """Every board by each of its names, reduced to letters and digits."""
    every, further = [load(name) for name in names()], listed()
    return {
        _letters(title): board.name
        for board in every
        for title in (board.name, board.title, *board.aliases, *further.get(board.name, ()))
    }


def _letters(title: str) -> str:
    text = _GIGABYTES.sub(r"\1gb", title.lower().replace("_", " "))
    return _PLAIN.sub("", _NOISE.sub(" ", text))
