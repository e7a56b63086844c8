"""How wide an interval has to be: measured on rows that the model had not seen (conformal prediction).

The pool's own spread says which prediction is less certain than another; the width says how wide all of them have to
be to cover what they promise. There is a width for each way in which a case can be new, for each runtime with
enough rows. Rows of one family, publisher and board stand for each other, so that each such group counts once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from statistics import NormalDist
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from harness.boards.published import Measurement, publisher

Floats = NDArray[np.float64]
Novelty = Literal["source", "family", "board", "precision", "runtime"]
NOVELTIES: tuple[Novelty, ...] = get_args(Novelty)
Widths = dict[Novelty, dict[str, float]]  # runtime, or device -> factor on a normal interval

CONFIDENCE = 0.90
NORMAL = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
_ENOUGH = 60  # rows of a runtime; with fewer, its width is at least its device's
# The fewest held-out groups whose largest error bounds 90 % of new groups: n with ceil(0.9 * (n + 1)) <= n (Vovk et
# al., Algorithmic Learning in a Random World, 2005). A device with fewer publishers is as wide as all at least.
_FEWEST_GROUPS = 9


def group_weights(rows: Sequence[Measurement]) -> Floats:
    """Weights with which each family of each publisher on each board and runtime counts once."""
    groups = [(row.family, publisher(row.source), row.board.name, row.runtime.name) for row in rows]
    many = Counter(groups)
    return np.array([1 / many[group] for group in groups])


def widths_of(
    rows: Sequence[Measurement], errors: Floats, spreads: Floats, folds: NDArray[np.int64]
) -> dict[str, float]:
    """Width per runtime and per device (`gpu`, `cpu`) that covers `CONFIDENCE` of these errors.

    `folds`: which rows were held out together; many rows of one publisher say nothing about how publishers differ.
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
    """The score below which `CONFIDENCE` of the weight lies, with one more group beyond all scores."""
    order = np.argsort(scores[here])
    summed = np.cumsum(weights[here][order])
    wanted = CONFIDENCE * (summed[-1] + weights.max())
    return float(scores[here][order][min(int(np.searchsorted(summed, wanted)), len(order) - 1)])


def novelties(
    board: str, runtime: str, precision: str, family: str, known: Sequence[Measurement]
) -> tuple[Novelty, ...]:
    """In what way none of the known rows is like the case."""
    same = [row for row in known if row.runtime.name == runtime]
    seen: dict[Novelty, bool] = {
        "runtime": bool(same),
        "board": any(row.board.name == board for row in same),
        "precision": any(row.precision == precision for row in same),
        "family": any(row.family == family for row in same),
    }
    return tuple(novelty for novelty, there in seen.items() if not there)


def width(widths: Widths, novelties: Iterable[Novelty], runtime: str, device: str) -> float:
    """The width for a case that is new in these ways; it is never from a known source alone."""
    factors = [widths[novelty] for novelty in (*novelties, "source") if novelty in widths]
    return max(factor.get(runtime, factor.get(device, max(factor.values(), default=1.0))) for factor in factors)
