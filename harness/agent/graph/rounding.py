"""Whether weights are a pre-trained layer's that were rounded, or of which some were set to zero.

Rounding leaves every number in its cell: the numbers that round to the one that is stored. So the question is whether
one factor for each output channel, which a folded BatchNorm leaves, puts every pre-trained number into the cell of its
counterpart. Cells come of the stored integers' step, of the mantissa's length, of the few values that a tensor holds,
or of an even grid in each channel. Training moves some numbers out of their cells, unless it moves them less than
rounding does.

Wide cells prove nothing: they are evidence only where they are small beside the weights (`_WIDEST`), and where enough
numbers remain (`_FEWEST_SHARE`) in most channels that are not zero (`_FEWEST_CHANNELS`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Form = Literal["", "half", "quantised"]

_FOLD = 1e-6  # relative; float32 rounding of weight * gamma / sqrt(var + eps) stays below 2e-7
_ROUNDED_TWICE = 0.05  # of a step; an original in half precision, or folded in it
_WIDEST = 0.5  # half a cell, relative to a channel's root mean square: 4 bits leave 0.3, 2 bits 0.6 or more
_FEWEST_SHARE = 0.05  # of a layer's numbers that must be compared; each channel's factor costs one
_FEWEST = 8
_FEWEST_CHANNELS = 0.5  # of those that are not zero, in which cells are small
_CLIPPED = 0.01  # share of numbers that calibration may have cut off at a channel's or a tensor's ends
_HALF_BITS, _FLOAT_BITS = (6, 11), 23  # mantissas: bfloat16 has 7, float16 10; fewer count as quantised
_SMALLEST_HALF = 2.0**-24  # float16's smallest number and the step of its small ones
_MOST_VALUES, _EACH = 256, 8  # a palette's values, and how often each must occur on average
_LEVELS = 255  # of a grid
_TRIED_NUMBERS, _TRIED_CHANNELS, _FEWEST_IN_GRID = 64, 8, 6
_ON_GRID = 1e-3  # of a step


@dataclass(frozen=True, slots=True)
class Kept:
    """A pre-trained layer that a tensor still holds.

    `clear` is False where rounding or zeros leave too little to tell.
    """

    form: Form
    zeros: float  # share of the numbers that were set to zero
    clear: bool


@dataclass(frozen=True, slots=True)
class _Cells:
    """Numbers, all float64, (channels, numbers): `low` and `high` bound the originals, `half` is half a cell."""

    form: Form
    original: Array
    low: Array
    high: Array
    half: Array


def kept(original: Array, found: Array, step: Array | None) -> Kept | None:
    """How `found` holds `original`, both of one shape with the output channels first; None where it does not.

    `step`: for each number of `found` the distance to the next that its storage has, if that is known.
    """
    w0, w = (np.asarray(x, np.float64).reshape(len(original), -1) for x in (original, found))
    if not np.isfinite(w).all() or not w.any():
        return None
    steps = None if step is None else np.asarray(step, np.float64).reshape(w.shape)
    unclear = None
    for cells in _candidates(w0, w, steps):
        for included in (np.ones(w.shape, bool), w != 0):
            if included.all() and cells.form == "" and steps is None and not (w == 0).any():
                continue  # equal numbers are found without cells
            done = _fits(cells, w, included)
            if done is not None and done.clear:
                return done
            unclear = unclear or done
            if included.all() and not (w == 0).any():
                break
    return unclear


def change(original: Array, found: Array, step: Array | None) -> float:
    """|w - w0| / |w0| over the numbers that are not zero, with the best factor for each channel, less half a step."""
    w0, w = (np.asarray(x, np.float64).reshape(len(original), -1) for x in (original, found))
    included = w != 0
    if _compared(included, np.ones(len(w), bool)) < max(_FEWEST, _FEWEST_SHARE * w.size):
        return float("inf")
    kept_originals = np.where(included, w0, 0.0)
    squares = (kept_originals**2).sum(axis=1, keepdims=True)
    factors = np.divide((w * w0).sum(axis=1, keepdims=True), squares, where=squares > 0, out=squares * 0)
    fitted = factors * kept_originals
    size = float(np.linalg.norm(fitted))
    half = 0.0 if step is None else 0.5 * np.asarray(step, np.float64).reshape(w.shape)
    beyond = np.maximum(np.abs(w - fitted) - half, 0.0)
    return float(np.linalg.norm(beyond)) / size if size else float("inf")


def _candidates(w0: Array, w: Array, step: Array | None) -> Iterator[_Cells]:
    """What may have been done to the numbers, the least first."""
    float_error = _FOLD * np.abs(w) + 0.1 * _FOLD * np.sqrt((w**2).mean(axis=1, keepdims=True))
    yield _around("", w0, w, float_error)
    bits = _mantissa(w)
    if bits < _FLOAT_BITS - 3:  # rounded once more where a BatchNorm was folded in that precision
        tolerance = np.abs(w) * 2.0**-bits * 1.05 + (_SMALLEST_HALF if bits <= _HALF_BITS[1] else 0.0)
        yield _around("half" if bits >= _HALF_BITS[0] else "quantised", w0, w, tolerance + float_error)
    for rounded in (_to_half, _to_bfloat):  # rounded, and a BatchNorm folded in later
        yield _around("half", rounded(w0), w, float_error)
    if step is not None:
        yield _around("quantised", w0, w, step * (0.5 + _ROUNDED_TWICE) + float_error)
        return
    palette = _palette(w0, w)
    if palette is not None:
        yield palette
    grid = _grid(w)
    if grid is not None:
        yield _around("quantised", w0, w, grid * (0.5 + _ROUNDED_TWICE) + float_error)


def _around(form: Form, original: Array, w: Array, half: Array) -> _Cells:
    return _Cells(form, original, w - half, w + half, half)


def _mantissa(w: Array) -> int:
    """The bits of the longest mantissa among the numbers, without the leading one; 23 where float32 needs them all."""
    single = w.astype(np.float32)
    bits = single.view(np.uint32) | np.uint32(1 << _FLOAT_BITS)
    together = int(np.bitwise_or.reduce(bits[single != 0], axis=None)) if single.any() else 0
    return _FLOAT_BITS - ((together & -together).bit_length() - 1) if together else _FLOAT_BITS


def _to_half(w: Array) -> Array:
    with np.errstate(over="ignore"):
        return w.astype(np.float16).astype(np.float64)


def _to_bfloat(w: Array) -> Array:
    bits = w.astype(np.float32).view(np.uint32)
    even = np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))
    return ((bits + even) & np.uint32(0xFFFF0000)).view(np.float32).astype(np.float64)


def _palette(w0: Array, w: Array) -> _Cells | None:
    """Cells between the few values that a tensor holds, as uniform steps or clusters leave them."""
    values, places = np.unique(w, return_inverse=True)
    if not 1 < len(values) <= _MOST_VALUES or w.size < _EACH * len(values):
        return None
    gaps = np.diff(values)
    below, above = np.r_[gaps[0], gaps] / 2, np.r_[gaps, gaps[-1]] / 2
    places = places.reshape(w.shape)
    more = 1 + 2 * _ROUNDED_TWICE
    low, high = w - more * below[places], w + more * above[places]
    return _Cells("quantised", w0, low, high, (high - low) / 2)


def _grid(w: Array) -> Array | None:
    """The step of an even grid for each channel, (channels, 1); None where most channels have none."""
    if w.shape[1] < _FEWEST_IN_GRID:
        return None
    low, span = w.min(axis=1, keepdims=True), np.ptp(w, axis=1, keepdims=True)
    varied = span[:, 0] > 0
    chosen = np.linspace(0, w.shape[1] - 1, min(_TRIED_NUMBERS, w.shape[1]), dtype=int)
    unit = np.divide(w - low, span, where=span > 0, out=np.zeros_like(w))
    levels = np.zeros(len(w))
    open_rows = np.flatnonzero(varied)
    for count in range(1, _LEVELS + 1):
        on = _is_on(unit[np.ix_(open_rows, chosen)], count).all(axis=1)
        hits = open_rows[on]
        whole = hits[_is_on(unit[hits], count).all(axis=1)]
        levels[whole] = count
        open_rows = np.setdiff1d(open_rows, whole, assume_unique=True)
        if not len(open_rows):
            break
    if not varied.any() or (levels > 0).sum() < 0.9 * varied.sum():
        return None
    step: Array = np.divide(span, levels[:, None], where=levels[:, None] > 0, out=np.zeros_like(span))
    return step


def _is_on(unit: Array, levels: int) -> NDArray[np.bool_]:
    placed: Array = unit * levels
    return np.asarray(np.abs(placed - np.round(placed)) < _ON_GRID, bool)


def _fits(cells: _Cells, w: Array, included: NDArray[np.bool_]) -> Kept | None:
    """Whether a factor for each channel puts the `included` originals into their cells."""
    some = np.unique(np.linspace(0, len(w) - 1, _TRIED_CHANNELS, dtype=int))
    if not _factors(cells, w, included, some)[1].all():
        return None
    factor, fit = _factors(cells, w, included, np.arange(len(w)))
    if not fit.all():
        return None
    expected = factor[:, None] * cells.original
    counts = included.sum(axis=1)
    squares = np.where(included, expected**2, 0.0).sum(axis=1)
    width = np.where(included, cells.half, 0.0).sum(axis=1)
    size = np.sqrt(np.divide(squares, counts, where=counts > 0, out=np.zeros(len(w))))
    small = (counts > 0) & (width <= _WIDEST * size * counts)
    filled = w.any(axis=1)
    clear = _compared(included, small) >= max(_FEWEST, _FEWEST_SHARE * w.size)
    clear &= int((small & filled).sum()) >= _FEWEST_CHANNELS * int(filled.sum())
    gone: NDArray[np.bool_] = (w == 0) & (np.abs(expected) > cells.half) & ~included
    if cells.form != "quantised":
        gone |= ~np.asarray(filled)[:, None] & (cells.original != 0)
    return Kept(cells.form, float(gone.mean()), bool(clear))


def _compared(included: NDArray[np.bool_], rows: NDArray[np.bool_]) -> int:
    """How many numbers are compared, less one factor for each channel."""
    return int(np.maximum(included[rows].sum(axis=1) - 1, 0).sum())


def _factors(cells: _Cells, w: Array, included: NDArray[np.bool_], rows: Any) -> tuple[Array, NDArray[np.bool_]]:
    """For each of the `rows` a factor that fits, and whether there is one."""
    original, low, high = (x[rows] for x in (cells.original, cells.low, cells.high))
    used = included[rows].copy()
    clipped = np.zeros_like(used)
    if cells.form == "quantised":
        clipped |= _at_an_end(w)[rows]
    low, high = np.where(clipped & (w[rows] < 0), -np.inf, low), np.where(clipped & (w[rows] > 0), np.inf, high)
    nothing = original == 0
    bad = (used & nothing & ((low > 0) | (high < 0))).any(axis=1)
    used &= ~nothing
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        one, other = low / original, high / original
    least = np.where(used, np.minimum(one, other), -np.inf).max(axis=1)
    most = np.where(used, np.maximum(one, other), np.inf).min(axis=1)
    fit = ~bad & (least <= most)
    ends = np.isfinite(least) & np.isfinite(most)
    middle = np.where(ends, (np.where(ends, least, 0) + np.where(ends, most, 0)) / 2, 0.0)
    return np.where(fit, middle, 0.0), fit


def _at_an_end(w: Array) -> NDArray[np.bool_]:
    """Numbers at the ends of their channel's range, or of the tensor's, where these are few."""
    found = np.zeros(w.shape, bool)
    for ends in ((w.min(axis=1, keepdims=True), w.max(axis=1, keepdims=True)), (w.min(), w.max())):
        at: NDArray[np.bool_] = ((w == ends[0]) & (w < 0)) | ((w == ends[1]) & (w > 0))
        if at.sum() <= _CLIPPED * at.size:
            found |= at
    return found
