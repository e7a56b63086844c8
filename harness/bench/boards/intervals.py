"""How wide an interval must be, measured on held-out rows (conformal prediction).

A width is half of an interval, as log(factor). There is one for each way in which a case can be new, and for each
runtime with enough rows; the widest that applies to a case counts. Rows of one family, publisher and board are alike,
so each such group counts once; and nine tenths of all rows are covered, too.
"""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from harness.bench.boards import silicon
from harness.bench.boards.board import Board
from harness.bench.boards.latency_model import Asked, asked_of
from harness.bench.boards.published import Measurement, publisher
from harness.bench.boards.runtimes import Runtime

Floats = NDArray[np.float64]
# "network": the case's own network is hardly ever among the rows, so this is the least width of any interval.
Novelty = Literal["network", "source", "family", "board", "precision", "runtime", "layers"]
NOVELTIES: tuple[Novelty, ...] = get_args(Novelty)
Widths = dict[Novelty, dict[str, float]]  # runtime, or device -> half of the interval, log(factor)
Pair = Literal["siblings", "known families", "a new family"]  # of the two networks of a ratio

CONFIDENCE = 0.90
_LEVELS = (CONFIDENCE, 0.925, 0.95, 0.975)
_ENOUGH = 60  # rows of a runtime; with fewer, its width is at least that of its device
# The fewest held-out groups whose largest error bounds 90 % of new groups: n with ceil(0.9 * (n + 1)) <= n (Vovk et
# al., Algorithmic Learning in a Random World, 2005). A device with fewer publishers is as wide as all at least.
_FEWEST_GROUPS = 9


def group_weights(rows: Sequence[Measurement]) -> Floats:
    """Weights that make each family of each publisher on each board and runtime count once."""
    groups = [(row.family, publisher(row.source), row.board.name, row.runtime.name) for row in rows]
    many = Counter(groups)
    return np.array([1 / many[group] for group in groups])


def widths_of(rows: Sequence[Measurement], errors: Floats, folds: NDArray[np.int64]) -> dict[str, float]:
    """Width per runtime and per device (`gpu`, `cpu`) that covers `CONFIDENCE` of these errors.

    `errors`: log(measured / predicted), NaN for rows without. `folds`: rows held out together have the same number;
    rows of one publisher do not show how publishers differ.
    """
    known = np.isfinite(errors)
    scores, apart = np.abs(errors[known]), folds[known]
    kept = [row for row, one in zip(rows, known, strict=True) if one]
    weights = group_weights(kept)
    names = np.array([row.runtime.name for row in kept])
    devices = np.array([row.runtime.device for row in kept])
    found = _device_widths(devices, scores, weights, apart)
    for name in sorted(set(names.tolist())):
        here = names == name
        own = _covering(scores[here], weights[here], apart[here])
        found[name] = own if here.sum() >= _ENOUGH else max(own, found[devices[here][0]])
    return {name: round(width, 4) for name, width in found.items()}


def layer_widths(rows: Sequence[Measurement], errors: Floats, folds: NDArray[np.int64]) -> dict[str, float]:
    """Width per device for layers that no row has: each runtime on each generation of boards counts once.

    There are too few of them for a width of each runtime. Arguments as for `widths_of`.
    """
    known = np.isfinite(errors)
    apart = folds[known]
    many = Counter(apart.tolist())
    weights = np.array([1 / many[fold] for fold in apart.tolist()])
    devices = np.array([row.runtime.device for row, one in zip(rows, known, strict=True) if one])
    found = _device_widths(devices, np.abs(errors[known]), weights, apart)
    return {name: round(width, 4) for name, width in found.items()}


def _device_widths(
    devices: NDArray[np.str_], scores: Floats, weights: Floats, folds: NDArray[np.int64]
) -> dict[str, float]:
    anywhere = _covering(scores, weights, folds)
    found = {}
    for device in sorted(set(devices.tolist())):
        here = devices == device
        own = _covering(scores[here], weights[here], folds[here])
        found[device] = own if len(set(folds[here].tolist())) >= _FEWEST_GROUPS else max(own, anywhere)
    return found


def _covering(scores: Floats, weights: Floats, folds: NDArray[np.int64]) -> float:
    """The width at the lowest level at which nine tenths of the rows are covered by other folds' widths.

    Folds differ more than rows do, so the level of `CONFIDENCE` alone would cover fewer rows of a new fold.
    """
    several = len(set(folds.tolist())) > 1
    for level in _LEVELS:
        inside = 0
        for fold in set(folds.tolist()) if several else ():
            out = folds == fold
            inside += int((scores[out] <= _both(scores[~out], weights[~out], level)).sum())
        if not several or inside >= CONFIDENCE * len(scores):
            return _both(scores, weights, level)
    return float(scores.max())


def _both(scores: Floats, weights: Floats, level: float) -> float:
    """The width that covers that share of the groups, and of the rows."""
    return max(quantile(scores, weights, level), quantile(scores, np.ones(len(scores)), level))


