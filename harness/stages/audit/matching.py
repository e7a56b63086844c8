"""Whether two images show one scene: details of one are found in the other, all moved by one affine map.

Photographs of one object on one table are alike as a whole, so neither a hash nor an embedding distinguishes them from
a burst. Detail does: 25 patches of one image are searched near their position in the other (normalised correlation
after high-pass filtering). In a burst or an altered copy nearly all are found, and their moves fit one affine map, as
a hand-held camera makes. In photographs of another moment or object they do not.

Measured on the real photographs in docs/dataset.md: bursts and copies have at least 0.95 of the patches in
one map, other photographs of the same object on the same table at most 0.64.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.stages.audit.hashing import ORIENTATIONS, oriented

Detail = NDArray[np.float32]

_PATCH = 24  # pixels of the 128
_STARTS = range(4, 101, 20)  # positions of the patches, in both directions
_FFT = (64, 64)  # pixels: at least a patch and its reach
_REACH = 14  # pixels that a patch may have moved: 11 % of the side
_BLUR = 4.0  # pixels: coarser structure does not count as detail
_FEWEST_LEVELS = 3.0  # grey levels: least standard deviation of a patch with detail
_NOISE_LEVELS = 1.5  # grey levels: least standard deviation at a searched position; less is noise
_FEWEST_PATCHES = 6
_FOUND = 0.6  # least correlation of a found patch
_OFF = 1.5  # pixels from the common map
_FIRST = 8  # patches after which a hopeless pair is abandoned
_HOPELESS = 0.5  # median correlation of these
_DECIDED = 5  # of the first patches: with all of these below, the median is, whatever the others are


@dataclass(frozen=True, slots=True)
class Match:
    """How alike two images are in detail."""

    share: float  # of the patches that were found with moves in one map
    correlation: float  # median over the patches
    moved: float  # pixels of 128, median of the patches' moves
    orientation: int  # how the second had to be turned

    @property
    def same_scene(self) -> bool:
        """Whether it certainly is a burst or altered copy; the limit is half-way between the two measured kinds."""
        return self.share >= 0.8 and self.correlation >= 0.8

    @property
    def perhaps_same_scene(self) -> bool:
        """Whether the images must stay on one side of a split, without being reported."""
        return self.share >= 0.6 and self.correlation >= 0.7

    @property
    def copy(self) -> bool:
        """Whether it is one photograph, re-encoded, resized, recoloured or turned; a second one moves a little."""
        return self.same_scene and self.correlation >= 0.97 and self.moved < 0.5


NO_MATCH = Match(0.0, 0.0, 0.0, 0)

_Patch = tuple[int, int, Detail]  # top, left, scaled to length 1 with mean 0
_Found = tuple[int, int, float]  # how far down and right, and the correlation there


@dataclass(frozen=True, slots=True)
class Prepared:
    """What comparing an image with several others needs of it."""

    fine: Detail
    patches: Sequence[_Patch]
    spreads: Detail  # (105, 105)


def prepared(grey: NDArray[np.uint8]) -> Prepared:
    """The image, (128, 128), ready for `match_turned`."""
    fine = detail(grey)
    return Prepared(fine, _patches(fine), _spreads(fine))


def match_turned(one: Prepared, other: Prepared, orientation: int) -> Match:
    """The match with `other` turned by that orientation, see `hashing.py`."""
    if len(one.patches) < _FEWEST_PATCHES:
        return NO_MATCH
    return _match(one.patches, oriented(other.fine, orientation), oriented(other.spreads, orientation), orientation)


def detail(grey: NDArray[np.uint8]) -> Detail:
    """The image less its blurred version: float32, (128, 128)."""
    from scipy.ndimage import gaussian_filter

    values = grey.astype(np.float32)
    fine: Detail = values - gaussian_filter(values, _BLUR)
    return fine


def has_detail(one: Detail) -> bool:
    """Whether the image has enough detail to be matched."""
    return len(_patches(one)) >= _FEWEST_PATCHES


def match(one: Detail, other: Detail) -> Match:
    """The best match over the two likeliest orientations of `other`."""
    best = NO_MATCH
    patches = _patches(one)
    if len(patches) < _FEWEST_PATCHES:
        return NO_MATCH
    for orientation in _likeliest(one, other):
        turned = oriented(other, orientation)
        found = _match(patches, turned, _spreads(turned), orientation)
        if (found.share, found.correlation) > (best.share, best.correlation):
            best = found
    return best


def _likeliest(one: Detail, other: Detail) -> list[int]:
    """Upright, and the turned orientation whose circular correlation has the highest peak."""
    from scipy.fft import irfft2, rfft2

    spectrum = rfft2(one)

    def peak(orientation: int) -> float:
        return float(irfft2(spectrum * np.conj(rfft2(oriented(other, orientation)))).max())

    return [0, max(range(1, ORIENTATIONS), key=peak)]


def _match(patches: Sequence[_Patch], other: Detail, spreads: Detail, orientation: int) -> Match:
    found: list[_Found] = []
    for part in (patches[:_DECIDED], patches[_DECIDED:_FIRST]):
        found += _found(part, other, spreads)
        low = sum(correlation < _HOPELESS for _, _, correlation in found)
        if low >= _DECIDED:
            return NO_MATCH
    if np.median([correlation for _, _, correlation in found]) < _HOPELESS:
        return NO_MATCH
    found += _found(patches[_FIRST:], other, spreads)
    correlation = np.array([value for _, _, value in found])
    moves = np.array([(down, right) for down, right, _ in found], dtype=np.float64)
    places = np.array([(y, x) for y, x, _ in patches], dtype=np.float64)
    good = correlation >= _FOUND
    together = _in_one_map(places[good], moves[good])
    moved = float(np.median(np.abs(moves[good]).max(axis=1))) if good.any() else 0.0
    return Match(together / len(patches), float(np.median(correlation)), moved, orientation)


def _patches(fine: Detail) -> list[_Patch]:
    """The patches with detail, in an order that is spread over the image."""
    views = np.lib.stride_tricks.sliding_window_view(fine, (_PATCH, _PATCH))[list(_STARTS)][:, list(_STARTS)]
    means, spreads = views.mean(axis=(2, 3)), views.std(axis=(2, 3))
    found = [
        (y, x, (views[i, j] - means[i, j]) / (spreads[i, j] * _PATCH))
        for i, y in enumerate(_STARTS)
        for j, x in enumerate(_STARTS)
        if spreads[i, j] >= _FEWEST_LEVELS
    ]
    return found[::3] + found[1::3] + found[2::3]


def _found(patches: Sequence[_Patch], other: Detail, spreads: Detail) -> list[_Found]:
    """How far each patch is moved in the other image, and its correlation there.

    `spreads`: the other image's, from `_spreads`. A patch's mean is zero, so the position's mean does not matter.
    """
    from scipy.fft import irfft2, rfft2

    if not patches:
        return []
    both = np.zeros((2, len(patches), *_FFT), np.float32)
    for number, (y, x, patch) in enumerate(patches):
        window = other[max(0, y - _REACH) : y + _PATCH + _REACH, max(0, x - _REACH) : x + _PATCH + _REACH]
        both[0, number, : window.shape[0], : window.shape[1]] = window
        both[1, number, :_PATCH, :_PATCH] = patch
    windows, wanted = rfft2(both)
    products = irfft2(windows * np.conj(wanted), s=_FFT)
    found = []
    for (y, x, _), product in zip(patches, products, strict=True):
        top, left = max(0, y - _REACH), max(0, x - _REACH)
        inside = spreads[top : y + _REACH + 1, left : x + _REACH + 1]
        correlation = product[: inside.shape[0], : inside.shape[1]] / (inside * _PATCH)
        best = int(correlation.argmax())
        down, right = divmod(best, correlation.shape[1])
        found.append((top + down - y, left + right - x, float(correlation.flat[best])))
    return found


def _spreads(fine: Detail) -> Detail:
    """The standard deviation at each possible position of a patch, at least that of noise: (105, 105)."""
    from scipy.ndimage import uniform_filter

    first = _PATCH // 2
    inside = slice(first, first + fine.shape[0] - _PATCH + 1)

    def means(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(uniform_filter(values, _PATCH, mode="constant"))[inside, inside]

    exact = fine.astype(np.float64)
    variance = means(exact * exact) - means(exact) ** 2
    spread: Detail = np.sqrt(np.maximum(variance, _NOISE_LEVELS**2)).astype(np.float32)
    return spread


def _in_one_map(places: NDArray[np.float64], moves: NDArray[np.float64]) -> int:
    """How many moves one affine map explains within 1.5 pixels."""
    if len(places) < 4:
        return 0
    terms = np.column_stack([places - places.mean(axis=0), np.ones(len(places))])
    kept = np.abs(moves - np.median(moves, axis=0)).max(axis=1) <= 4 * _OFF
    for _ in range(4):
        if kept.sum() < 4:
            break
        affine = np.linalg.lstsq(terms[kept], moves[kept], rcond=None)[0]
        kept = np.abs(terms @ affine - moves).max(axis=1) <= _OFF
    return int(kept.sum())
