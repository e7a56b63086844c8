"""The part of a submission's page about the student's own data set: each claim with images as evidence.

The images are rows of an array that the sandbox sent as plain numbers; no student's file is decoded here.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from PIL import Image

from harness.stages.evidence.audit import DatasetAudit, DrawnObject, UnboxedObject
from harness.stages.store import Store

_MOST_SETS = 8  # of one claim
_MOST_IN_A_SET = 6
_MOST_SINGLE = 12


class ImageOf(Protocol):
    """Path in a data set -> data URI; None for an unknown path."""

    def __call__(self, name: str, /) -> str | None: ...

    def key(self) -> object:
        """What decides all of its answers."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One image and its caption."""

    name: str  # its path in the data set
    image: str | None  # data URI
    note: str = ""
    other: str = ""  # the other submission that has the image
    outlines: str = ""  # what the student drew on it: the path of an SVG of one unit by one, over the image
    suspected: str = ""  # what has no box there, as the reference sees it: another such path


@dataclass(frozen=True, slots=True)
class Claim:
    """A statement about the data set. `kind` selects the words in the template."""

    kind: str
    count: int
    sets: list[list[Shown]] = field(default_factory=list)  # images that belong together, in rows

    @property
    def left_out(self) -> int:
        return max(0, self.count - len(self.sets))


def image_of(audit: DatasetAudit, store: Store) -> ImageOf:
    """Path in the data set -> data URI of a small JPEG, grey if only that was kept; None for an unknown path."""
    return _OwnImages(audit, store)


class _OwnImages:
    def __init__(self, audit: DatasetAudit, store: Store) -> None:
        self._audit, self._store = audit, store

    def __call__(self, name: str) -> str | None:
        for array, place in self._arrays:
            if array is not None and name in place:
                return _data_uri(Image.fromarray(array[place[name]]))
        return None

    def key(self) -> object:
        audit = self._audit
        return audit.thumbnails, audit.greys, list(audit.shown), list(audit.pixels)

    @cached_property
    def _arrays(self) -> list[tuple[Any, dict[str, int]]]:
        """The rows of each kind, from the store, and each image's row in them."""
        audit = self._audit
        return [
            (np.load(self._store.path(blob), allow_pickle=False) if blob else None, {n: i for i, n in enumerate(names)})
            for blob, names in ((audit.thumbnails, audit.shown), (audit.greys, audit.pixels))
        ]


def claims(audit: DatasetAudit, image: ImageOf, other_image: Callable[[str, str], str | None]) -> list[Claim]:
    """All statements about the data set, each with images as evidence, the most serious first.

    `other_image`: (other submission's id, path in its data set) -> data URI.
    """

    def shown(name: str, note: str = "") -> Shown:
        return Shown(name, image(name), note, outlines=_outlines(audit.drawn.get(name, ())))

    def singles(kind: str, names: tuple[str, ...]) -> Claim:
        return Claim(kind, len(names), [[shown(name)] for name in names[:_MOST_SINGLE]])

    leaks = {kind: [leak for leak in audit.leaks if leak.kind == kind] for kind in ("copy", "burst")}
    found = [
        Claim(
            f"leak-{kind}",
            len(those),
            [[shown(leak.picture, leak.split), shown(leak.other, leak.other_split)] for leak in those[:_MOST_SETS]],
        )
        for kind, those in leaks.items()
    ]
    found += _shared(audit, shown, other_image)
    found.append(
        Claim(
            "mislabelled",
            len(audit.mislabelled),
            [[shown(one.picture, f"{one.label} → {one.looks_like}")] for one in audit.mislabelled[:_MOST_SINGLE]],
        )
    )
    found.append(
        Claim(
            "two-labels",
            len(audit.two_labels),
            [
                [shown(name, audit.labels.get(name, "")) for name in together[:_MOST_IN_A_SET]]
                for together in audit.two_labels[:_MOST_SETS]
            ],
        )
    )
    found.append(
        Claim(
            "near-duplicates",
            len(audit.near_duplicates),
            [[shown(name) for name in together[:_MOST_IN_A_SET]] for together in audit.near_duplicates[:_MOST_SETS]],
        )
    )
    found.append(_unboxed(audit, shown))
    boxes = [[shown(one.picture, f"{one.label}: {one.kind.replace('-', ' ')}")] for one in audit.box_faults]
    found.append(Claim("boxes", len(boxes), boxes[:_MOST_SINGLE]))
    found += [
        singles("blurred", audit.blurred),
        singles("exposure", audit.badly_exposed),
        singles("elsewhere", audit.from_elsewhere),
        singles("not-annotated", audit.not_annotated),
        singles("without-boxes", audit.without_boxes),
    ]
    samples = [name for name in audit.samples if image(name) is not None]
    found.append(Claim("drawn", len(samples), [[shown(name, _classes(audit, name))] for name in samples]))
    return [claim for claim in found if claim.count]


def _outlines(objects: Sequence[DrawnObject]) -> str:
    return "".join(_outline(one.box) for one in objects)


def _outline(box: tuple[float, float, float, float]) -> str:
    left, top, right, bottom = box
    return f"M{left:g} {top:g}H{right:g}V{bottom:g}H{left:g}z"


def _unboxed(audit: DatasetAudit, shown: Callable[[str, str], Shown]) -> Claim:
    """Each image with an object that seems to have no box, with all that seem so on it."""
    by_image: dict[str, list[UnboxedObject]] = {}
    for one in audit.unboxed:
        by_image.setdefault(one.picture, []).append(one)
    sets = [
        [
            replace(
                shown(name, ", ".join(f"{one.label} {one.score:.2f}" for one in objects)),
                suspected="".join(_outline(one.on_thumbnail) for one in objects),
            )
        ]
        for name, objects in list(by_image.items())[:_MOST_SINGLE]
    ]
    return Claim("unboxed", len(by_image), sets)


def _classes(audit: DatasetAudit, name: str) -> str:
    return ", ".join(dict.fromkeys(one.label for one in audit.drawn.get(name, ())))


def _shared(
    audit: DatasetAudit, shown: Callable[[str], Shown], other_image: Callable[[str, str], str | None]
) -> list[Claim]:
    """Claims about shared images, each with the other submission's image if it may be shown, else alone."""
    named = [one for one in audit.shared if one.other]
    unnamed = [one for one in audit.shared if not one.other]
    pairs = [
        [shown(one.picture), Shown(one.other_picture, other_image(one.other, one.other_picture), other=one.other)]
        for one in named[:_MOST_SETS]
    ]
    return [
        Claim("shared", len(named), pairs),
        Claim("shared-unnamed", len(unnamed), [[shown(one.picture)] for one in unnamed[:_MOST_SINGLE]]),
    ]


def _data_uri(image: Image.Image) -> str:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=82)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"
