"""What stages made, on disk: files by the hash of their content, results by the hash of their inputs.

    <folder>/blobs/ab/abcd…     a file; its name is its SHA-256
    <folder>/results/ab/abcd…   a stage's result as JSON; its name is the key of the stage's inputs

Everything is written to a temporary name and renamed, so a killed run leaves no half-written entry.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from pathlib import Path

from harness.errors import MachineError
from harness.evidence.record import Blob

_CHUNK = 1 << 20


def file_sha256(file: Path) -> str:
    """The SHA-256 of a file's content, in hex."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


class Store:
    """A folder of blobs and results; several processes may use it at once."""

    def __init__(self, folder: Path) -> None:
        """Raises `MachineError` when the folder cannot be made or written."""
        self.folder = folder
        try:
            for part in ("blobs", "results"):
                (folder / part).mkdir(parents=True, exist_ok=True, mode=0o700)
            with tempfile.TemporaryFile(dir=folder):
                pass
        except OSError as error:
            raise MachineError(
                f"{folder}: cannot keep results there: {error.strerror}",
                "set HARNESS_CACHE to a folder that you may write",
            ) from error

    def put(self, file: Path, name: str) -> Blob:
        """Copy a file in; `name` is what to call it when it is shown or mounted."""
        digest = file_sha256(file)
        target = self._place("blobs", digest)
        if not target.exists():
            self._write(target, file)
        return Blob(name=name, sha256=digest, bytes=file.stat().st_size)

    def path(self, blob: Blob) -> Path:
        """Where the blob's bytes lie. Never write there."""
        return self._place("blobs", blob.sha256)

    def has(self, blob: Blob) -> bool:
        return self.path(blob).is_file()

    def result(self, key: str) -> bytes | None:
        """The JSON kept under `key`, or None."""
        try:
            return self._place("results", key).read_bytes()
        except FileNotFoundError:
            return None

    def keep(self, key: str, result: bytes) -> None:
        """Keep a stage's JSON under `key`."""
        self._write(self._place("results", key), result)

    def _place(self, part: str, digest: str) -> Path:
        return self.folder / part / digest[:2] / digest

    def _write(self, target: Path, content: Path | bytes) -> None:
        target.parent.mkdir(exist_ok=True, mode=0o700)
        handle, temporary = tempfile.mkstemp(dir=self.folder, prefix="writing-")
        try:
            with os.fdopen(handle, "wb") as stream:
                if isinstance(content, bytes):
                    stream.write(content)
                else:
                    with content.open("rb") as source:
                        shutil.copyfileobj(source, stream, _CHUNK)
                os.fchmod(stream.fileno(), 0o644)  # the sandbox's own user reads mounted blobs
            Path(temporary).replace(target)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise


def default_folder() -> Path:
    """$HARNESS_CACHE, else $XDG_CACHE_HOME/harness, else ~/.cache/harness.

    Raises `MachineError` when there is no home folder either.
    """
    if given := os.environ.get("HARNESS_CACHE"):
        return Path(given).resolve()
    if xdg := os.environ.get("XDG_CACHE_HOME"):
        return Path(xdg).resolve() / "harness"
    try:
        return Path.home().resolve() / ".cache" / "harness"
    except RuntimeError as error:
        raise MachineError(
            "there is no home folder to keep results in", "set HARNESS_CACHE to a folder that you may write"
        ) from error
