"""Pre-trained weights: a manifest of what is known (weights.toml), and the files that are here.

A file counts only with the manifest's hash, where one is published. It lies in the store
(`<cache>/weights/`), or where torch or Keras itself keeps what it downloaded.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
import urllib.request
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import IO, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from harness.errors import MachineError, UsageError, nearest
from harness.files.hashing import file_sha256
from harness.files.user_folders import default_folder
from harness.files.whole_file import READ_BY_ALL, whole_file

MANIFEST = Path(__file__).with_name("weights.toml")
_URL_SECONDS = 4.0  # for a connection, and for each read
_PIP_SECONDS = 300.0  # the whole download of a wheel
_LARGEST = 2 << 30  # bytes
_HUB = "hub/checkpoints"  # below TORCH_HOME
_KERAS = "keras/models"  # below what is mounted; Keras itself looks in ~/.keras/models


class Source(BaseModel):
    """Where a file can be had: an address, or a member of a wheel on a package index."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str = ""
    wheel: str = Field("", pattern=r"^$|^[A-Za-z0-9._-]+==[A-Za-z0-9.]+$", description="package==version")
    member: str = ""

    @model_validator(mode="after")
    def _one_kind(self) -> Source:
        if bool(self.url) == bool(self.wheel) or bool(self.wheel) != bool(self.member):
            raise ValueError("a source has `url`, or `wheel` and `member`")
        return self

    def __str__(self) -> str:
        return self.url or f"{self.member.rpartition('/')[2]} in the wheel {self.wheel}"


class TrainedOn(BaseModel):
    """What images went through in the backbone's own training: x = (pixel * scale - mean) / std."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    colour: Literal["RGB", "BGR"]
    scale: float
    mean: tuple[float, float, float]
    std: tuple[float, float, float]


class WeightsEntry(BaseModel):
    """One file of pre-trained weights, as the manifest describes it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    file: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    sha256: str = Field("", pattern=r"^([0-9a-f]{64})?$")
    sha256_prefix: str = Field("", pattern=r"^([0-9a-f]{8,64})?$")
    md5: str = Field("", pattern=r"^([0-9a-f]{32})?$")
    no_hash: bool = False
    bytes: int
    licence: str
    about: str
    place: Literal["torch", "keras"] = "torch"
    stand_in: str = ""
    sources: tuple[Source, ...]
    trained_on: TrainedOn | None = None

    @model_validator(mode="after")
    def _has_a_hash(self) -> WeightsEntry:
        if self.no_hash == bool(self.digest or self.md5):
            raise ValueError("weights need sha256, sha256_prefix or md5, or else no_hash")
        return self

    @property
    def digest(self) -> str:
        """The digits that the file's SHA-256 must begin with: all 64 where they are known."""
        return self.sha256 or self.sha256_prefix

    @property
    def mounted_path(self) -> str:
        """Where the library looks for the file, below what is mounted."""
        return f"{_KERAS if self.place == 'keras' else _HUB}/{self.file}"

    def fits(self, file: Path) -> bool:
        """Whether the file is the one that the manifest means; where no hash is published, any file."""
        if self.md5:
            with file.open("rb") as stream:
                return hashlib.file_digest(stream, "md5").hexdigest() == self.md5
        return file_sha256(file).startswith(self.digest)

    def as_dict(self) -> dict[str, Any]:
        """The entry for `--json`."""
        return self.model_dump() | {"mounted_path": self.mounted_path}


@cache
def _manifest(file: Path) -> dict[str, WeightsEntry]:
    known = tomllib.loads(file.read_text(encoding="utf-8"))
    return {name: WeightsEntry.model_validate({"name": name, **entry}) for name, entry in known.items()}


def list_weights() -> list[WeightsEntry]:
    """All weights that the manifest knows, in its order."""
    return list(_manifest(MANIFEST).values())


def path(name: str) -> Path | None:
    """Where the weights lie on this machine, or None. Raises `UsageError` for a name nobody knows."""
    entry = _entry(name)
    stored = _folder() / entry.file
    if stored.is_file():  # its hash was checked when it came in
        return stored
    downloaded = _keras_home() / "models" / entry.file if entry.place == "keras" else _torch_home() / _HUB / entry.file
    return downloaded if not entry.no_hash and downloaded.is_file() and entry.fits(downloaded) else None


def by_file(file: str) -> WeightsEntry | None:
    """The weights that are published under this file name, if the manifest knows them."""
    return next((entry for entry in list_weights() if entry.file == file), None)


