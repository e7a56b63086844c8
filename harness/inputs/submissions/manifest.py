"""The manifest of a hand-in that `harness check` packed: it names every file with its SHA-256.

A zip or folder with a manifest at its top is one submission, whatever its files are called.
"""

from __future__ import annotations

import hashlib
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
    files: dict[_Name, _Hash]  # path with `/` -> SHA-256 in hex, as `of_folder` gives it for a path that ends in `/`

    def as_bytes(self) -> bytes:
        """The file in a hand-in."""
        return self.model_dump_json(indent=1).encode()


def manifest_of(hashes: Mapping[str, str], opened: Sequence[str], harness: str, most_bytes: int) -> Manifest | None:
    """The manifest of files, path -> SHA-256: each by itself or, where that is too long, the deepest folders as wholes.

    An archive, by its suffix in `opened`, stays by itself. None where even the top is too long.
    """
    for depth in range(max((1, *(name.count("/") for name in hashes))), 0, -1):
        folders: dict[str, list[str]] = {}
        files = {}
        for name, digest in hashes.items():
            if name.count("/") <= depth or name.lower().endswith(tuple(opened)):
                files[name] = digest
            else:
                folders.setdefault("/".join(name.split("/")[:depth]) + "/", []).append(name)
        files |= {folder: of_folder({name: hashes[name] for name in names}) for folder, names in folders.items()}
        made = Manifest(harness=harness, files=dict(sorted(files.items())))
        if len(made.as_bytes()) <= most_bytes:
            return made
    return None


def of_folder(hashes: Mapping[str, str]) -> str:
    """The SHA-256 of the files below a folder: of a line `<SHA-256> <path>` for each, by path."""
    lines = (f"{digest} {name}\n" for name, digest in sorted(hashes.items()))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


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
    files = {unicodedata.normalize("NFC", name): digest for name, digest in hashes.items() if name != MANIFEST}
    has_opened = [name for name in listed if name not in files and name.lower().endswith(tuple(opened))]
    there = _in_folders_of(listed, files, has_opened)
    changed = sorted(name for name in listed if name in there and there[name] != listed[name])
    missing = sorted(set(listed) - set(there) - set(has_opened))
    added = [] if has_opened else sorted(set(there) - set(listed))
    parts = [
        f"{what}: {_listed(names)}"
        for what, names in (("changed", changed), ("missing", missing), ("not in it", added))
        if names
    ]
    return [finding("manifest-mismatch", name=MANIFEST, differences="; ".join(parts))] if parts else []


def _in_folders_of(listed: Mapping[str, str], files: Mapping[str, str], opened: Sequence[str]) -> dict[str, str]:
    """The files, those below a listed folder as one; an opened archive in it leaves its hash as it is listed."""
    wholes = {name for name in listed if name.endswith("/")}
    below: dict[str, dict[str, str]] = {}
    there = {}
    for name, digest in files.items():
        above = (name[: at + 1] for at, letter in enumerate(name) if letter == "/")
        folder = None if name in listed else next((one for one in above if one in wholes), None)
        if folder is None:
            there[name] = digest
        else:
            below.setdefault(folder, {})[name] = digest
    for folder, inside in below.items():
        unknown = any(name.startswith(folder) for name in opened)
        there[folder] = listed[folder] if unknown else of_folder(inside)
    return there


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more
