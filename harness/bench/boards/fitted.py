"""The fit that the package ships, and how it is made: `fitted.json` from `published.csv`, by `harness boards fit`."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from harness.bench.boards import intervals, published, scoring
from harness.bench.boards import latency_model as model
from harness.bench.boards.blend import Blend
from harness.bench.boards.intervals import NOVELTIES, Pair, Widths
from harness.bench.boards.latency_model import Model
from harness.bench.boards.published import Measurement
from harness.bench.boards.scoring import Held, HeldOut
from harness.errors import MachineError
from harness.stages.evidence.record import Record

FITTED = Path(__file__).parent / "fitted.json"


class Fitted(Record):
    """Everything that was fitted to published rows."""

    made_from: str  # SHA-256 of the rows
    shared: dict[str, float]  # factors, see factors.py
    own: dict[str, float]
    widths: Widths
    ratios: dict[Pair, dict[str, float]]  # the same for the ratio of two networks' times

    def physics(self) -> Blend:
        """Both fits to the package's rows."""
        return Blend.of(self.shared, self.own, model.known(rows()))


_WORDS = {"title", "aliases", "sources", "note"}  # fields of a board that no prediction uses


def identity(rows: list[Measurement]) -> str:
    """The SHA-256 of what a fit uses of the rows: their times, boards and kernels."""
    digest = hashlib.sha256()
    for row in rows:
        network = row.network
        figures = (row.ms, row.height, row.width, network.multiply_adds, network.total_bytes("fp16"))
        board = row.board.model_dump_json(exclude=_WORDS)
        digest.update(f"{board} {row.runtime} {row.precision} {row.architecture} {row.family} {figures}\n".encode())
    return digest.hexdigest()


def fit(rows: list[Measurement]) -> Fitted:
    """Fit everything. Takes minutes: each family, source, board, precision and runtime is left out in turn."""
    whole = model.fit_physics(rows)
    results: dict[Held, HeldOut] = {novelty: scoring.held_out(rows, rows, novelty, whole) for novelty in NOVELTIES}
    return Fitted(
        made_from=identity(rows),
        shared=whole.shared.factors,
        own=whole.own.factors,
        widths=scoring.widths(rows, results),
        ratios=ratios(rows, results),
    )


def ratios(rows: list[Measurement], results: Mapping[Held, HeldOut]) -> dict[Pair, dict[str, float]]:
    """How wide the interval of a ratio must be, for each kind of pair."""
    network, family = results["network"].errors, results["family"].errors
    return {
        "siblings": intervals.ratio_widths(rows, network, siblings=True),
        "known families": intervals.ratio_widths(rows, network, siblings=False),
        "a new family": intervals.ratio_widths(rows, family, siblings=False),
    }


@functools.cache
def rows() -> list[Measurement]:
    """The published rows that are used."""
    return published.read(published.PUBLISHED)[0]


@functools.cache
def shipped() -> Fitted:
    """The package's fit. Raises `MachineError` if the installed fit was made from other tables."""
    try:
        found = Fitted.model_validate_json(FITTED.read_bytes())
    except (OSError, ValidationError) as error:
        raise MachineError(f"{FITTED} is missing or damaged", "install the harness again") from error
    if found.made_from != identity(rows()):
        raise MachineError(f"{FITTED} was made from other tables", "run: harness boards fit")
    return found


@functools.cache
def latency_model() -> Model:
    """The latency model that makes the predictions."""
    return model.build(rows(), shipped().physics())
