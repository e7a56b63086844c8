"""Chooses the images of a data set that are withheld, and for detection some of the training part."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from harness.inputs.assignment.sections import OwnDataset
from harness.stages.audit.images import ImageSet
from harness.stages.audit.objects import Objects, can_be_graded_on, classes_of
from harness.stages.audit.reply import Row
from harness.stages.audit.split import balanced, withhold
from harness.stages.evidence.audit import WithheldImage

_MOST_KNOWN = 24  # images, as of a course's training images
_MOST_SEARCHED = 60  # images: 3 s of a detector, and some 20 MB in the store


def classes_shown(labels: Sequence[str | None], objects: Sequence[Objects], detection: bool) -> list[frozenset[str]]:
    """The classes of each image: of its objects, or the one that it lies in."""
    if detection:
        return [classes_of(one) for one in objects]
    return [frozenset(() if label is None else (label,)) for label in labels]


def usable(
    rows: Sequence[Row], objects: Sequence[Objects], listed: Sequence[str] | None, detection: bool
) -> list[bool]:
    """Whether each image can be graded on."""
    if not detection:
        return [row.shows_one_class for row in rows]
    return [can_be_graded_on(one, row.objects_left_out, listed) for row, one in zip(rows, objects, strict=True)]


def choose(
    images: ImageSet,
    groups: NDArray[np.int64],
    shown: Sequence[frozenset[str]],
    may: Sequence[bool],
    asked: OwnDataset,
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The images to withhold, and up to 24 others, by which can be measured what a detector's labels mean.

    The others are chosen by their content, as many of each class as can be.
    """
    chosen = withhold(
        shown,
        groups,
        may,
        fraction=asked.withhold_fraction,
        per_class=asked.withhold_per_class,
        seed=asked.seed,
    )
    withheld = set(chosen)
    left = [i for i in range(len(images)) if may[i] and i not in withheld]
    left.sort(key=lambda i: images.described[i].sha256)
    return chosen, balanced(shown, left, _MOST_KNOWN)


def to_search(images: ImageSet, rows: Sequence[Row], shown: Sequence[frozenset[str]]) -> tuple[int, ...]:
    """The images in which the reference looks for objects without a box: as many of each class as can be, 60 at most.

    Those that show no class count as one. Left out are images that no annotation names, of which that is said already,
    and those with boxes that cannot be read. `rows`: of the readable images.
    """
    may = [i for i, row in enumerate(rows) if row.annotated and not row.objects_left_out]
    may.sort(key=lambda i: images.described[i].sha256)
    return balanced([classes or frozenset(("",)) for classes in shown], may, _MOST_SEARCHED)


def with_objects(one: WithheldImage, row: Row, objects: Objects) -> WithheldImage:
    """The image with its size and what is drawn on it."""
    if row.seen is None:
        return one
    return one.model_copy(update={"width": row.seen.width, "height": row.seen.height, "objects": objects})
