"""Boxes over images: the shapes that `templates/detection.html.j2` draws, each kind apart so that it can be hidden."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from harness.report.thumbnails import Thumbnails
from harness.stages.evidence.detection_scores import ShownBox, ShownImage
from harness.stages.evidence.record import Share

_MOST, _RIGHT = 8, 2  # images: all, and of them without mistakes, so that a class's pages stay small
SIDE = 1000  # units of a drawing across an image, and down
Corners = tuple[float, float, float, float]  # left, top, right, bottom as shares of the image's sides
Kind = Literal["found", "truth", "missed", "false-alarm"]
_NAMED: tuple[Kind, ...] = ("missed", "found", "false-alarm")


@dataclass(frozen=True, slots=True)
class Outline:
    """A rectangle in units of the drawing."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Label:
    """What stands at a box: `x` and `y`, of the corner where it begins, in percent of the image's sides.

    That is the upper left corner, and the lower for an object that was missed, so that it does not lie on the label of
    a false alarm there.
    """

    x: float
    y: float
    name: str
    score: Share | None


@dataclass(frozen=True, slots=True)
class DrawnImage:
    image: int
    thumbnail: str | None
    outlines: dict[Kind, tuple[Outline, ...]]  # only kinds that there are
    labels: dict[Kind, tuple[Label, ...]]
    found: int
    missed: int
    false_alarms: int
    left_out: int


def drawn_images(shown: Sequence[ShownImage], thumbnail: Thumbnails) -> list[DrawnImage]:
    """The first images with mistakes and the first without, as they come, with what is drawn over them.

    Corners outside of the image are drawn at its edge.
    """
    wrong = [one for one in shown if any(box.kind != "found" for box in one.boxes)]
    right = [one for one in shown if one not in wrong][:_RIGHT]
    return [_drawn(one, thumbnail(one.image)) for one in (*wrong[: _MOST - len(right)], *right)]


def _drawn(shown: ShownImage, thumbnail: str | None) -> DrawnImage:
    kinds: dict[Kind, Iterable[Corners]] = {
        "truth": [one.truth for one in shown.boxes if one.truth is not None],
        "found": [one.box for one in shown.boxes if one.kind == "found"],
        "missed": [one.box for one in shown.boxes if one.kind == "missed"],
        "false-alarm": [one.box for one in shown.boxes if one.kind == "false-alarm"],
    }
    outlines = {kind: tuple(_outline(box) for box in boxes) for kind, boxes in kinds.items()}
    return DrawnImage(
        shown.image,
        thumbnail,
        {kind: boxes for kind, boxes in outlines.items() if boxes},
        {kind: labels for kind in _NAMED if (labels := tuple(_label(one) for one in shown.boxes if one.kind == kind))},
        len(outlines["found"]),
        len(outlines["missed"]),
        len(outlines["false-alarm"]),
        shown.left_out,
    )


def _outline(box: Corners) -> Outline:
    left, top, right, bottom = (round(SIDE * _inside(corner)) for corner in box)
    return Outline(left, top, max(0, right - left), max(0, bottom - top))


def _label(one: ShownBox) -> Label:
    left, top, _, bottom = (100 * _inside(corner) for corner in one.box)
    return Label(left, bottom if one.kind == "missed" else top, one.name, one.score)


def _inside(corner: float) -> float:
    return min(max(corner, 0.0), 1.0)
