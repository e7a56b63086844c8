"""The fit that the package ships, and how it is made: `fitted.json` from `published.csv`, by `harness boards fit`."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path

from pydantic import ValidationError

from harness.bench.boards import latency_model as model
from harness.bench.boards import published, scoring
from harness.bench.boards.blend import Blend
from harness.bench.boards.intervals import NOVELTIES, Widths
from harness.bench.boards.latency_model import Model, Variances
from harness.bench.boards.published import Measurement
from harness.bench.boards.scoring import Held, HeldOut
from harness.errors import MachineError
from harness.stages.evidence.record import Record

FITTED = Path(__file__).parent / "fitted.json"


class Fitted(Record):
    """What was learnt from published rows."""

    made_from: str  # SHA-256 of the rows
    shared: dict[str, float]  # factors, see factors.py
    own: dict[str, float]
    variances: Variances
    widths: Widths

    def physics(self) -> Blend:
        """The two fits, as made from the rows of the package."""
        return Blend.of(self.shared, self.own, model.known(rows()))


_WORDS = {"title", "aliases", "sources", "note"}  # of a board: what no prediction rests on


def identity(rows: list[Measurement]) -> str:
    """Of the rows that a fit rests on: their times, boards and kernels."""
    digest = hashlib.sha256()
    for row in rows:
        network = row.network
        figures = (row.ms, row.height, row.width, network.multiply_adds, network.total_bytes("fp16"))
        board = row.board.model_dump_json(exclude=_WORDS)
        digest.update(f"{board} {row.runtime} {row.precision} {row.architecture} {row.family} {figures}\n".encode())
    return digest.hexdigest()


def fit(rows: list[Measurement]) -> Fitted:
    """Fit everything: some minutes, because each family, source, board, precision and runtime is left out in turn."""
    whole = model.fit_physics(rows)
    variances = model.variances_from(rows, scoring.unseen_residuals(rows, whole))
    results: dict[Held, HeldOut] = {
        novelty: scoring.held_out(rows, rows, novelty, whole, variances) for novelty in NOVELTIES
    }
    return Fitted(
        made_from=identity(rows),
        shared=whole.shared.factors,
        own=whole.own.factors,
        variances=variances,
        widths=scoring.widths(rows, results),
    )


@functools.cache
def rows() -> list[Measurement]:
    """The published rows that are used."""
    return published.read(published.PUBLISHED)[0]


@functools.cache
def shipped() -> Fitted:
    """The fit in the package. Raises `MachineError` for an installation whose tables and fit don't belong together."""
    try:
        found = Fitted.model_validate_json(FITTED.read_bytes())
    except (OSError, ValidationError) as error:
        raise MachineError(f"{FITTED} is missing or damaged", "install the harness again") from error
    if found.made_from != identity(rows()):
        raise MachineError(f"{FITTED} was made from other tables", "run: harness boards fit")
    return found


@functools.cache
def latency_model() -> Model:
    """The model that predictions come from."""
    found = shipped()
    return model.build(rows(), found.physics(), found.variances)
