"""The phase `measure_detector`: a detector's boxes for training images, with every usual scaling of their pixels.

The request holds what `detect` needs to open a detector, and `ways` (the scalings to try), `most` (boxes of an image)
and `seconds`, after which no more images are asked about. The lists of images: `check`, and `images`; nothing says
what they show. Sent: `measured.json` with `images` (places in the list, ascending, that have answers with each way) and
`boxes` (their number, way by way); and the arrays of `detect` for each way, `way-<number>`, whose images are numbered
by their place in `images`; or `refused.json`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..detectors.detector import Detections, Scaling
from ..detectors.scaling import rescaled
from ..images.preprocessing import UnreadableImage
from ..models.loaded_model import NeedsEnvironment, Unusable
from .convert import use_mounted_weights
from .detect import Asked, opened, pixels, send_boxes
from .refusal import Send, refusing_all


def run(request: dict[str, Any], send: Callable[[str, Path | bytes], None]) -> None:
    """Ask the detector with each way and send the boxes."""
    use_mounted_weights()
    with refusing_all(send, NeedsEnvironment, Unusable, UnreadableImage):
        _measure(request, send)


def _measure(request: dict[str, Any], send: Send) -> None:
    checks = [pixels(encoded) for encoded in request["images"].take("check")]
    asked = Asked(opened(request, checks), request["most"], frozenset())
    ways = [rescaled(asked.detector, Scaling.from_request(way)) for way in request["ways"]]
    answers: list[list[Detections]] = [[] for _ in ways]
    places = []
    ends = time.monotonic() + request["seconds"]
    for place, encoded in enumerate(request["images"].take("images")):
        if time.monotonic() > ends:
            continue  # the others are read too, since they stand in the stream
        image = pixels(encoded)
        places.append(place)
        for way, found in zip(ways, answers, strict=True):
            found.append(asked.otherwise(way, image))
    for number, found in enumerate(answers):
        send_boxes(send, f"way-{number}", found)
    reply = {"images": places, "boxes": [sum(map(len, found)) for found in answers]}
    send("measured.json", json.dumps(reply).encode())
