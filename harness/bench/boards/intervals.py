"""How wide an interval must be, measured on held-out rows (conformal prediction).

The pool's posterior spread ranks predictions by certainty; the width scales all spreads so that the intervals have
their nominal coverage. There is a width for each way in which a case can be new, and for each runtime with enough
rows; the widest that applies to a case counts. Rows of one family, publisher and board are alike, so each such group
counts once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from statistics import NormalDist
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from harness.bench.boards import latency_model as model
from harness.bench.boards.published import Measurement, publisher
from harness.bench.boards.random_effects import Related

Floats = NDArray[np.float64]
# "network": the case's own network is hardly ever among the rows, so this is the least width of any interval.
Novelty = Literal["network", "source", "family", "board", "precision", "runtime", "layers"]
NOVELTIES: tuple[Novelty, ...] = get_args(Novelty)
Widths = dict[Novelty, dict[str, float]]  # runtime, or device -> factor on a normal interval

CONFIDENCE = 0.90
NORMAL = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
_ENOUGH = 60  # rows of a runtime; with fewer, its width is at least that of its device
# The fewest held-out groups whose largest error bounds 90 % of new groups: n with ceil(0.9 * (n + 1)) <= n (Vovk et
# al., Algorithmic Learning in a Random World, 2005). A device with fewer publishers is as wide as all at least.
_FEWEST_GROUPS = 9


def group_weights(rows: Sequence[Measurement]) -> Floats:
    """Weights that make each family of each publisher on each board and runtime count once."""
    groups = [(row.family, publisher(row.source), row.board.name, row.runtime.name) for row in rows]
    many = Counter(groups)
    return np.array([1 / many[group] for group in groups])


def widths_of(
    rows: Sequence[Measurement], errors: Floats, spreads: Floats, folds: NDArray[np.int64]
) -> dict[str, float]:
    """Width per runtime and per device (`gpu`, `cpu`) that covers `CONFIDENCE` of these errors.

    `folds`: rows held out together have the same number; rows of one publisher do not show how publishers differ.
    """
    known = np.isfinite(errors)
    scores = np.abs(errors[known]) / spreads[known] / NORMAL
    kept = [row for row, one in zip(rows, known, strict=True) if one]
    weights = group_weights(kept)
    devices = np.array(["cpu" if row.runtime.on_cpu else "gpu" for row in kept])
    names = np.array([row.runtime.name for row in kept])
    apart = folds[known]
    anywhere = _quantile(scores, weights, np.ones(len(scores), dtype=bool))
    found = {}
    for device in sorted(set(devices.tolist())):
        here = devices == device
        own = _quantile(scores, weights, here)
        found[device] = own if len(set(apart[here].tolist())) >= _FEWEST_GROUPS else max(own, anywhere)
    for name in sorted(set(names.tolist())):
        here = names == name
        own = _quantile(scores, weights, here)
        found[name] = own if here.sum() >= _ENOUGH else max(own, found[devices[here][0]])
    return {name: round(width, 4) for name, width in found.items()}


def _quantile(scores: Floats, weights: Floats, here: NDArray[np.bool_]) -> float:
    """The weighted `CONFIDENCE` quantile of the scores, with one more group added above all scores."""
    order = np.argsort(scores[here])
    summed = np.cumsum(weights[here][order])
    wanted = CONFIDENCE * (summed[-1] + weights.max())
    return float(scores[here][order][min(int(np.searchsorted(summed, wanted)), len(order) - 1)])


class Seen:
    """The networks, families, boards and so on that rows cover, to tell in which way a case is new."""

    def __init__(self, known: Iterable[Measurement]) -> None:
        self._runtimes: dict[str, dict[Novelty, set[str]]] = {}
        for row in known:
            seen = self._runtimes.setdefault(row.runtime.name, {name: set() for name in NOVELTIES})
            for novelty, of_row in _about(model.related(row)):
                seen[novelty] |= of_row

    def novelties(self, wanted: Related) -> tuple[Novelty, ...]:
        """In which ways, besides its network, the case is unlike all rows with its runtime."""
        seen = self._runtimes.get(wanted.case.runtime.name)
        new: list[Novelty] = [] if seen else ["runtime"]
        return (*new, *(novelty for novelty, of_case in _about(wanted) if not seen or not of_case <= seen[novelty]))


def _about(one: Related) -> tuple[tuple[Novelty, frozenset[str]], ...]:
    case = one.case
    return (
        ("source", frozenset({one.publisher})),
        ("family", frozenset({one.family})),
        ("board", frozenset({case.board.name})),
        ("precision", frozenset({case.precision})),
        ("layers", case.network.special_layers),
    )


def width(widths: Widths, novelties: Iterable[Novelty], runtime: str, device: str) -> float:
    """The width for a case that is new in these ways: the widest that applies."""
    factors = [widths[novelty] for novelty in ("network", *novelties) if novelty in widths]
    return max(factor.get(runtime, factor.get(device, max(factor.values(), default=1.0))) for factor in factors)
