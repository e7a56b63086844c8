"""What `harness bench` is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.bench.boards import Board
from harness.bench.results import BenchResults
from harness.bench.rules import Effort, Scenario
from harness.stages.evidence.conversion import Precision
from harness.stages.timing import Engine, Mode


@dataclass(frozen=True, slots=True)
class TorchvisionModel:
    """One of torchvision's classifiers by its name there, for images of `side` x `side` pixels."""

    name: str
    side: int


@dataclass(frozen=True, slots=True)
class Request:
    """What to measure, and how."""

    models: Sequence[Path | TorchvisionModel]
    reference: Path | TorchvisionModel | None
    images: Path | None
    scenario: Scenario
    effort: Effort
    engines: Sequence[Engine]
    precisions: Sequence[Precision]
    mode: Mode
    boards: Sequence[Board]  # to predict for, all if empty; if there is one, timing uses its envelope
    cores: int | None
    batches: Sequence[int] = ()  # images in a query, one measurement for each; empty: as many as the scenario has
    earlier: BenchResults | None = None  # the run to compare with
    earlier_model: Path | None = None  # the model to compare with; it is timed in turn with the others
