"""Every model on every machine: measured here, predicted for boards, with intervals. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from harness.bench.ranking import fastest, leaders
from harness.bench.results import BenchResults, Measurement
from harness.stages.evidence.boards import BoardLatency
from harness.stages.evidence.record import Interval


@dataclass(frozen=True, slots=True)
class Cell:
    """One model's latency for a query, ms, with its interval."""

    ms: float
    interval: Interval
    fits: bool | None = None  # into the board's memory; None where that is not known


@dataclass(frozen=True, slots=True)
class Row:
    """One machine with one runtime and precision."""

    machine: str
    how: str  # runtime and precision
    measured: bool  # here, interval of 95 %; else predicted, interval of 90 %
    cells: tuple[Cell | None, ...]  # by model; None where there is no figure

    fastest: int | None  # the model that is shown to be faster than every other; None without one


@dataclass(frozen=True, slots=True)
class Matrix:
    """The rows by machine, the cells of each by model."""

    models: tuple[str, ...]
    rows: tuple[Row, ...]

    def part(self, start: int, stop: int) -> Matrix:
        """The same rows for some of the models; which is the fastest is counted from the first of all."""
        rows = (replace(row, cells=row.cells[start:stop]) for row in self.rows)
        return Matrix(self.models[start:stop], tuple(rows))


def matrix(results: BenchResults) -> Matrix:
    """The measured machine first, then each board; models that are not believed have no measured figure."""
    models = tuple(dict.fromkeys([*(one.model for one in results.measurements), *(o.model for o in results.outlooks)]))
    return Matrix(models, (*_measured(results, models), *_predicted(results, models)))


def _measured(results: BenchResults, models: Sequence[str]) -> list[Row]:
    machine = f"here, as {results.envelope.title}'s cores and memory" if results.envelope else "this machine"
    rows = []
    for how, some in groupby(sorted(results.measurements, key=_order), key=_how):
        believed = {one.model: one for one in some if one.believed}
        first = fastest(tuple(believed.values()), by_throughput=False)
        alone = models.index(first[0].model) if len(first) == 1 and len(believed) > 1 else None
        cells = (Cell(one.p50_ms, one.p50_interval) if (one := believed.get(model)) else None for model in models)
        rows.append(Row(machine, how, True, tuple(cells), alone))
    return rows


def _order(one: Measurement) -> tuple[str, str, int]:
    return one.engine, one.precision, one.batch or 0


def _how(one: Measurement) -> str:
    return f"{one.engine}, {one.precision}{f', batch {one.batch}' if one.batch else ''}"


def _predicted(results: BenchResults, models: Sequence[str]) -> list[Row]:
    found: dict[tuple[str, str], dict[str, BoardLatency]] = {}
    for outlook in results.outlooks:
        for one in outlook.boards:
            runtime = "TensorRT" if one.runtime == "tensorrt" else one.runtime
            found.setdefault((one.board, f"{runtime}, {one.precision}"), {})[outlook.model] = one
    rows = []
    for (board, how), by_model in found.items():
        cells = tuple(_cell(by_model.get(model)) for model in models)
        rows.append(Row(board, how, False, cells, _lowest(cells)))
    return rows


def _lowest(cells: Sequence[Cell | None]) -> int | None:
    """The index of the cell whose interval lies wholly below all others; None if none does, or there is one cell."""
    known = [(index, cell) for index, cell in enumerate(cells) if cell]
    first = leaders([cell.interval for _, cell in known], [cell.ms for _, cell in known])
    return known[first[0]][0] if len(known) > 1 and len(first) == 1 else None


def _cell(one: BoardLatency | None) -> Cell | None:
    return Cell(one.latency_ms, one.interval_90, one.fits) if one else None
