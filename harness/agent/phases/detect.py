"""The phase `detect`: a detector's boxes for the held-out images.

The request holds `file` (under /in: `model`, or `predict.py` beside which what it needs lies), `rule` (the declared
pre-processing or null), `scaling` (the scaling of pixels that was measured, or null), `data` (location of an ONNX
file's external data -> its name under /in), `void` (labels that a board leaves out), `named` (how many classes
labels.txt names, 0 without one), `again` (indices in the list `images`), `other` (a scaling with which all are asked as
well, or null), `most` (boxes of an image) and `cpus`. The lists of images: `check`, on which is looked what the model's
outputs are, and `images`. Sent: `detections.json`, and four arrays for each of `every` (all boxes, for AP), `board`
(what jetson-inference's detectNet shows), `again` (all boxes of the images `again`, asked at other positions) and
`other` (all boxes with that scaling; none without): `<set>-boxes.npy` (float32, boxes by 4, as shares of the image's
sides), `<set>-scores.npy` (float32), `<set>-labels.npy` (int32) and `<set>-images.npy` (int32, the index in the list,
which is that of `again` for that set); or `refused.json`; or `needs.json` with the environment in which the model can
be read.

A model is asked about one image at a time, so that its answer to an image is the same at each position.
"""

from __future__ import annotations

import io
import json
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..detectors.board import on_board
from ..detectors.detector import Anchors, Detections, Detector, Found, Opening, Pixels, Scaling
from ..detectors.plain_boxes import FAULTS, Fault, plain
from ..detectors.registry import family_of
from ..detectors.scaling import rescaled
from ..detectors.student_detector import StudentDetector
from ..detectors.suppression import TRAINERS, suppressed
from ..images.preprocessing import Rule, UnreadableImage, upright
from ..models.loaded_model import NeedsEnvironment, Unusable
from ..paths import IN
from .convert import use_mounted_weights
from .refusal import Send, described, refuse

_random = random.SystemRandom()
NOTHING = Detections(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int64))


def run(request: dict[str, Any], send: Callable[[str, Path | bytes], None]) -> None:
    """Detect in the images and send the boxes."""
    use_mounted_weights()
    try:
        _detect(request, send)
    except NeedsEnvironment as error:
        send("needs.json", json.dumps({"environment": error.environment, "why": error.why}).encode())
    except (Unusable, UnreadableImage) as error:
        refuse(send, str(error))
    except (Exception, SystemExit) as error:  # of a model whose outputs are of a form that nobody thought of
        refuse(send, described(error))


def _detect(request: dict[str, Any], send: Send) -> None:
    checks = [pixels(encoded) for encoded in request["images"].take("check")]
    images = list(request["images"].take("images"))
    asked = Asked(opened(request, checks), request["most"], frozenset(request["void"]))
    other = request["other"] and rescaled(asked.detector, Scaling.from_request(request["other"]))
    held = {"every": [NOTHING] * len(images), "board": [NOTHING] * len(images)}
    held["again"] = [NOTHING] * len(request["again"])
    held["other"] = [NOTHING] * len(images) if other else []
    turns: list[tuple[int, int | None]] = [(place, None) for place in range(len(images))]
    turns += [(place, number) for number, place in enumerate(request["again"])]
    _random.shuffle(turns)
    for place, number in turns:
        found = asked.found(pixels(images[place]))
        if number is None:
            held["every"][place], held["board"][place] = asked.every(found), asked.board(found)
            if other:
                held["other"][place] = asked.otherwise(other, pixels(images[place]))
        else:
            held["again"][number] = asked.every(found, counted=False)
    for name, answers in held.items():
        send_boxes(send, name, answers)
    reply = {
        "description": asdict(asked.detector.description),
        "seconds_per_image": asked.seconds / max(1, len(turns)),
        "boxes": {name: sum(map(len, answers)) for name, answers in held.items()},
        "faults": {name: asked.faults[name] for name in FAULTS},
    }
    send("detections.json", json.dumps(reply).encode())


def opened(request: dict[str, Any], checks: Sequence[Pixels]) -> Detector:
    """The detector of a request: in this process, or in one of its own where it runs code. Raises `Unusable`."""
    rule = Rule.from_request(request["rule"]) if request["rule"] else None
    data = {location: IN / name for location, name in request["data"].items()}
    scaling = Scaling.from_request(request["scaling"]) if request["scaling"] else None
    opening = Opening(IN / request["file"], request["cpus"], rule, scaling, data, checks, named=request["named"])
    name, family = family_of(opening.file)
    return StudentDetector(opening, name) if family.RUNS_CODE else family.load(opening)


class Asked:
    """Asks a detector, counts what is wrong with its boxes, and measures its time."""

    def __init__(self, detector: Detector, most: int, void: frozenset[int]) -> None:
        """`most`: boxes of an image. `void`: labels that the board leaves out."""
        self.detector = detector
        self.seconds = 0.0
        self.faults: Counter[Fault] = Counter()
        self._most, self._void = most, void

    def found(self, image: Pixels) -> Found:
        started = time.monotonic()
        found = self.detector.answer(image)
        self.seconds += time.monotonic() - started
        return found

    def every(self, found: Found, *, counted: bool = True) -> Detections:
        """All boxes, suppressed here unless the model does it. `counted`: whether their faults are."""
        boxes = suppressed(found, TRAINERS) if isinstance(found, Anchors) else found
        kept, faults = self._plain(boxes)
        if counted:
            self.faults += faults
        return kept

    def otherwise(self, way: Detector, image: Pixels) -> Detections:
        """All boxes of the same detector with another scaling of its pixels, which is no reason to fail.

        None where pixels on another scale make its graph overflow.
        """
        try:
            return self.every(way.answer(image), counted=False)
        except Unusable:
            return NOTHING

    def board(self, found: Found) -> Detections:
        return self._plain(on_board(found, self._void))[0]

    def _plain(self, boxes: Detections) -> tuple[Detections, Counter[Fault]]:
        return plain(boxes, self._most, self.detector.description.labels)


def pixels(encoded: bytes) -> Pixels:
    return np.asarray(upright(encoded), dtype=np.uint8)


def send_boxes(send: Send, name: str, answers: Sequence[Detections]) -> None:
    """The boxes of several images as four arrays."""
    held = [NOTHING, *answers]
    arrays: dict[str, NDArray[Any]] = {
        "boxes": np.concatenate([one.boxes for one in held]).astype(np.float32),
        "scores": np.concatenate([one.scores for one in held]).astype(np.float32),
        "labels": np.concatenate([one.labels for one in held]).astype(np.int32),
        "images": np.repeat(np.arange(len(answers), dtype=np.int32), [len(one) for one in answers]),
    }
    for part, array in arrays.items():
        stream = io.BytesIO()
        np.save(stream, np.ascontiguousarray(array), allow_pickle=False)
        send(f"{name}-{part}.npy", stream.getvalue())
