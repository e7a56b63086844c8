"""Prediction errors on held-out rows: whole families, publishers, single networks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from harness.bench.boards import baselines, intervals
from harness.bench.boards import latency_model as model
from harness.bench.boards.blend import Blend
from harness.bench.boards.intervals import NOVELTIES, Novelty, Widths
from harness.bench.boards.published import Measurement, publisher
from harness.stages.evidence.record import Record

Floats = NDArray[np.float64]
Held = Literal["family", "source", "network", "board", "precision", "runtime", "layers"]
_NOT_HELD = ""  # the key of rows that are in no fold
_PARTS = 4  # that each family's networks are divided into, so that every network keeps siblings


@dataclass(frozen=True, slots=True, eq=False)
class HeldOut:
    """Errors on rows whose family (or publisher, or network) was left out of the fit; NaN where none was possible."""

    errors: Floats  # log(measured / predicted)
    spreads: Floats
    folds: NDArray[np.int64]  # which rows were left out together
    new: tuple[tuple[Novelty, ...], ...]  # in which ways each was new to the rows that remained


Results = Mapping[Held, HeldOut]


class BoardScore(Record):
    """One board and runtime. A factor is exp(median |log(measured / predicted)|): 1.20 is 20 % off."""

    board: str
    runtime: str
    rows: int
    family_factor: float | None
    family_covered: float | None  # share of rows within the 90 % interval
    source_factor: float | None
    source_covered: float | None
    network_factor: float | None  # other networks of its family stay: what scaling by siblings gives
    naive_factor: float  # operations / peak
    roofline_factor: float  # the larger of operations / peak and bytes / bandwidth, over the kernels


class LikeForLike(Record):
    """Our errors and those of a three-number fit, on a runtime's rows that both can predict without their family."""

    runtime: str
    rows: int
    family_factor: float
    three_factor: float


def held_out(
    rows: Sequence[Measurement],
    known: Sequence[Measurement],
    held: Held,
    start: Blend,
    variances: model.Variances,
) -> HeldOut:
    """Predict each of `rows` from those of `known` that are not of its family, publisher or network.

    "layers" leaves out a runtime's networks with depthwise convolutions and the like; others are not predicted.
    """
    key = _key(held, [*known, *rows])
    errors, spreads = np.full(len(rows), np.nan), np.full(len(rows), np.nan)
    groups: dict[str, list[int]] = defaultdict(list)
    for index, row in enumerate(rows):
        groups[key(row)].append(index)
    folds = np.zeros(len(rows), dtype=np.int64)
    new: list[tuple[Novelty, ...]] = [()] * len(rows)
    for number, (value, indices) in enumerate(sorted(groups.items())):
        kept = [row for row in known if key(row) != value]
        folds[indices] = number
        if not kept or value == _NOT_HELD:
            continue
        fitted = start if len(kept) == len(known) else model.fit_physics(kept, start)
        wanted = [rows[index] for index in indices]
        estimate = model.build(kept, fitted, variances).estimate([model.related(row) for row in wanted])
        errors[indices] = np.log(model.seconds_of(wanted)) - estimate.log_seconds
        spreads[indices] = estimate.spread
        seen = intervals.Seen(kept)
        for index in indices:
            new[index] = seen.novelties(model.related(rows[index]))
    return HeldOut(errors, spreads, folds, tuple(new))


def unseen_residuals(rows: Sequence[Measurement], start: Blend) -> Floats:
    """log(measured / modelled) of each row by physics that had not seen the row's family."""
    left = np.zeros(len(rows))
    families = np.array([row.family for row in rows])
    for family in sorted(set(families.tolist())):
        out = np.flatnonzero(families == family).tolist()
        fitted = model.fit_physics([row for row in rows if row.family != family], start)
        left[out] = model.residuals([rows[index] for index in out], fitted)
    return left


def _key(held: Held, every: Sequence[Measurement]) -> Callable[[Measurement], str]:
    members: dict[str, list[str]] = defaultdict(list)
    for row in every:
        if row.architecture not in members[row.family]:
            members[row.family].append(row.architecture)
    part = {name: index % _PARTS for names in members.values() for index, name in enumerate(sorted(names))}
    keys: dict[Held, Callable[[Measurement], str]] = {
        "family": lambda row: row.family,
        "source": lambda row: publisher(row.source),
        "network": lambda row: str(part[row.architecture]),
        "board": lambda row: row.board.name,
        "precision": lambda row: f"{row.runtime.name} {row.precision}",
        "runtime": lambda row: row.runtime.name,
        "layers": lambda row: f"{row.runtime.name} {layers}" if (layers := _layers(row)) else _NOT_HELD,
    }
    return keys[held]


