"""A board's published figures, read from its TOML."""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from harness.errors import UsageError, nearest
from harness.stages.evidence.conversion import Precision

_FOLDER = Path(__file__).parent
_INHERITED = (
    "cuda_cores", "tensor_cores", "gpu_max_mhz", "fp32_tflops", "fp16_tflops", "int8_tops",
    "memory_bandwidth_gb_s", "cpu", "cpu_cores", "cpu_max_ghz",
)  # fmt: skip
_NOISE = re.compile(r"nvidia|developer|kit|devkit|module|[^a-z0-9]")

_Figure = Annotated[float, Field(gt=0, allow_inf_nan=False)] | None

_GENERATIONS = ("Maxwell", "Pascal", "Volta", "Turing", "Ampere", "Ada", "Hopper", "Blackwell")  # of NVIDIA's GPUs
_GIB = 2**30
# Linux on a Jetson has about 96 % of the nominal memory: tegrastats says 3,964 MB on a Nano 4GB, 7,772 on a Xavier NX,
# 15,656 on an Orin NX 16GB, 62,817 on an AGX Orin 64GB. Firmware and video reserve the rest.
_VISIBLE = 0.96
# tegrastats on an idle Nano without a desktop: 613 MB in use. A desktop takes about as much again.
_SYSTEM_BYTES = 613 * 2**20


class Board(BaseModel):
    """Figures that the board's maker and others publish; None where nobody publishes one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    title: str
    gpu: str
    cuda_cores: int | None = Field(None, gt=0)
    tensor_cores: int | None = Field(None, ge=0)
    gpu_max_mhz: _Figure = None
    fp32_tflops: _Figure = Field(None, description="peak, 10^12 operations per second; a multiply-add is 2")
    fp16_tflops: _Figure = Field(None, description="peak, dense")
    int8_tops: _Figure = Field(None, description="peak of the GPU alone, dense")
    memory_gb: _Figure = None
    memory_bandwidth_gb_s: _Figure = Field(None, description="peak, 10^9 bytes per second")
    cpu: str | None = None
    cpu_cores: int | None = Field(None, gt=0)
    cpu_max_ghz: _Figure = None
    aliases: tuple[str, ...] = Field((), description="other names of it in published tables")
    assumed_like: str | None = Field(
        None, description="the board whose peak speeds are used where this one's are not published"
    )
    sources: tuple[str, ...]
    note: str = ""

    def assumed(self) -> Board:
        """The board, with missing figures filled in from the board `assumed_like`."""
        if self.assumed_like is None:
            return self
        other = load(self.assumed_like)
        filled = {key: getattr(other, key) for key in _INHERITED if getattr(self, key) is None}
        return self.model_copy(update=filled)

    def gpu_peak(self, precision: Precision) -> float | None:
        """Peak operations per second of the GPU. A precision without a faster path runs as the next wider one."""
        tera = {
            "fp32": self.fp32_tflops,
            "fp16": self.fp16_tflops or self.fp32_tflops,
            "int8": self.int8_tops or self.fp16_tflops or self.fp32_tflops,
        }[precision]
        return tera * 1e12 if tera else None

    @property
    def generation(self) -> str:
        """The GPU's generation: `Pascal` for `Pascal (sm_62)` and for `NVIDIA Pascal`; else the text as it is."""
        return next((name for name in _GENERATIONS if name.lower() in self.gpu.lower()), self.gpu)

    def bandwidth(self) -> float | None:
        """Bytes per second of the memory."""
        return self.memory_bandwidth_gb_s * 1e9 if self.memory_bandwidth_gb_s else None

    def available_bytes(self) -> int | None:
        """The memory that programs may use: all less the system's share. None where the memory is not known."""
        if self.memory_gb is None:
            return None
        return max(0, int(self.memory_gb * _GIB * _VISIBLE) - _SYSTEM_BYTES)


@functools.cache
def names() -> list[str]:
    """The names of all known boards, in alphabetical order."""
    return sorted(file.stem for file in _FOLDER.glob("jetson-*.toml"))


@functools.cache
def load(name: str) -> Board:
    """The board with that name or alias (`jetson-nano`), or from a TOML file with that path.

    Raises `UsageError` for an unknown name, with the nearest known one, and for a file that does not describe a board.
    """
    if name.endswith(".toml"):
        return _from_file(Path(name))
    if name not in names() and (meant := _by_plain_name().get(_plain(name))):
        return load(meant)
    if name not in names():
        short = _by_plain_name().get("jetson" + _plain(name))  # `nano`, `orin-nano`
        raise UsageError(f"unknown board {name!r}", nearest(short or name, names()))
    return _from_file(_FOLDER / f"{name}.toml")


def _from_file(file: Path) -> Board:
    try:
        read: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))
        board = Board(**{"name": file.stem, **read})
    except OSError as error:
        raise UsageError(f"{file}: cannot be read: {error.strerror}", f"one of: {', '.join(names())}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{file}: not TOML: {error}", f"see {_FOLDER}/jetson-nano-4gb.toml") from error
    except ValidationError as error:
        raise _faulty(file, error.errors()[0]) from error
    if board.assumed_like is None:
        return board
    if board.assumed_like.endswith(".toml"):  # it might name itself
        raise UsageError(f"{file}: assumed_like: {board.assumed_like} is a file", f"one of: {', '.join(names())}")
    try:
        load(board.assumed_like)
    except UsageError as error:
        raise UsageError(f"{file}: assumed_like: {error.message}", error.do) from error
    return board


def _faulty(file: Path, first: Mapping[str, Any]) -> UsageError:
    """The error for an invalid board TOML, from pydantic's first complaint."""
    where, known = ".".join(map(str, first["loc"])), f"keys: {', '.join(Board.model_fields)}"
    if first["type"] == "extra_forbidden":
        return UsageError(f"{file}: {where}: unknown key", nearest(where, Board.model_fields, known))
    return UsageError(f"{file}: {where}: {first['msg']}", known)


def _plain(name: str) -> str:
    """A board's name reduced to lower-case letters and digits, for comparing."""
    return _NOISE.sub("", name.lower())


@functools.cache
def _by_plain_name() -> dict[str, str]:
    every = [load(name) for name in names()]
    return {_plain(text): board.name for board in every for text in (board.name, board.title, *board.aliases)}
