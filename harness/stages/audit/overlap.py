"""Whether one image repeats another's photograph where a map of keypoints lays them over each other.

A card or a poster looks the same in two photographs, and its keypoints fit one map; what lies around it does not. So
the small grey images are laid over each other, and compared window by window over all that both show.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.stages.audit.images import GREY
from harness.stages.audit.keypoints import AffineMap

Grey = NDArray[np.uint8]
Floats = NDArray[np.float32]

_BLUR = 4.0  # pixels: coarser structure does not count as detail
_WINDOW = 11  # pixels of the coarser image
_STEP = 6  # pixels between windows
_FEWEST_LEVELS = 1.5  # grey levels: least standard deviation of a window with detail, in either image
_ALIKE = 0.6  # correlation of a window that both show
_APART = (12.0, 50.0)  # pixels of 512 between keypoints whose deviations are compared
_FEWEST_WINDOWS = 12
_LEAST_LEVELS = 0.4  # grey levels: a window with less, in one of the images, is a frame or a bar and no photograph
_NOT_MOVED = 1.2  # pixels of 512; bursts moved by 2 or more
_HELD_STILL = 10.0  # pixels of 512; a crop by 5 % moves a corner by 13 or more
_UNTURNED = 0.012  # of the map's matrix from the identity: 1.2 % of scale, 0.7 degrees
_SAME_SIZE = 2.0  # pixels of 512
_SIMILAR = 1.015  # aspect; more is stretched, or another view of a flat thing


@dataclass(frozen=True, slots=True)
class Overlap:
    """How one image repeats another."""

    keypoints: int  # that fit the map
    aspect: float  # of the map
    moved: float  # pixels of 512: the farthest that the map moves a corner
    shifted: bool  # images of one size, neither scaled nor turned: no crop leads from one to the other
    off: float  # pixels of 512, root mean square: how far the keypoints are from the map
    coherent: float  # up to 1: how much the deviations of neighbouring keypoints agree, as parallax makes them
    windows: int  # that are alike
    share: float  # of the windows with detail that are alike
    correlation: float  # median of the alike windows
    covered: float  # the alike windows' share of the area of the image that is shown larger

    @property
    def copy(self) -> bool:
        """Whether it is one photograph, cropped, turned, rescaled or framed.

        A map that moves the corners by a few pixels, or only shifts the image, is that of a hand that held the camera:
        `matching.py` tells a copy from a burst there. The limits lie between the altered copies and the different
        photographs of docs/dataset.md.
        """
        stretched = self.aspect > _SIMILAR
        return (
            (self.moved <= _NOT_MOVED or (self.moved > _HELD_STILL and not self.shifted) or stretched)
            and self.keypoints >= (60 if stretched else 20)
            and self.aspect <= 1.3
            and self.off <= 1.0
            and self.coherent <= 0.22
            and self.windows >= (40 if self.keypoints >= 55 else 70)
            and self.share >= 0.8
            and self.correlation >= 0.75
            and self.covered >= 0.4
        )


def overlap(
    one: Grey, other: Grey, sizes: tuple[tuple[float, float], tuple[float, float]], found: AffineMap
) -> Overlap:
    """`one`, `other`: (128, 128), stretched; `sizes`: their widths and heights in the pixels of the map."""
    into, back = (np.diag([GREY / width, GREY / height]) for width, height in sizes)
    linear: NDArray[np.float64] = (back @ found.linear @ np.linalg.inv(into)).astype(np.float64)
    shift: NDArray[np.float64] = back @ found.shift
    if abs(np.linalg.det(linear)) < 1:  # the finer image is resampled to the coarser one
        one, other = other, one
        linear = np.linalg.inv(linear).astype(np.float64)
        shift = -linear @ shift
    larger = float(abs(np.linalg.det(linear)))
    share, correlation, alike = _windows(one.astype(np.float32), *_resampled(other, linear, shift))
    return Overlap(
        len(found.inliers),
        found.aspect,
        _moved(found, sizes[0]),
        bool(np.abs(found.linear - np.eye(2)).max() <= _UNTURNED and np.abs(np.subtract(*sizes)).max() <= _SAME_SIZE),
        float(np.sqrt(np.square(found.off).sum(axis=1).mean())) / max(1.0, found.scale),
        _coherent(found),
        alike,
        share,
        correlation,
        min(1.0, alike * _STEP**2 * larger / GREY**2),
    )


def _resampled(grey: Grey, linear: NDArray[np.float64], shift: NDArray[np.float64]) -> tuple[Floats, NDArray[np.bool_]]:
    """The image seen from the other one's pixels, and where it is there. The map goes from x, y to x, y."""
    from scipy.ndimage import affine_transform, gaussian_filter

    factor = float(np.sqrt(abs(np.linalg.det(linear))))
    values = grey.astype(np.float32)
    if factor > 1.05:
        values = gaussian_filter(values, 0.5 * np.sqrt(factor**2 - 1))
    matrix = linear[::-1, ::-1]
    offset = matrix @ (0.5, 0.5) + shift[::-1] - 0.5  # pixel centres
    shape = (GREY, GREY)
    there = affine_transform(np.ones(shape, np.float32), matrix, offset, shape, order=1, mode="constant") > 0.99
    return affine_transform(values, matrix, offset, shape, order=1, mode="constant"), there