def _layers(row: Measurement) -> str:
    return " ".join(sorted(row.network.special_layers))


def covered(rows: Sequence[Measurement], results: Results, held: Novelty) -> NDArray[np.bool_]:
    """Which rows lie within their interval, where each fold's widths come from the other folds only.

    `results`: the errors with each of `NOVELTIES` held out.
    """
    result = results[held]
    inside = np.zeros(len(rows), dtype=bool)
    for fold in sorted(set(result.folds.tolist())):
        here = np.flatnonzero(result.folds == fold).tolist()
        others = np.flatnonzero(result.folds != fold)
        if len(others):
            _mark_inside(inside, rows, here, result, _widths(rows, results, others))
    return inside


def widths(rows: Sequence[Measurement], results: Results) -> Widths:
    """How wide intervals have to be for each way in which a case can be new; `results` as for `covered`."""
    return _widths(rows, results, np.arange(len(rows)))


def _widths(rows: Sequence[Measurement], results: Results, which: NDArray[np.int64]) -> Widths:
    some = [rows[index] for index in which.tolist()]
    return {
        novelty: intervals.widths_of(some, result.errors[which], result.spreads[which], result.folds[which])
        for novelty in NOVELTIES
        for result in (results[novelty],)
        if np.isfinite(result.errors[which]).any()
    }


def covered_by(widths: Widths, rows: Sequence[Measurement], result: HeldOut) -> NDArray[np.bool_]:
    """Which rows lie within their interval with these widths."""
    inside = np.zeros(len(rows), dtype=bool)
    _mark_inside(inside, rows, range(len(rows)), result, widths)
    return inside


def _mark_inside(
    inside: NDArray[np.bool_], rows: Sequence[Measurement], here: Iterable[int], result: HeldOut, widths: Widths
) -> None:
    for index in here:
        case = model.case_of(rows[index])
        wider = intervals.width(widths, result.new[index], case.runtime.name, case.device)
        inside[index] = abs(result.errors[index]) <= intervals.NORMAL * result.spreads[index] * wider


def table(
    rows: Sequence[Measurement],
    results: Results,
    widths: Widths | None = None,
) -> tuple[BoardScore, ...]:
    """One line per board and runtime, then one per runtime over all boards, then one over everything.

    Coverage is that of intervals with `widths`; without them, see `covered`.
    """
    naive, roofline = baselines.unfitted(rows)
    asked: tuple[Literal["family", "source"], ...] = ("family", "source")
    inside = {
        held: covered_by(widths, rows, results[held]) if widths else covered(rows, results, held) for held in asked
    }
    lines: dict[tuple[str, str], list[int]] = defaultdict(list)
    for index, row in enumerate(rows):
        lines[row.board.name, row.runtime.name].append(index)
        lines["~all boards", row.runtime.name].append(index)
        lines["~all boards", "~all runtimes"].append(index)

    def share(held: Literal["family", "source"], indices: list[int]) -> float | None:
        known = [i for i in indices if np.isfinite(results[held].errors[i])]
        return round(float(inside[held][known].mean()), 3) if known else None

    return tuple(
        BoardScore(
            board=board.lstrip("~"),
            runtime=runtime.lstrip("~"),
            rows=len(indices),
            family_factor=_factor(results["family"].errors[indices]),
            family_covered=share("family", indices),
            source_factor=_factor(results["source"].errors[indices]),
            source_covered=share("source", indices),
            network_factor=_factor(results["network"].errors[indices]),
            naive_factor=_factor(naive[indices]) or 0.0,
            roofline_factor=_factor(roofline[indices]) or 0.0,
        )
        for (board, runtime), indices in sorted(lines.items())
    )


def like_for_like(rows: Sequence[Measurement], ours: HeldOut, three: Floats) -> tuple[LikeForLike, ...]:
    """Compare with three numbers per board, runtime and precision (`baselines.three_parameters`), families held out."""
    both = np.isfinite(three) & np.isfinite(ours.errors)
    names = np.array([row.runtime.name for row in rows])
    lines = [(str(name), both & (names == name)) for name in sorted(set(names.tolist()))] + [("all runtimes", both)]
    return tuple(
        LikeForLike(
            runtime=name,
            rows=int(which.sum()),
            family_factor=_factor(ours.errors[which]) or 0.0,
            three_factor=_factor(three[which]) or 0.0,
        )
        for name, which in lines
        if which.any()
    )


def _factor(errors: Floats) -> float | None:
    errors = errors[np.isfinite(errors)]
    return round(float(np.exp(np.median(np.abs(errors)))), 3) if len(errors) else None
