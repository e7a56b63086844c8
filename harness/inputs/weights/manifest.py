"""The manifest: files that libraries publish (written by `tools/published`), and entries added by hand."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

from harness.errors import UsageError, nearest
from harness.inputs.weights.entry import WeightsEntry

FOLDER = Path(__file__).parent
_BY_HAND = "by_hand.toml"
_ORDER = ("torchvision.toml", _BY_HAND)  # then the others; of equal backbones the first names the model


@cache
def _manifest(folder: Path) -> dict[str, WeightsEntry]:
    read = {file.name: tomllib.loads(file.read_text(encoding="utf-8")) for file in folder.glob("*.toml")}
    by_hand = read.get(_BY_HAND, {})
    known: dict[str, dict[str, object]] = {}
    for file in sorted(read, key=lambda file: (_ORDER.index(file) if file in _ORDER else len(_ORDER), file)):
        for name, keys in read[file].items():
            known[name] = known.get(name, {}) | keys | by_hand.get(name, {})
    return {name: WeightsEntry.model_validate({"name": name, **keys}) for name, keys in known.items()}


@cache
def _by_address(folder: Path) -> dict[str, WeightsEntry]:
    return {source.url: entry for entry in _manifest(folder).values() for source in entry.sources if source.url}


@cache
def _by_file(folder: Path) -> dict[str, WeightsEntry]:
    return {entry.file: entry for entry in _manifest(folder).values() if entry.place != "download"}


@cache
def _asked(folder: Path) -> dict[str, tuple[WeightsEntry, ...]]:
    found: dict[str, tuple[WeightsEntry, ...]] = {}
    for entry in _manifest(folder).values():
        for ask in entry.asked_as:
            found[ask] = (*found.get(ask, ()), entry)
    return found


def list_weights() -> list[WeightsEntry]:
    """All that the manifest knows, in its order."""
    return list(_manifest(FOLDER).values())


def named(name: str) -> tuple[WeightsEntry, ...]:
    """The entry with this name, or all parts of the image set. Raises `UsageError` for an unknown name."""
    known = _manifest(FOLDER)
    if name in known:
        return (known[name],)
    parts = tuple(entry for entry in known.values() if entry.part_of == name)
    if parts:
        return parts
    sets = {entry.part_of for entry in known.values() if entry.part_of}
    raise UsageError(
        f"unknown weights {name!r}", nearest(name, [*known, *sets], "`harness weights list` shows all names")
    )


def one(name: str) -> WeightsEntry:
    """The entry with this name. Raises `UsageError` for an unknown name, and for a set of several files."""
    entries = named(name)
    if len(entries) > 1:
        raise UsageError(
            f"{name!r} is {len(entries)} files", f"name one of {', '.join(entry.name for entry in entries)}"
        )
    return entries[0]


def by_file(file: str) -> WeightsEntry | None:
    """The weights that are published under this file name, if the manifest knows them."""
    return _by_file(FOLDER).get(file)


def by_address(address: str) -> WeightsEntry | None:
    """What is published at this address, if the manifest knows it."""
    return _by_address(FOLDER).get(address)


def asked_as(ask: str) -> tuple[WeightsEntry, ...]:
    """The entries that a call, in the form of `asked.py`, makes a library load; empty if they are not known."""
    return _asked(FOLDER).get(ask, ())
