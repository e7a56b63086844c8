"""Stores what later steps need of a data set's images: small ones to compare and to show, and keypoints."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from harness.stages.audit.images import ImageSet
from harness.stages.audit.objects import Objects, on_thumbnail
from harness.stages.context import StageContext, read_bytes_array
from harness.stages.evidence.audit import DatasetAudit

_THUMBNAIL = 112  # pixels, both sides
_MOST_SHOWN = 180


def kept(
    value: DatasetAudit, images: ImageSet, objects: Sequence[Objects], outputs: Path, context: StageContext
) -> dict[str, object]:
    """Store the small images for comparing with other submissions, and those that the report shows, with `objects`.

    `objects`: of each image; empty where none are shown.
    """
    position = {name: index for index, name in enumerate(images.names)}
    names = [name for name in _shown(value) if name in position][:_MOST_SHOWN]
    small = read_bytes_array(outputs, "thumbnails.npy", (len(images), _THUMBNAIL, _THUMBNAIL, 3))
    np.save(outputs / "shown.npy", small[[position[name] for name in names]], allow_pickle=False)
    np.save(outputs / "kept-greys.npy", images.greys, allow_pickle=False)
    keypoints = None
    if images.keypoints is not None:
        np.save(outputs / "kept-keypoints.npy", images.keypoints, allow_pickle=False)
        keypoints = context.store.put(outputs / "kept-keypoints.npy", "keypoints.npy")
    return {
        "shown": tuple(names),
        "drawn": {name: _on_thumbnail(position[name], images, objects) for name in names} if objects else {},
        "thumbnails": context.store.put(outputs / "shown.npy", "thumbnails.npy"),
        "greys": context.store.put(outputs / "kept-greys.npy", "greys.npy"),
        "keypoints": keypoints,
    }


def _on_thumbnail(index: int, images: ImageSet, objects: Sequence[Objects]) -> Objects:
    seen = images.described[index]
    return on_thumbnail(objects[index], (seen.width, seen.height))


def _shown(value: DatasetAudit) -> list[str]:
    """The images that illustrate the claims, the most serious claim first, with a few for each."""
    claims = [
        [name for leak in value.leaks[:8] for name in (leak.picture, leak.other)],
        [suspect.picture for suspect in value.mislabelled[:12]],
        [name for together in value.two_labels[:8] for name in together[:6]],
        [name for together in value.near_duplicates[:8] for name in together[:6]],
        [fault.picture for fault in value.box_faults[:8]],
        list(value.blurred[:6]),
        list(value.badly_exposed[:6]),
        list(value.from_elsewhere[:6]),
        list(value.samples),
        list(value.not_annotated[:6]),
        list(value.without_boxes[:6]),
        [one.picture for one in value.searched],  # one of which may show an object without a box
        [one.picture for one in value.withheld],
    ]
    return list(dict.fromkeys(name for claim in claims for name in claim))
