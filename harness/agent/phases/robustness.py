"""The phase `robustness`: answers to corrupted images, to images of no class, and with a part covered.

The request holds what `predict` needs to run a model, and `versions` (pairs of corruption and severity), `patterns`
(how many to draw if no list `unseen` is sent), `cells` (per side) and `seconds` (at most). The lists of images:
`images` to corrupt, `unseen`, and `covered`, to cover part by part. Sent: `corrupted.npy` (float32, 1 + versions by
images by labels; version 0 is the unchanged image), `unseen.npy`, `covered.npy` (images by 1 + windows by
labels) and `robustness.json`; or `refused.json`. Rows are in the order of the lists.

Images of a class and of none are asked in mixed order, so that the order does not distinguish them. The covered images
reveal which answers were wrong, so they come last.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..images.corrupted_image import CorruptedImage
from ..images.corruptions import shrunk
from ..images.patterns import pattern
from ..images.preprocessing import Rule, UnreadableImage, fitted, seen_part, upright
from ..models.asking import Asker
from ..models.loaded_model import Unusable
from .convert import use_mounted_weights
from .predict import npy, ready
from .refusal import refusing_all

Pixels = NDArray[np.uint8]


def run(request: dict[str, Any], send: Callable[[str, Path | bytes], None]) -> None:
    """Answer for every image and send the answers."""
    use_mounted_weights()
    with refusing_all(send, Unusable, UnreadableImage):
        _run(request, send)


def _run(request: dict[str, Any], send: Callable[[str, Path | bytes], None]) -> None:
    rule = Rule.from_request(request["rule"])
    incoming, versions, cells = request["images"], request["versions"], request["cells"]
    corrupted_images = [CorruptedImage(encoded, versions) for encoded in incoming.take("images")]
    unseen = [shrunk(upright(encoded)) for encoded in incoming.take("unseen")]
    unseen += [pattern(number) for number in range(request["patterns"])]
    covered = [_OccludedImage(upright(encoded), rule, cells) for encoded in incoming.take("covered")]
    asker = Asker(ready(request, rule), rule, request, time.monotonic() + request["seconds"])

    each, windows = 1 + len(versions), 1 + (cells - 1) ** 2
    first = len(corrupted_images) * each

    def one(place: int) -> Pixels:
        if place >= first:
            return fitted(unseen[place - first], rule)
        return fitted(corrupted_images[place // each].version(place % each), rule)

    rows = asker.all(first + len(unseen), one)
    labels = request["labels"]
    send("corrupted.npy", npy(rows[:first].reshape(len(corrupted_images), each, labels).swapaxes(0, 1)))
    send("unseen.npy", npy(rows[first:]))
    rows = asker.all(len(covered) * windows, lambda place: covered[place // windows].window(place % windows))
    send("covered.npy", npy(rows.reshape(len(covered), windows, labels)))  # may be empty
    send("robustness.json", json.dumps({"seen_parts": [one.seen_part for one in covered]}).encode())


class _OccludedImage:
    """An image as the model sees it, and with windows of two by two cells greyed."""

    def __init__(self, image: Image.Image, rule: Rule, cells: int) -> None:
        self.seen_part = seen_part(image.size, rule)
        self._seen, self._cells = fitted(image, rule), cells
        self._grey = self._seen.reshape(-1, 3).mean(axis=0).astype(np.uint8)

    def window(self, number: int) -> Pixels:
        """The image with window `number` greyed, counted row by row from 1; 0 greys nothing."""
        if number == 0:
            return self._seen
        down, across = divmod(number - 1, self._cells - 1)
        rows, columns = (np.linspace(0, side, self._cells + 1).astype(int) for side in self._seen.shape[:2])
        covered = self._seen.copy()
        covered[rows[down] : rows[down + 2], columns[across] : columns[across + 2]] = self._grey
        return covered
