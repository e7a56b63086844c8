"""A board's published figures, read from its TOML."""

from __future__ import annotations

import difflib
import tomllib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from harness.errors import UsageError

_FOLDER = Path(__file__).parent


class Board(BaseModel):
    """What its maker and others publish; a figure that nobody publishes is None."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    title: str
    gpu: str
    cuda_cores: int | None = None
    tensor_cores: int | None = None
    gpu_max_mhz: float | None = None
    fp32_tflops: float | None = Field(None, description="peak, 10^12 operations per second; a multiply-add is 2")
    fp16_tflops: float | None = Field(None, description="peak, dense")
    int8_tops: float | None = Field(None, description="peak of the GPU alone, dense")
    memory_gb: float | None = None
    memory_bandwidth_gb_s: float | None = Field(None, description="peak, 10^9 bytes per second")
    cpu: str | None = None
    sources: tuple[str, ...]
    note: str = ""


def names() -> list[str]:
    """The boards that are known, in alphabetical order."""
    return sorted(file.stem for file in _FOLDER.glob("*.toml"))


def load(name: str) -> Board:
    """The board of that name. Raises `UsageError` with the nearest name for one that is not known."""
    if name not in names():
        near = difflib.get_close_matches(name, names(), n=1)
        raise UsageError(
            f"unknown board {name!r}", f"did you mean {near[0]!r}?" if near else f"one of: {', '.join(names())}"
        )
    return Board(name=name, **tomllib.loads((_FOLDER / f"{name}.toml").read_text(encoding="utf-8")))
