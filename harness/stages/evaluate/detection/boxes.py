"""Boxes as arrays: what a detector says of the images, and what is on them.

A box is left, top, right, bottom, relative to its image: 0 to 1 across it. It may leave the image.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.stages.evaluate.scenes import Scenes

Indices = NDArray[np.int64]
Boxes = NDArray[np.float32]
Sizes = NDArray[np.int32]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Detections:
    """What a detector found, a row for each box; in no order.

    `image`: int32, index of the image. `box`: float32, shape (boxes, 4). `score`: float32, larger is surer. `label`:
    int32, index of the course's class. All but `box` have the shape (boxes,); else `ValueError`.
    """

    image: NDArray[np.int32]
    box: Boxes
    score: NDArray[np.float32]
    label: NDArray[np.int32]

    def __post_init__(self) -> None:
        _same_length(self.box, self.image, self.score, self.label)

    def __len__(self) -> int:
        return len(self.image)

    def at(self, rows: Indices | Flags) -> Detections:
        """The boxes of these rows alone."""
        return Detections(self.image[rows], self.box[rows], self.score[rows], self.label[rows])


@dataclass(frozen=True, slots=True)
class ObjectTruth:
    """The objects on the images, a row for each; arrays as those of `Detections`.

    `ignored`: bool, whether it counts neither as found nor as missed: VOC's `difficult`, COCO's crowd.
    """

    image: NDArray[np.int32]
    box: Boxes
    label: NDArray[np.int32]
    ignored: Flags

    def __post_init__(self) -> None:
        _same_length(self.box, self.image, self.label, self.ignored)

    def __len__(self) -> int:
        return len(self.image)

    def at(self, rows: Indices | Flags) -> ObjectTruth:
        """The objects of these rows alone."""
        return ObjectTruth(self.image[rows], self.box[rows], self.label[rows], self.ignored[rows])


@dataclass(frozen=True, slots=True)
class LabelledImages:
    """Images with the objects on them.

    `sizes`: int32, shape (images, 2), width and height in pixels. `scenes`: a number for each image, equal for images
    of one scene; None where each is a scene of its own. Raises `ValueError` for objects of no image or class, and for
    corners that are no numbers or reversed: `cleaning.clean_truth` comes first.
    """

    sizes: Sizes
    objects: ObjectTruth
    classes: tuple[str, ...]
    scenes: Indices | None = None

    def __post_init__(self) -> None:
        objects, images = self.objects, len(self.sizes)
        if self.sizes.shape != (images, 2) or not (self.sizes > 0).all():
            raise ValueError(f"sizes of images have the shape {self.sizes.shape}, or are not above 0")
        if self.scenes is not None and len(self.scenes) != images:
            raise ValueError(f"{len(self.scenes)} scenes for {images} images")
        if ((objects.image < 0) | (objects.image >= images)).any():
            raise ValueError(f"objects on images other than the {images}")
        if ((objects.label < 0) | (objects.label >= len(self.classes))).any():
            raise ValueError(f"objects of other classes than the {len(self.classes)}")
        if not (np.isfinite(objects.box).all() and (objects.box[:, 2:] >= objects.box[:, :2]).all()):
            raise ValueError("an object's corners are no numbers, or reversed")

    def grouped(self) -> Scenes:
        """The scenes of the images. Raises `ValueError` when there are no images."""
        return Scenes(np.arange(len(self.sizes)) if self.scenes is None else self.scenes)

    def counted(self) -> Flags:
        """Of each object whether it counts."""
        return ~self.objects.ignored

    def per_class(self) -> Indices:
        """How many objects count of each class."""
        return np.bincount(self.objects.label[self.counted()], minlength=len(self.classes))


def subset(images: LabelledImages, chosen: Sequence[int]) -> LabelledImages:
    """Some of the images, in this order."""
    place = np.full(len(images.sizes), -1, np.int32)
    place[list(chosen)] = np.arange(len(chosen))
    objects = images.objects.at(place[images.objects.image] >= 0)
    return LabelledImages(
        images.sizes[list(chosen)],
        ObjectTruth(place[objects.image], objects.box, objects.label, objects.ignored),
        images.classes,
        None if images.scenes is None else images.scenes[list(chosen)],
    )


def in_pixels(box: Boxes, image: NDArray[np.int32], sizes: Sizes) -> NDArray[np.float64]:
    """The boxes in pixels of their images, float64, shape (boxes, 4)."""
    scaled: NDArray[np.float64] = box.astype(np.float64) * np.tile(sizes[image].astype(np.float64), 2)
    return scaled


def _same_length(box: Boxes, *others: NDArray[np.generic]) -> None:
    shapes = [other.shape for other in others]
    if box.ndim != 2 or box.shape[1] != 4 or any(shape != (len(box),) for shape in shapes):
        raise ValueError(f"boxes of the shape {box.shape} beside {shapes}")