def standing_in(name: str) -> WeightsEntry | None:
    """The weights that serve in the place of `name`, and are here. Raises `UsageError` for an unknown name."""
    other = _entry(name).stand_in
    return _entry(other) if other and path(other) is not None else None


def fetch(name: str, say: Callable[[str], None]) -> Path:
    """Get the weights from the first source that has them; where they are here already, that file.

    Raises `UsageError` for an unknown name, `MachineError` with every source's reason when all failed.
    """
    entry = _entry(name)
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
        with tempfile.TemporaryDirectory(prefix="harness-weights-") as folder:
            file = Path(folder) / entry.file
            try:
                _download(source, file)
            except (OSError, subprocess.SubprocessError, zipfile.BadZipFile, KeyError, ValueError) as error:
                reasons.append(f"  {source}: {_reason(error)}")
                continue
            if entry.fits(file):
                if entry.no_hash:
                    say(f"{name}: taken unchecked, as no hash is published; its SHA-256 is {file_sha256(file)}")
                return _keep(entry, file)
            reasons.append(f"  {source}: {_mismatch(entry, file)}")
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
    """Take the weights from a file. Raises `UsageError` for an unknown name, and for another file's content."""
    entry = _entry(name)
    try:
        fits = entry.fits(file)
    except OSError as error:
        raise UsageError(f"{file}: cannot be read: {error.strerror}", "name the file of weights itself") from error
    if not fits:
        raise UsageError(
            f"{file}: these are not the weights {name!r}: {_mismatch(entry, file)}",
            f"give {entry.about} ({entry.file}, {entry.bytes / 1e6:.1f} MB); it may be cut off",
        )
    return _keep(entry, file)


def mounted_path(name: str) -> str:
    """Where a library looks for the weights, below what is mounted. Raises `UsageError` for an unknown name."""
    return _entry(name).mounted_path


def _entry(name: str) -> WeightsEntry:
    known = _manifest(MANIFEST)
    if name in known:
        return known[name]
    raise UsageError(f"unknown weights {name!r}", nearest(name, known))


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


def _keep(entry: WeightsEntry, file: Path) -> Path:
    """Copy into the store, whole or not at all."""
    folder = _folder()
    target = folder / entry.file
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with whole_file(target, READ_BY_ALL) as out, file.open("rb") as stream:
            shutil.copyfileobj(stream, out)
    except OSError as error:
        raise MachineError(
            f"{folder}: cannot keep weights there: {error.strerror}",
            "set HARNESS_CACHE to a folder that you may write, with room for them",
        ) from error
    return target


def _download(source: Source, file: Path) -> None:
    if source.url:
        with urllib.request.urlopen(source.url, timeout=_URL_SECONDS) as stream:
            _copy(stream, file)
        return
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--no-deps",
        "--only-binary=:all:",
        "--retries=1",
        "--timeout=15",
    ]
    options = ["--disable-pip-version-check", "--quiet", "--dest", str(file.parent), source.wheel]
    done = subprocess.run([*command, *options], capture_output=True, text=True, timeout=_PIP_SECONDS)
    wheels = list(file.parent.glob("*.whl"))
    if done.returncode != 0 or not wheels:
        lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or done.stderr.splitlines()
        raise OSError(lines[-1] if lines else "pip failed")
    with zipfile.ZipFile(wheels[0]) as archive, archive.open(source.member) as stream:
        _copy(stream, file)


def _copy(stream: IO[bytes], file: Path) -> None:
    """Copy at most `_LARGEST` bytes: more is no file of the manifest's."""
    with file.open("wb") as out:
        while chunk := stream.read(1 << 20):
            out.write(chunk)
            if out.tell() > _LARGEST:
                raise ValueError("it is larger than 2 GiB")


def _mismatch(entry: WeightsEntry, file: Path) -> str:
    if entry.md5:
        with file.open("rb") as stream:
            return f"the MD5 is {hashlib.file_digest(stream, 'md5').hexdigest()}, expected {entry.md5}"
    found = file_sha256(file)[: max(16, len(entry.sha256_prefix))]
    return f"the SHA-256 begins {found}, expected {entry.digest[:16]}"


def _reason(error: Exception) -> str:
    if isinstance(error, subprocess.TimeoutExpired):
        return f"not done after {error.timeout:.0f} s"
    return " ".join(str(error).split())[:200] or type(error).__name__
