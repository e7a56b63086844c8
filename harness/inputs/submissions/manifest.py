"""The manifest of a hand-in that `harness check` packed: it names every file with its SHA-256.

A zip or folder with a manifest at its top is one submission, whatever its files are called.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from harness.apart.submissions.budget import as_text
from harness.boundary.bounded_json import Unbounded, read_bounded
from harness.findings import Finding, finding

MANIFEST = "handin-manifest.json"
MOST_CHARACTERS = 1000  # of a path
_MOST_NAMED = 5

_Name = Annotated[str, Field(max_length=MOST_CHARACTERS)]
_Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Manifest(BaseModel):
    """What a hand-in held when it was packed."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, serialize_by_alias=True)

    schema_: Literal[1] = Field(1, alias="schema")
    harness: str = Field(max_length=60)  # the version that packed it
    files: dict[_Name, _Hash]  # path with `/` -> SHA-256 in hex; without the manifest itself


def name_of(path: PurePath) -> str:
    """A file's name in a hand-in and its manifest, alike on every system."""
    return unicodedata.normalize("NFC", as_text(path.as_posix()))


def judged(root: Path, hashes: Mapping[str, str], opened: Sequence[str]) -> list[Finding]:
    """Findings where the files differ from the manifest in `root`; none without a manifest.

    `hashes`: path -> SHA-256 of every file there. `opened`: suffixes of archives that intake replaces by their content.
    """
    file = root / MANIFEST
    if not file.is_file() or file.is_symlink():
        return []
    try:
        listed = Manifest.model_validate_json(read_bounded(file)).files
    except (Unbounded, ValidationError, OSError):
        return [finding("manifest-unreadable", name=MANIFEST)]
    there = {unicodedata.normalize("NFC", name): digest for name, digest in hashes.items() if name != MANIFEST}
    has_opened = [name for name in listed if name not in there and name.lower().endswith(tuple(opened))]
    changed = sorted(name for name in listed if name in there and there[name] != listed[name])
    missing = sorted(set(listed) - set(there) - set(has_opened))
    added = [] if has_opened else sorted(set(there) - set(listed))
    parts = [
        f"{what}: {_listed(names)}"
        for what, names in (("changed", changed), ("missing", missing), ("not in it", added))
        if names
    ]
    return [finding("manifest-mismatch", name=MANIFEST, differences="; ".join(parts))] if parts else []


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more
