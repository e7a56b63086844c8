"""The stage `read_boxes`: what is on the images of an instructor's data set with boxes."""

from __future__ import annotations

from typing import Literal

from harness.stages.evidence.audit import BoxFault, Layout
from harness.stages.evidence.record import Record, Share


class ReadBox(Record):
    """An object. The corners are shares of the upright image's sides."""

    label: str
    left: Share
    top: Share
    right: Share
    bottom: Share
    ignored: bool  # counts neither as found nor as missed: VOC's `difficult`, COCO's crowd


class AnnotatedImage(Record):
    """An image, by its path below the data set's folder; the size is the upright image's, in pixels."""

    name: str
    width: int
    height: int
    split: Literal["", "train", "val", "test", "other"]  # as the data set's own lists and folders say
    boxes: tuple[ReadBox, ...]
    left_out: int  # boxes that are empty, not numbers, or wholly outside


class BoxReading(Record):
    """A data set with boxes. Images come in the order of their paths, those without boxes included."""

    layout: Layout
    images: tuple[AnnotatedImage, ...]
    unreadable: tuple[str, ...] = ()  # images whose head cannot be read
    labels: tuple[str, ...] | None = None  # of labels.txt; None without one
    faults: tuple[str, ...] = ()  # annotations that cannot be used, each in a few words
    box_faults: tuple[BoxFault, ...] = ()  # at most 1000
    in_several: int = 0  # images that the lists put into more than one of train, val and test
    left_out: int = 0  # images after the first 5000

    def objects(self) -> dict[str, int]:
        """Class -> objects that count, sorted by name; a class whose objects are all ignored has 0."""
        found = {box.label: 0 for image in self.images for box in image.boxes}
        for image in self.images:
            for box in image.boxes:
                found[box.label] += not box.ignored
        return dict(sorted(found.items()))
