"""Whether two images show one scene: their details are found again, all moved in one way.

Photographs of one object on one table are alike as a whole, so neither a hash nor an embedding tells them from a
burst. Detail does: 25 patches of the one image are looked for near their place in the other (normalised
correlation of what a blur takes away). In a burst or an altered copy nearly all are found, and their moves
fit one affine map, as a hand-held camera makes. On photographs of another moment or object they are not.

Measured on the real photographs in docs/dataset.md: bursts and copies have at least 0.95 of the patches in
one map, other photographs of the same object on the same table at most 0.64.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft2, rfft2
from scipy.ndimage import gaussian_filter

from harness.stages.audit.hashing import ORIENTATIONS, oriented

Detail = NDArray[np.float32]

_PATCH = 24  # pixels of the 128
_STARTS = range(4, 101, 20)  # of the patches, in both directions
_FFT = (64, 64)  # pixels: more than a patch and its reach
_REACH = 14  # pixels that a patch may have moved: 11 % of the side
_BLUR = 4.0  # pixels: coarser structure is no detail
_FEWEST_LEVELS = 3.0  # grey levels, standard deviation of a patch that holds detail
_NOISE_LEVELS = 1.5  # of the place where it is looked for: what is flatter is noise
_FEWEST_PATCHES = 6
_FOUND = 0.6  # correlation of a patch that was found again
_OFF = 1.5  # pixels from the common map
_FIRST = 8  # patches after which a hopeless pair is given up
_HOPELESS = 0.5  # median correlation of these


@dataclass(frozen=True, slots=True)
class Match:
    """How alike two images are in detail."""

    share: float  # of the patches that were found, all moved in one way
    correlation: float  # median over the patches
    moved: float  # pixels of 128, median of the patches' moves
    orientation: int  # how the second had to be turned

    @property
    def same_scene(self) -> bool:
        """A burst or an altered copy, beyond doubt: half-way between what was measured of both kinds."""
        return self.share >= 0.8 and self.correlation >= 0.8

    @property
    def perhaps_same_scene(self) -> bool:
        """Near enough to keep on one side of a split; not enough to tell anyone."""
        return self.share >= 0.6 and self.correlation >= 0.7

    @property
    def copy(self) -> bool:
        """The same photograph, re-encoded, resized, recoloured or turned: a second one always moves a little."""
        return self.same_scene and self.correlation >= 0.97 and self.moved < 0.5


NO_MATCH = Match(0.0, 0.0, 0.0, 0)


def detail(grey: NDArray[np.uint8]) -> Detail:
    """What a blur takes away from the image: float32, (128, 128)."""
    values = grey.astype(np.float32)
    fine: Detail = values - gaussian_filter(values, _BLUR)
    return fine


def has_detail(one: Detail) -> bool:
    """Whether there is enough in the image to find it again; one without matches nothing."""
    return len(_patches(one)) >= _FEWEST_PATCHES


def match(one: Detail, other: Detail) -> Match:
    """The best match over the two likeliest orientations of `other`."""
    best = NO_MATCH
    patches = _patches(one)
    if len(patches) < _FEWEST_PATCHES:
        return NO_MATCH
    for orientation in _likeliest(one, other):
        found = _match(patches, oriented(other, orientation), orientation)
        if (found.share, found.correlation) > (best.share, best.correlation):
            best = found
    return best


def _likeliest(one: Detail, other: Detail) -> list[int]:
    """Upright, and the turned orientation whose circular correlation has the highest peak."""
    spectrum = rfft2(one)

    def peak(orientation: int) -> float:
        return float(irfft2(spectrum * np.conj(rfft2(oriented(other, orientation)))).max())

    return [0, max(range(1, ORIENTATIONS), key=peak)]


def _match(patches: list[tuple[int, int, Detail]], other: Detail, orientation: int) -> Match:
    spreads = _spreads(other)
    found = [_found(*patch, other, spreads) for patch in patches[:_FIRST]]
    if np.median([correlation for _, _, correlation in found]) < _HOPELESS:
        return NO_MATCH
    found += [_found(*patch, other, spreads) for patch in patches[_FIRST:]]
    correlation = np.array([value for _, _, value in found])
    moves = np.array([(down, right) for down, right, _ in found], dtype=np.float64)
    places = np.array([(y, x) for y, x, _ in patches], dtype=np.float64)
    good = correlation >= _FOUND
    together = _in_one_map(places[good], moves[good])
    moved = float(np.median(np.abs(moves[good]).max(axis=1))) if good.any() else 0.0
    return Match(together / len(patches), float(np.median(correlation)), moved, orientation)


def _patches(fine: Detail) -> list[tuple[int, int, Detail]]:
    """(top, left, patch of length 1) for those that hold detail, in an order that is spread over the image."""
    found = []
    for y in _STARTS:
        for x in _STARTS:
            patch = fine[y : y + _PATCH, x : x + _PATCH]
            spread = float(patch.std())
            if spread >= _FEWEST_LEVELS:
                found.append((y, x, (patch - patch.mean()) / (spread * _PATCH)))
    return found[::3] + found[1::3] + found[2::3]


def _found(y: int, x: int, patch: Detail, other: Detail, spreads: Detail) -> tuple[int, int, float]:
    """How far down and right the patch is found in the other image, and its correlation there.

    `spreads`: of the other image, by `_spreads`. The patch's mean is zero, so that of the place does not matter.
    """
    top, left = max(0, y - _REACH), max(0, x - _REACH)
    window = other[top : y + _PATCH + _REACH, left : x + _PATCH + _REACH]
    down, across = window.shape[0] - _PATCH + 1, window.shape[1] - _PATCH + 1
    spectrum = rfft2(window, s=_FFT) * np.conj(rfft2(patch, s=_FFT))
    product = irfft2(spectrum, s=_FFT)[:down, :across]
    correlation = product / (spreads[top : top + down, left : left + across] * _PATCH)
    best = int(correlation.argmax())
    return top + best // across - y, left + best % across - x, float(correlation.flat[best])


def _spreads(fine: Detail) -> Detail:
    """The standard deviation of each place where a patch may lie, at least that of noise: (105, 105)."""

    def means(values: NDArray[np.float64]) -> NDArray[np.float64]:
        sums = np.pad(values, ((1, 0), (1, 0))).cumsum(axis=0).cumsum(axis=1)
        inside = sums[_PATCH:, _PATCH:] - sums[:-_PATCH, _PATCH:] - sums[_PATCH:, :-_PATCH] + sums[:-_PATCH, :-_PATCH]
        return np.asarray(inside / _PATCH**2)

    exact = fine.astype(np.float64)
    variance = means(exact * exact) - means(exact) ** 2
    spread: Detail = np.sqrt(np.maximum(variance, _NOISE_LEVELS**2)).astype(np.float32)
    return spread


def _in_one_map(places: NDArray[np.float64], moves: NDArray[np.float64]) -> int:
    """How many moves one affine map explains to within 1.5 pixels."""
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
