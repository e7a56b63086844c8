"""The files on this machine: in the store (`<cache>/weights/`), or in torch's or Keras's own download folders.

A file counts only if it has the manifest's hash, where one is published.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from harness.errors import MachineError, UsageError
from harness.files.hashing import file_sha256
from harness.files.user_folders import default_folder
from harness.files.whole_file import READ_BY_ALL, whole_file
from harness.inputs.weights.download import FAILURES, download, reason
from harness.inputs.weights.entry import WeightsEntry
from harness.inputs.weights.manifest import one

_HUB = "hub/checkpoints"  # below TORCH_HOME
_UNFINISHED = "unfinished"  # below the store: partial downloads, to resume


def path(name: str) -> Path | None:
    """The file's path on this machine, or None. Raises `UsageError` for an unknown name."""
    entry = one(name)
    stored = _folder() / entry.stored_as
    if stored.is_file():  # its hash was checked when it was stored
        return stored
    if entry.place == "download":
        return None
    downloaded = _keras_home() / "models" / entry.file if entry.place == "keras" else _torch_home() / _HUB / entry.file
    return downloaded if not entry.no_hash and downloaded.is_file() and entry.fits(downloaded) else None


def standing_in(name: str) -> WeightsEntry | None:
    """The weights on this machine that can replace `name`. Raises `UsageError` for an unknown name."""
    other = one(name).stand_in
    return one(other) if other and path(other) is not None else None


def fetch(name: str, say: Callable[[str], None]) -> Path:
    """The file: the one that is here already, or downloaded from the first source that has it.

    Raises `UsageError` for an unknown name, `MachineError` with every source's reason when all failed.
    """
    entry = one(name)
    here = path(name)
    if here is not None:
        return here
    if not entry.sources:
        raise MachineError(
            f"no source publishes the weights {name!r}", f"harness weights add {name} FILE, with {entry.about}"
        )
    reasons = []
    for source in entry.sources:
        say(f"{name}: {source}")
        with _unfinished(entry) as file:
            try:
                download(source, file, say)
            except FAILURES as error:
                reasons.append(f"  {source}: {reason(error)}")
                continue
            if entry.fits(file):
                if entry.no_hash:
                    say(f"{name}: taken unchecked, as no hash is published; its SHA-256 is {file_sha256(file)}")
                kept = _keep(entry, file)
                file.unlink()
                return kept
            reasons.append(f"  {source}: {entry.mismatch(file)}")
            file.unlink()
    other = standing_in(name)
    if other is not None:
        for line in (f"no source gave {name}:", *reasons, f"{other.name} stands in for it: {other.about}"):
            say(line)
        here = path(other.name)
        assert here is not None
        return here
    lines = "\n".join([f"no source gave the weights {name!r}:", *reasons])
    do = f"get {entry.file} on a machine that can, then: harness weights add {name} {entry.file}"
    if entry.stand_in:
        do += f"; or add what may stand in for it: harness weights add {entry.stand_in} FILE"
    raise MachineError(lines, do)


def add(name: str, file: Path) -> Path:
    """Store the weights from a file. Raises `UsageError` for an unknown name, and for a wrong hash."""
    entry = one(name)
    try:
        fits = entry.fits(file)
    except OSError as error:
        raise UsageError(f"{file}: cannot be read: {error.strerror}", "name the file of weights itself") from error
    if not fits:
        size = f", {entry.megabytes} MB" if entry.bytes is not None else ""
        raise UsageError(
            f"{file}: these are not the weights {name!r}: {entry.mismatch(file)}",
            f"give {entry.about} ({entry.file}{size}); it may be cut off",
        )
    return _keep(entry, file)


def _folder() -> Path:
    return default_folder() / "weights"


def _torch_home() -> Path:
    """$TORCH_HOME, else $XDG_CACHE_HOME/torch, else ~/.cache/torch: as torch.hub has it."""
    if given := os.environ.get("TORCH_HOME"):
        return Path(given).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "torch"


def _keras_home() -> Path:
    """$KERAS_HOME, else ~/.keras: as Keras has it."""
    return Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser()


@contextlib.contextmanager
def _unfinished(entry: WeightsEntry) -> Iterator[Path]:
    """The file that a download is written to. It is kept for resuming only if a hash can detect a mixed file."""
    folder = _folder() / _UNFINISHED
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryDirectory(dir=folder) as own:
            yield (Path(own) if entry.no_hash else folder) / entry.stored_as
    except OSError as error:
        raise _no_room(folder, error) from error


def _keep(entry: WeightsEntry, file: Path) -> Path:
    """Copy the file into the store, whole or not at all."""
    folder = _folder()
    target = folder / entry.stored_as
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with whole_file(target, READ_BY_ALL) as out, file.open("rb") as stream:
            shutil.copyfileobj(stream, out)
    except OSError as error:
        raise _no_room(folder, error) from error
    return target


def _no_room(folder: Path, error: OSError) -> MachineError:
    return MachineError(
        f"{folder}: cannot keep weights there: {error.strerror}",
        "set HARNESS_CACHE to a folder that you may write, with room for them",
    )
