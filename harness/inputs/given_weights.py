"""Pre-trained weights as a run has them at hand: what notebooks may load, and what models are compared with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness.inputs.weights import WeightsEntry


@dataclass(frozen=True, slots=True)
class GivenWeights:
    """Pre-trained weights: those that notebooks may load, and the reference's."""

    hub: Path | None  # a folder to be mounted, as `harness/agent/notebook/pretrained.py` has it; None for none
    files: dict[str, Path]  # name -> file, of the reference's and of those that the assignment names
    sha256: dict[str, str]  # name -> hash of the file

    def key(self) -> dict[str, str]:
        """What identifies them, wherever they lie."""
        return self.sha256


@dataclass(frozen=True, slots=True)
class KnownBackbones:
    """Every pre-trained backbone that is on this machine: students may have started from any."""

    files: dict[str, Path]  # name -> file
    entries: dict[str, WeightsEntry]

    def key(self) -> dict[str, str]:
        """What identifies them, wherever they lie."""
        return {name: entry.digest for name, entry in self.entries.items()}