def _windows(one: Floats, other: Floats, there: NDArray[np.bool_]) -> tuple[float, float, int]:
    """The share of alike windows among those with detail, the median correlation of the alike ones, their number."""
    from scipy.ndimage import gaussian_filter, uniform_filter

    weight = gaussian_filter(there.astype(np.float32), _BLUR) + 1e-6

    def fine(values: Floats) -> Floats:
        inside = np.where(there, values, 0)
        return np.where(there, inside - gaussian_filter(inside, _BLUR) / weight, 0).astype(np.float32)

    def mean(values: Floats) -> Floats:
        start = _WINDOW // 2
        return np.asarray(uniform_filter(values, _WINDOW))[start : GREY - start : _STEP, start : GREY - start : _STEP]

    a, b = fine(one), fine(other)
    variance_a, variance_b = mean(a * a) - mean(a) ** 2, mean(b * b) - mean(b) ** 2
    product = mean(a * b) - mean(a) * mean(b)
    seen = mean(there.astype(np.float32)) > 0.98
    seen &= np.maximum(variance_a, variance_b) >= _FEWEST_LEVELS**2
    seen &= np.minimum(variance_a, variance_b) >= _LEAST_LEVELS**2
    correlation = (product / np.sqrt(np.maximum(variance_a, 1) * np.maximum(variance_b, 1)))[seen]
    alike = correlation >= _ALIKE
    if alike.sum() < _FEWEST_WINDOWS:
        return 0.0, 0.0, 0
    return float(alike.mean()), float(np.median(correlation[alike])), int(alike.sum())


def _moved(found: AffineMap, size: tuple[float, float]) -> float:
    corners = np.array([(0, 0), (size[0], 0), (0, size[1]), size])
    return float(np.abs(corners @ found.linear.T + found.shift - corners).max())


def _coherent(found: AffineMap) -> float:
    """The mean product of the deviations of neighbouring keypoints, relative to their mean square: Moran's I (1950).

    Errors of single keypoints are independent. A camera that moved displaces near and far things differently, and
    whatever lies together alike.
    """
    apart = np.hypot(*(found.inliers[:, None] - found.inliers[None]).T)
    pairs = (apart >= _APART[0]) & (apart <= _APART[1])
    square = float(np.square(found.off).sum(axis=1).mean())
    if not pairs.any() or square <= 0:
        return 0.0
    return float((found.off @ found.off.T)[pairs].mean()) / square
