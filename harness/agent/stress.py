"""The phase `stress`: answers to pictures made worse, to pictures of no class, and with a part covered.

The request holds what `predict` needs to run a model, and `images` (names under /in/images, in order),
`versions` (pairs of corruption and severity), `patterns` (how many to draw, where /in/unseen is missing),
`unseen` (names under it), `covered` (names of pictures to cover part by part), `cells` (to a side) and
`seconds` (at most). Sent: `corrupted.npy` (float32, 1 + versions by images by labels; the first are the
pictures as they are), `unseen.npy`, `covered.npy` (pictures by 1 + windows by labels) and `stress.json`;
or `refused.json`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .convert import use_mounted_weights
from .corruptions import corrupted, shrunk
from .native import Answers, Unusable
from .paths import IN
from .patterns import pattern
from .pictures import Rule, UnreadablePicture, fitted, seen_part, upright
from .predict import answered, npy, ready
from .refusal import refusing_all

Pixels = NDArray[np.uint8]


def run(request: dict[str, Any], send: Callable[[str, Path | bytes], None]) -> None:
    """Answer for every picture and send what came of it."""
    use_mounted_weights()
    with refusing_all(send, Unusable, UnreadablePicture):
        _run(request, send)


def _run(request: dict[str, Any], send: Callable[[str, Path | bytes], None]) -> None:
    rule = Rule.from_request(request["rule"])
    model = ready(request, rule)
    ends = time.monotonic() + request["seconds"]

    def tried(pictures: Iterable[Pixels]) -> Answers:
        return answered(model, pictures, rule, request, ends)

    images, versions = request["images"], request["versions"]
    rows = tried(_versions(images, versions, rule))
    labels = rows.shape[1]
    send("corrupted.npy", npy(rows.reshape(len(images), 1 + len(versions), labels).swapaxes(0, 1)))
    send("unseen.npy", npy(tried(_unseen(request, rule))))
    cells, names = request["cells"], request["covered"]
    rows = tried(picture for name in names for picture in _covered(IN / "images" / name, rule, cells))
    send("covered.npy", npy(rows.reshape(len(names), 1 + (cells - 1) ** 2, labels)))  # there may be none
    parts = [seen_part(upright(IN / "images" / name).size, rule) for name in names]
    send("stress.json", json.dumps({"seen_parts": parts}).encode())


def _versions(images: list[str], versions: list[list[Any]], rule: Rule) -> Iterator[Pixels]:
    """Each picture as it is, then in every version."""
    for seed, name in enumerate(images):
        picture = shrunk(upright(IN / "images" / name))
        yield fitted(picture, rule)
        for corruption, severity in versions:
            yield fitted(corrupted(picture, corruption, severity, seed), rule)


def _unseen(request: dict[str, Any], rule: Rule) -> Iterator[Pixels]:
    for name in request["unseen"]:
        yield fitted(shrunk(upright(IN / "unseen" / name)), rule)
    for number in range(request["patterns"]):
        yield fitted(pattern(number), rule)


def _covered(file: Path, rule: Rule, cells: int) -> Iterator[Pixels]:
    """The picture as the model sees it; then with a window of two by two cells greyed, row by row."""
    seen = fitted(upright(file), rule)
    yield seen
    grey = seen.reshape(-1, 3).mean(axis=0).astype(np.uint8)
    rows = np.linspace(0, seen.shape[0], cells + 1).astype(int)
    columns = np.linspace(0, seen.shape[1], cells + 1).astype(int)
    for down in range(cells - 1):
        for across in range(cells - 1):
            covered = seen.copy()
            covered[rows[down] : rows[down + 2], columns[across] : columns[across + 2]] = grey
            yield covered
