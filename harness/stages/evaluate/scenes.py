"""Images of one scene: a model tends to be right on all of them or on none, so they say less than as many others.

The effective count of images is count / (1 + (k - 1) r), where k is the size of the scene that an image is in, on the
average over the images, and r how alike the answers within a scene are: the design effect of Kish (1965), used in score
intervals as by Rao and Scott (1992).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from harness.stages.evaluate.intervals import Z

Indices = NDArray[np.int64]


class Scenes:
    """The scenes of a set of images: `of` has each image's scene, numbered from 0; `count` says how many there are."""

    def __init__(self, of: Indices) -> None:
        """`of`: a number for each image, equal for images of one scene. Raises `ValueError` for no images."""
        if len(of) == 0:
            raise ValueError("no images")
        _, self.of = np.unique(of, return_inverse=True)
        self.count = int(self.of.max()) + 1

    def sums(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """The sum over each scene's images; `values` has the shape (images,) or (images, columns)."""
        summed = np.zeros((self.count, *values.shape[1:]))
        np.add.at(summed, self.of, values)
        return summed

    def likeness(self, values: NDArray[np.float64], variance: float) -> float:
        """How alike values of one scene are, from 0 (as any two images) to 1 (equal): an intraclass correlation.

        It is 1 less the mean of (v - w)^2 / 2 over the pairs of one scene, divided by `variance`. With few
        differences the variance must not be their own, which knows nothing of images not seen; see `of_shares`.
        """
        sizes = np.bincount(self.of, minlength=self.count)
        pairs = float((sizes * (sizes - 1)).sum())
        if not pairs:
            return 0.0
        apart = float((sizes * self.sums(values**2) - self.sums(values) ** 2).sum()) / pairs
        return float(np.clip(1 - apart / variance, 0.0, 1.0))

    def effective(self, likeness: float, among: NDArray[np.bool_] | None = None) -> float:
        """The effective count of the images `among` which a share is taken; of all by default."""
        of = self.of if among is None else self.of[among]
        sizes = np.bincount(of)
        mean_size = float((sizes.astype(np.float64) ** 2).sum()) / len(of)
        return len(of) / (1 + (mean_size - 1) * likeness)


def of_shares(right: NDArray[np.bool_], scenes: Scenes) -> float:
    """The likeness of right and wrong answers within scenes.

    Their variance is taken at the middle of Wilson's interval, so that no mistake at all, or very few, do not pass for
    independent answers: with none, the likeness is 1, and each scene counts once.
    """
    middle = (float(right.sum()) + Z * Z / 2) / (len(right) + Z * Z)
    return scenes.likeness(right.astype(np.float64), middle * (1 - middle))


def of_gains(gains: NDArray[np.float64], scenes: Scenes) -> float:
    """The same of the differences between two models' answers, each -1, 0 or 1."""
    count = len(gains) + Z * Z
    square, mean = (float(np.abs(gains).sum()) + Z * Z / 2) / count, float(gains.sum()) / count
    return scenes.likeness(gains, square - mean**2)
