"""The phase `predict`: class probabilities for the held-out images, for some also with other pre-processings.

The request holds `native`, `factory`, `layout`, `input_dtype`, `dynamic_batch`, `rule`, `output_kind`, `labels` (how
many), `cpus`, `again` and `probes` (indices in the list `images`), and `probe_seconds` (at most). Sent:
`probabilities.npy` (float32, images by labels, in the order of the list), `again.npy` (the same for the indices
`again`, asked at other positions and in other batches), `predictions.json`, and `probe-<name>.npy` for as many
of the indices `probes`, from the first, as there is time for; or `refused.json`.
"""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..graph.onnx_model import Runner
from ..images.incoming import Incoming
from ..images.preprocessing import Rule, UnreadableImage, pixels
from ..models.asking import Asker
from ..models.loaded_model import Answers, Native, Unusable
from ..models.preprocessing_defaults import alternatives
from ..models.student_model import StudentModel
from ..paths import IN
from .convert import use_mounted_weights
from .refusal import refusing_all

_FEWEST_PROBED = 10  # images; fewer say nothing about another pre-processing


def run(request: dict[str, Any], send: Callable[[str, Path | bytes], None]) -> None:
    """Predict the images and send the results."""
    use_mounted_weights()
    with refusing_all(send, Unusable, UnreadableImage):
        _predict(request, send)


def _predict(request: dict[str, Any], send: Callable[[str, Path | bytes], None]) -> None:
    rule = Rule.from_request(request["rule"])
    images = _ResizedImages(request["images"], rule)
    asker = Asker(model := ready(request, rule), rule, request)
    started = time.monotonic()
    rows, again = asker.twice(len(images), request["again"], images)
    each = (time.monotonic() - started) / max(1, asker.asked)
    probes = alternatives(rule) if request["input_dtype"] == "float32" else {}
    a_image = len(probes) * each
    probed = request["probes"][: int(request["probe_seconds"] / a_image)] if a_image else request["probes"]
    if len(probed) < _FEWEST_PROBED:
        probed, probes = [], {}
    for name, other in probes.items():
        answered = Asker(model, other, request).all(len(probed), lambda place: images(probed[place]))
        send(f"probe-{name}.npy", npy(answered))
    send("probabilities.npy", npy(rows))
    send("again.npy", npy(again))
    reply = {"seconds_per_image": each, "probed": len(probed), "probes": list(probes)}
    send("predictions.json", json.dumps(reply).encode())


class _ResizedImages:
    """The images resized by a rule, each held as pixels or, where that is smaller, encoded as it was sent."""

    def __init__(self, images: Incoming, rule: Rule) -> None:
        """`rule`: only its size and resize count, not its scaling."""
        self._rule = rule
        self._images: list[bytes | NDArray[np.uint8]] = []
        for encoded in images.take("images"):
            seen = pixels(encoded, rule)
            self._images.append(seen if seen.nbytes <= len(encoded) else encoded)

    def __len__(self) -> int:
        return len(self._images)

    def __call__(self, place: int) -> NDArray[np.uint8]:
        held = self._images[place]
        return pixels(held, self._rule) if isinstance(held, bytes) else held


def ready(request: dict[str, Any], rule: Rule) -> Native:
    """The model of a request: an ONNX graph in this process, any other in a separate one. Raises `Unusable`."""
    if request["native"]:
        size = (rule.height, rule.width)
        return StudentModel(request["labels"], size, request["factory"], request["cpus"]).native
    return Native(
        Runner(IN / "model", request["cpus"]).answer,
        None,
        request["layout"],
        rule.height,
        rule.width,
        request["input_dtype"],
        "torchvision-imagenet",
        request["dynamic_batch"],
    )


def npy(array: Answers) -> bytes:
    """The array as a .npy file, float32."""
    stream = io.BytesIO()
    np.save(stream, np.ascontiguousarray(array, dtype=np.float32), allow_pickle=False)
    return stream.getvalue()
