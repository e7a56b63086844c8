"""Prediction errors on held-out rows: whole families, publishers, single networks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from harness.bench.boards import baselines, intervals, silicon
from harness.bench.boards import latency_model as model
from harness.bench.boards.blend import Blend
from harness.bench.boards.board import Board
from harness.bench.boards.intervals import NOVELTIES, About, Novelty, Seen, Widths
from harness.bench.boards.latency_model import Estimate
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
    folds: NDArray[np.int64]  # which rows were left out together
    estimates: dict[int, tuple[Estimate, Seen]]  # row -> its prediction, and what the rows that remained cover


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


def held_out(rows: Sequence[Measurement], known: Sequence[Measurement], held: Held, start: Blend) -> HeldOut:
    """Predict each of `rows` from those of `known` that are not of its family, publisher or network.

    "board" leaves out a silicon. "layers" leaves out a runtime's networks with depthwise convolutions and the like on
    one generation of boards, and predicts those that have many.
    """
    key = _key(held, [*known, *rows])
    errors = np.full(len(rows), np.nan)
    groups: dict[str, list[int]] = defaultdict(list)
    for index, row in enumerate(rows):
        groups[key(row)].append(index)
    folds = np.zeros(len(rows), dtype=np.int64)
    estimates: dict[int, tuple[Estimate, Seen]] = {}
    for number, (value, indices) in enumerate(sorted(groups.items())):
        kept = [row for row in known if key(row) != value]
        folds[indices] = number
        if not kept or value == _NOT_HELD:
            continue
        fitted = start if len(kept) == len(known) else model.fit_physics(kept, start)
        found = model.build(kept, fitted).estimate([model.asked_of(rows[index]) for index in indices])
        seen = Seen(kept)
        for index, estimate in zip(indices, found, strict=True):
            if held == "layers" and not rows[index].network.mostly_special:
                continue
            errors[index] = np.log(rows[index].ms / 1e3) - estimate.log_seconds
            estimates[index] = (estimate, seen)
    return HeldOut(errors, folds, estimates)


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
        "board": lambda row: silicon.name(row.board),
        "precision": lambda row: f"{row.runtime.name} {row.precision}",
        "runtime": lambda row: row.runtime.name,
        "layers": _layers,
    }
    return keys[held]


def _layers(row: Measurement) -> str:
    special, place = row.network.special_layers, intervals.place(row.board, row.runtime.device)
    return f"{row.runtime.name} {place}" if special else _NOT_HELD


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
    found: Widths = {}
    for novelty in NOVELTIES:
        errors, folds = results[novelty].errors[which], results[novelty].folds[which]
        if np.isfinite(errors).any():
            widths_of = intervals.layer_widths if novelty == "layers" else intervals.widths_of
            found[novelty] = widths_of(some, errors, folds)
    return found


def covered_by(widths: Widths, rows: Sequence[Measurement], result: HeldOut) -> NDArray[np.bool_]:
    """Which rows lie within their interval with these widths."""
    inside = np.zeros(len(rows), dtype=bool)
    _mark_inside(inside, rows, range(len(rows)), result, widths)
    return inside


def _mark_inside(
    inside: NDArray[np.bool_], rows: Sequence[Measurement], here: Iterable[int], result: HeldOut, widths: Widths
) -> None:
    for index in here:
        if index not in result.estimates:
            continue
        row = rows[index]
        estimate, seen = result.estimates[index]
        low, high = interval(estimate, seen, intervals.about(row), widths)
        inside[index] = low <= np.log(row.ms / 1e3) <= high


def interval(estimate: Estimate, seen: Seen, case: About, widths: Widths) -> tuple[float, float]:
    """The ends of an estimate's interval, log(seconds), as wide on each board as the case is new there."""
    runtime = estimate.asked.runtime

    def half(board: Board | None) -> float:
        new = seen.novelties(case, board) if board else seen.unmeasured(case)
        return intervals.width(widths, new, runtime.name, runtime.device)

    return estimate.interval(half)


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