def ratio_widths(rows: Sequence[Measurement], errors: Floats, siblings: bool) -> dict[str, float]:
    """Width of the ratio of two networks' times per runtime and device, from pairs of rows of one place and source.

    The pairs are of one family (`siblings`) or of two; each family or pair of families at a place counts once, by its
    median. A runtime with fewer than nine has at least its device's width.
    """
    places: dict[tuple[Runtime, str, str, str], dict[str, list[tuple[str, float]]]] = {}
    for row, error in zip(rows, errors.tolist(), strict=True):
        if np.isfinite(error):
            place = (row.runtime, silicon.name(row.board), row.precision, row.source)
            places.setdefault(place, {}).setdefault(row.family, []).append((row.architecture, error))
    scores: dict[str, list[float]] = defaultdict(list)
    devices: dict[str, str] = {}
    for (runtime, *_), families in places.items():
        of = list(families.values())
        for one, other in [(a, a) for a in of] if siblings else itertools.combinations(of, 2):
            apart = [abs(a - b) for name, a in one for its, b in other if name != its]
            if apart:
                scores[runtime.name].append(float(np.median(apart)))
                scores[runtime.device].append(scores[runtime.name][-1])
        devices[runtime.name] = runtime.device
    widths = {name: quantile(np.array(of), np.ones(len(of))) for name, of in scores.items()}
    return {
        name: round(max(width, widths[devices.get(name, name)]) if len(scores[name]) < _FEWEST_GROUPS else width, 4)
        for name, width in sorted(widths.items())
    }


def quantile(scores: Floats, weights: Floats, level: float = CONFIDENCE) -> float:
    """The weighted quantile of the scores, with one more group, of weight 1, added above all scores."""
    order = np.argsort(scores)
    summed = np.cumsum(weights[order])
    wanted = level * (summed[-1] + 1.0)
    return float(scores[order][min(int(np.searchsorted(summed, wanted)), len(order) - 1)])


@dataclass(frozen=True, slots=True)
class About:
    """What a case is about, in the ways in which it can be new."""

    asked: Asked
    family: str
    publisher: str


def about(row: Measurement) -> About:
    return About(asked_of(row), row.family, publisher(row.source))


def supports(case: About, board: Board) -> dict[Novelty, frozenset[str]]:
    """What rows must have for the case to be nothing new on that board."""
    precision, generation = case.asked.precision, place(board, case.asked.runtime.device)
    return {
        "source": frozenset({case.publisher}),
        "family": frozenset({case.family}),
        "board": frozenset({silicon.name(board)}),
        "precision": frozenset({precision}),
        "layers": frozenset(f"{generation} {kind}" for kind in case.asked.network.special_layers),
    }


def place(board: Board, device: str) -> str:
    """The family of boards: those whose GPU, or CPU, is of the same generation."""
    return board.generation if device == "gpu" else str(silicon.cores(board))


class Seen:
    """The families, boards and so on that rows cover, to tell in which way a case is new."""

    def __init__(self, known: Iterable[Measurement]) -> None:
        self._runtimes: dict[str, dict[Novelty, set[str]]] = {}
        self._places: defaultdict[str, set[str]] = defaultdict(set)
        for row in known:
            self._places[row.runtime.name].add(place(row.board, row.runtime.device))
            seen = self._runtimes.setdefault(row.runtime.name, {name: set() for name in NOVELTIES})
            for novelty, of_row in supports(about(row), row.board).items():
                seen[novelty] |= of_row

    def novelties(self, case: About, board: Board | None = None) -> tuple[Novelty, ...]:
        """In which ways, besides its network, the case is unlike all rows with its runtime; on another `board`, too."""
        seen = self._runtimes.get(case.asked.runtime.name)
        new: list[Novelty] = [] if seen else ["runtime"]
        of_case = supports(case, board or case.asked.board)
        return (*new, *(novelty for novelty, needed in of_case.items() if not seen or not needed <= seen[novelty]))

    def unmeasured(self, case: About) -> tuple[Novelty, ...]:
        """The same on a board without rows: its layers are new if one generation of boards lacks rows with them."""
        seen = self._runtimes.get(case.asked.runtime.name)
        places = self._places[case.asked.runtime.name]
        kinds = case.asked.network.special_layers
        lacking = not seen or any(f"{place} {kind}" not in seen["layers"] for place in places for kind in kinds)
        others = tuple(novelty for novelty in self.novelties(case) if novelty not in ("board", "layers"))
        return (*others, "board", *(("layers",) if kinds and lacking else ()))

    def unmeasured_layers(self, case: About) -> tuple[str, ...]:
        """The kinds of the network's layers that no row with its runtime has on such a board."""
        seen = self._runtimes.get(case.asked.runtime.name)
        known = seen["layers"] if seen else set()
        needed = supports(case, case.asked.board)["layers"]
        return tuple(sorted(layer.rpartition(" ")[2] for layer in needed - known))


def width(widths: Widths, novelties: Iterable[Novelty], runtime: str, device: str) -> float:
    """The width for a case that is new in these ways: the widest that applies."""
    factors = [widths[novelty] for novelty in ("network", *novelties) if novelty in widths]
    return max(factor.get(runtime, factor.get(device, max(factor.values(), default=1.0))) for factor in factors)
