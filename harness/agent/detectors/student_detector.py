"""A detector whose family runs code, seen from the agent: a process that gets pixels and returns boxes.

The same process as a classifier's (`models/model_process.py`). What it says is checked, since it may say anything.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from ..models.class_names import plain_names
from ..models.loaded_model import Unusable
from ..models.own_process import OwnProcess
from .detector import Anchors, Boxes, Description, Detections, Fit, Found, Opening, Pixels, Scaling, Scores

_LONGEST_SIDE = 4096  # pixels
_MOST_LABELS = 10_000
_BOX = 4  # numbers


class StudentDetector:
    """The detector of an opening, loaded in a separate process."""

    def __init__(self, opening: Opening, family: str, process: OwnProcess | None = None) -> None:
        """`process`: one that is already running and has loaded nothing.

        Raises `Unusable` and `NeedsEnvironment`, as the family does.
        """
        self._process = process or OwnProcess()
        wanted = {
            "do": "open detector",
            "file": str(opening.file),
            "threads": opening.threads,
            "rule": None if opening.rule is None else asdict(opening.rule),
            "scaling": _said(opening.scaling),
        }
        said, _ = self._process.ask(wanted)
        self.description = _description(said.get("description"), family)

    def answer(self, image: Pixels, scaling: Scaling | None = None) -> Found:
        """Its boxes, with another scaling of the pixels if one is given. Raises `Unusable` for a reply that is none."""
        said, rows = self._process.ask({"do": "detect", "scaling": _said(scaling)}, image)
        return unpacked(said, rows)

    def export(self, out: Path) -> None:
        """Have the process write the detector as ONNX, then end it, so that it cannot change the file any more.

        Raises `Unusable` where the export fails.
        """
        self._process.ask({"do": "export detector", "to": str(out)})
        self._process.end()


def _said(scaling: Scaling | None) -> dict[str, Any] | None:
    return None if scaling is None else asdict(scaling)


def packed(found: Found) -> tuple[dict[str, Any], NDArray[np.float32]]:
    """What the process sends of boxes: rows of corners with a score for each class, or with score and label."""
    if isinstance(found, Anchors):
        return {"first": found.first}, np.concatenate([found.boxes, found.scores], axis=1).astype(np.float32)
    labels = found.labels.clip(-1, 2**24).astype(np.float32)  # whole numbers that float32 has
    return {}, np.concatenate([found.boxes, found.scores[:, None], labels[:, None]], axis=1).astype(np.float32)


def unpacked(said: dict[str, Any], rows: NDArray[Any] | None) -> Found:
    """The boxes in such a reply. Raises `Unusable` for any other reply."""
    if rows is None or rows.dtype != np.float32 or rows.ndim != 2 or rows.shape[1] <= _BOX:
        raise Unusable("the model's process gave no boxes")
    first = said.get("first")
    if first is None:
        if rows.shape[1] != _BOX + 2:
            raise Unusable("the model's process gave no boxes")
        return Detections(rows[:, :_BOX], rows[:, _BOX], np.nan_to_num(rows[:, -1], nan=-1).clip(-1, 2**24).astype(int))
    if first not in (0, 1) or rows.shape[1] > _BOX + _MOST_LABELS:
        raise Unusable("the model's process gave no boxes")
    return Anchors(rows[:, :_BOX], rows[:, _BOX:], first)


def _description(said: Any, family: str) -> Description:
    """What the process says of the detector. Raises `Unusable` unless each part of it is one that there is."""
    try:
        scale, *rest = (float(one) for one in (said["scale"], *said["mean"], *said["std"]))
        sides = [said["width"], said["height"]]
        found = Description(
            family=family,
            width=sides[0],
            height=sides[1],
            fit=_one_of(said["fit"], get_args(Fit)),
            colour=_one_of(said["colour"], ("RGB", "BGR")),
            scale=scale,
            mean=(rest[0], rest[1], rest[2]),
            std=(rest[3], rest[4], rest[5]),
            suppressed_inside=said["suppressed_inside"] is True,
            background_first=said["background_first"] is True,
            labels=said["labels"],
            names=plain_names(said["names"]),
            scores=_one_of(said["scores"], get_args(Scores)),
            boxes=_one_of(said["boxes"], get_args(Boxes)),
        )
    except (KeyError, TypeError, ValueError, IndexError, OverflowError) as error:
        raise Unusable("the model's process did not say what it takes") from error
    whole = all(side is None or (type(side) is int and 1 <= side <= _LONGEST_SIDE) for side in sides)
    counted = found.labels is None or (type(found.labels) is int and 1 <= found.labels <= _MOST_LABELS)
    if not (whole and counted and len(rest) == 6 and np.isfinite([scale, *rest]).all()):
        raise Unusable("the model's process did not say what it takes")
    return found


def _one_of(said: Any, known: tuple[Any, ...]) -> Any:
    if said not in known:
        raise ValueError("another word")
    return said
