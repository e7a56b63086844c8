"""The phase `detect_worse`: a detector's boxes for corrupted images, and for images of other objects.

The request holds what `detect` needs to open a detector, and `versions` (pairs of corruption and severity), `patterns`
(how many to draw if no list `unseen` is sent), `most` (boxes of an image) and `seconds` (at most). The lists of images:
`check`, `images` to corrupt, and `unseen`. Sent: `worse.json` with the counts of boxes, and the arrays of `detect` for
`corrupted` (image i in version v, 0 being the unchanged one, has the number i * (1 + versions) + v) and for `unseen`;
or `refused.json`. Boxes that the images show never come in.

All are asked in mixed order, so that the order does not distinguish them.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ..detectors.detector import Pixels
from ..images.corrupted_image import CorruptedImage
from ..images.corruptions import shrunk
from ..images.patterns import pattern
from ..images.preprocessing import UnreadableImage, upright
from ..models.loaded_model import NeedsEnvironment, Unusable
from .convert import use_mounted_weights
from .detect import NOTHING, Asked, opened, pixels, send_boxes
from .refusal import Send, described, refuse

_random = random.SystemRandom()


def run(request: dict[str, Any], send: Callable[[str, Path | bytes], None]) -> None:
    """Detect in every version of every image, and send the boxes."""
    use_mounted_weights()
    try:
        _detect(request, send)
    except (NeedsEnvironment, Unusable, UnreadableImage) as error:
        refuse(send, str(error))
    except (Exception, SystemExit) as error:  # as in `detect`
        refuse(send, described(error))


def _detect(request: dict[str, Any], send: Send) -> None:
    incoming, versions = request["images"], request["versions"]
    checks = [pixels(encoded) for encoded in incoming.take("check")]
    images = [CorruptedImage(encoded, versions) for encoded in incoming.take("images")]
    unseen = [shrunk(upright(encoded)) for encoded in incoming.take("unseen")]
    unseen += [pattern(number) for number in range(request["patterns"])]
    asked = Asked(opened(request, checks), request["most"], frozenset(request["void"]))
    each = 1 + len(versions)
    first = len(images) * each

    def one(place: int) -> Pixels:
        image = unseen[place - first] if place >= first else images[place // each].version(place % each)
        return np.asarray(image, dtype=np.uint8)

    held = [NOTHING] * (first + len(unseen))
    turns = list(range(len(held)))
    _random.shuffle(turns)
    ends = time.monotonic() + request["seconds"]
    for place in turns:
        if time.monotonic() > ends:
            raise Unusable("the model is too slow for this")
        held[place] = asked.every(asked.found(one(place)))
    answers = {"corrupted": held[:first], "unseen": held[first:]}
    for name, found in answers.items():
        send_boxes(send, name, found)
    send("worse.json", json.dumps({name: sum(map(len, found)) for name, found in answers.items()}).encode())
