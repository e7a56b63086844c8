"""Images of a student's own data set with the boxes that the student drew, as a set to grade detectors on."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from harness.inputs.images import HeldOutSet, ImageObjects, LabelledBox
from harness.stages.evidence.audit import WithheldImage
from harness.stages.store import Store


def with_boxes(
    made: Sequence[WithheldImage], classes: tuple[str, ...], store: Store, scenes: tuple[int, ...] = ()
) -> HeldOutSet:
    """The images with their objects of these classes; the files were re-encoded in the sandbox.

    `scenes`: a number for each image, as `HeldOutSet` has them.
    """
    number = {name: index for index, name in enumerate(classes)}
    digest = hashlib.sha256(repr(classes).encode())
    objects = []
    for one in made:
        boxes = tuple(
            LabelledBox(number[drawn.label], *drawn.box, drawn.ignored)
            for drawn in one.objects
            if drawn.label in number
        )
        objects.append(ImageObjects(one.width, one.height, boxes))
        digest.update(f"{one.file.sha256} {boxes}\n".encode())
    files = tuple(store.path(one.file) for one in made)
    return HeldOutSet(classes, files, (), digest.hexdigest(), scenes, tuple(objects))
