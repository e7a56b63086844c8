"""A user's own measurements from one board: rows like the published ones, from the publisher 'your measurements'."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from harness.bench.boards import fitted, published
from harness.bench.boards import latency_model as model
from harness.bench.boards.fitted import identity
from harness.bench.boards.latency_model import Model
from harness.bench.boards.published import Measurement, Unused
from harness.errors import UsageError
from harness.stages.evidence.record import Record

_SOURCE = "your measurements"
_DOUBTFUL = 3.0  # factor; 1.4 % of the published rows are as far from a prediction without their family


class _Kept(Record):
    """The calibration file: the table, since what is made of it takes no time."""

    schema_version: int = 3
    measured: str  # path of the CSV
    made_from: str  # the rows that were used


class Calibration:
    """The published fit, moved to the user's rows: one factor for each board and runtime that they measured."""

    def __init__(self, rows: Sequence[Measurement]) -> None:
        self.rows = tuple(rows)

    @functools.cached_property
    def _model(self) -> Model:
        return model.calibrate(fitted.latency_model(), self.rows)

    def model(self) -> Model:
        """The latency model that follows the user's rows."""
        return self._model

    @staticmethod
    def fit(measured: Path) -> tuple[Calibration, list[Unused]]:
        """Calibrate with the rows of `measured`, a CSV with the columns of `published.csv`.

        Raises `UsageError` when the file is not such a table, or no row can be used.
        """
        rows, unused = _own(measured)
        if not rows:
            first = f" (line {unused[0].line}: {unused[0].reason})" if unused else ""
            raise UsageError(
                f"{measured}: no row can be used{first}", f"one row per run, columns {','.join(published.COLUMNS)}"
            )
        return Calibration(rows), unused

    def doubtful(self) -> list[tuple[Measurement, float]]:
        """Rows that do not fit the others of their board and runtime, and by what factor they took longer.

        Each row is compared with the rows' median, because a whole board may be slower than published.
        """
        apart = model.log_errors(fitted.latency_model(), self.rows)
        places = np.array([f"{row.board.name} {row.runtime}" for row in self.rows])
        for place in set(places.tolist()):
            apart[places == place] -= np.median(apart[places == place])
        far = np.flatnonzero(np.abs(apart) > np.log(_DOUBTFUL)).tolist()
        return [(self.rows[index], float(np.exp(apart[index]))) for index in far]

    def write(self, measured: Path, file: Path) -> None:
        """Keep the calibration. Raises `UsageError` where `file` cannot be written."""
        kept = _Kept(measured=str(measured.resolve()), made_from=identity(list(self.rows)))
        try:
            file.write_text(kept.model_dump_json(indent=1) + "\n", encoding="utf-8")
        except OSError as error:
            raise UsageError(f"{file}: cannot be written: {error.strerror}", "give another --out FILE") from error

    @staticmethod
    def read(file: Path) -> Calibration:
        """A calibration that `write` saved. Raises `UsageError` for another file, or if the measurements changed."""
        again = "run: harness calibrate --measured FILE.csv"
        try:
            kept = _Kept.model_validate_json(file.read_bytes())
        except OSError as error:
            raise UsageError(f"{file}: cannot be read: {error.strerror}", again) from error
        except ValidationError as error:
            raise UsageError(f"{file}: is no calibration", again) from error
        rows, _ = _own(Path(kept.measured))
        if identity(rows) != kept.made_from:
            raise UsageError(f"{kept.measured} has changed since {file} was made", again)
        return Calibration(rows)


def _own(measured: Path) -> tuple[list[Measurement], list[Unused]]:
    rows, unused = published.read(measured)
    return [replace(row, source=_SOURCE) for row in rows], unused
