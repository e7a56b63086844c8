"""The phase `measure`: a model's answers to training images, with every usual pre-processing.

The request is that of `predict` without `again` and `probes`; and `ways`, the names to try beside the assumed one, or
null for all usual ones; and `seconds`, after which no more images are asked about. The list of images is `images`;
nothing says what they show. Sent: `measured.json` with `images` (places in the list, ascending, that have answers) and
`ways` (name and rule, the assumed one first), and `answers-<number>.npy` for each way (float32, those images by labels;
NaN where the model gave no answer to such pixels); or `refused.json`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from ..images.preprocessing import Rule, UnreadableImage, fitted, upright
from ..models.asking import BATCH, Asker, Pixels
from ..models.loaded_model import Answers, Native, Unusable
from ..models.preprocessing_defaults import usual
from ..models.student_model import StudentModel
from .convert import use_mounted_weights
from .predict import npy, ready
from .refusal import refusing_all


def run(request: dict[str, Any], send: Callable[[str, Path | bytes], None]) -> None:
    """Ask the model and send the answers."""
    use_mounted_weights()
    with refusing_all(send, Unusable):
        _measure(request, send)


def _measure(request: dict[str, Any], send: Callable[[str, Path | bytes], None]) -> None:
    assumed = Rule.from_request(request["rule"])
    ways = usual(assumed)
    if request["ways"] is not None:
        ways = {name: way for name, way in ways.items() if way is assumed or name in request["ways"]}
    ends = time.monotonic() + request["seconds"]
    model = ready(request, assumed)
    places: list[int] = []
    rows: dict[str, list[Answers]] = {name: [] for name in ways}
    images = enumerate(request["images"].take("images"))
    while some := list(islice(images, BATCH)):
        if time.monotonic() > ends:
            continue  # the others are read too, since they stand in the stream
        seen = _Seen(some, tuple(ways.values()))
        answered = _asked(model, seen, ways, request, ends) if seen.places else None
        if answered is not None:
            places += seen.places
            for name, found in answered.items():
                rows[name].append(found)
    none = np.zeros((0, request["labels"]), np.float32)
    for number, parts in enumerate(rows.values()):
        send(f"answers-{number}.npy", npy(np.concatenate([none, *parts])))
    tried = [{"name": name, "rule": asdict(way)} for name, way in ways.items()]
    send("measured.json", json.dumps({"images": places, "ways": tried}).encode())


class _Seen:
    """Images as the ways resize them, without those that do not decode; and their places in the list."""

    def __init__(self, encoded: Iterable[tuple[int, bytes]], ways: Sequence[Rule]) -> None:
        self.places: list[int] = []
        self._pixels: dict[tuple[str, float], list[Pixels]] = {_resize(way): [] for way in ways}
        one_each = {_resize(way): way for way in ways}
        for place, one in encoded:
            try:
                image = upright(one)
            except UnreadableImage:
                continue
            self.places.append(place)
            for resize, way in one_each.items():
                self._pixels[resize].append(fitted(image, way))

    def by(self, way: Rule) -> list[Pixels]:
        return self._pixels[_resize(way)]


def _resize(way: Rule) -> tuple[str, float]:
    return way.resize, way.crop_fraction


def _asked(
    model: Native, seen: _Seen, ways: Mapping[str, Rule], request: dict[str, Any], ends: float
) -> dict[str, Answers] | None:
    """The answers with each way; None when the time runs out."""
    found: dict[str, Answers] = {}
    for name, way in ways.items():
        if time.monotonic() > ends:
            return None
        found[name] = _answers(model, seen.by(way), way, request)
    return found


def _answers(model: Native, pixels: list[Pixels], way: Rule, request: dict[str, Any]) -> Answers:
    """The answers; NaN where the model has none to such pixels, which says nothing of its answers to others."""
    try:
        return Asker(model, way, request).all(len(pixels), pixels.__getitem__)
    except Unusable:
        if isinstance(model.module, StudentModel) and model.module.has_ended:
            raise
        return np.full((len(pixels), request["labels"]), np.nan, np.float32)
