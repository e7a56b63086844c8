"""The pre-trained weights of a run: those that notebooks may load, and those that models are compared with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness.inputs.weights import WeightsEntry


@dataclass(frozen=True, slots=True)
class GivenWeights:
    """Pre-trained weights: those that notebooks may load, and the reference's."""

    hub: Path | None  # a folder to mount, laid out as in `harness/agent/notebook/pretrained.py`; None for none
    files: dict[str, Path]  # name -> file, for the reference's weights and those that the assignment names
    sha256: dict[str, str]  # name -> hash of the file

    def key(self) -> dict[str, str]:
        """Their identity, independent of paths."""
        return self.sha256


@dataclass(frozen=True, slots=True)
class KnownBackbones:
    """Every pre-trained backbone on this machine, since students may have started from any."""

    files: dict[str, Path]  # name -> file
    entries: dict[str, WeightsEntry]

    def key(self) -> dict[str, str]:
        """Their identity, independent of paths."""
        return {name: entry.digest for name, entry in self.entries.items()}
