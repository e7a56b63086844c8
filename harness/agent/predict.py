"""The phase `predict`: class probabilities for every picture in /in/images, and with other pre-processings.

The request holds `format`, `native`, `factory`, `layout`, `input_dtype`, `dynamic_batch`, `rule`,
`output_kind`, `labels` (how many), `probe_images` (names), `probe_seconds` (at most) and `cpus`. Sent:
`probabilities.npy` (float32, pictures by labels, in the order of `names` in `predictions.json`), `predictions.json`,
and `probe-<name>.npy` for as many of the `probe_images`, from the first, as there is time for; or `refused.json`.
"""

from __future__ import annotations

import io
import json
import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .convert import load_handed_in, use_mounted_weights
from .defaults import alternatives
from .native import Answers, Native, Unusable, answers, probabilities
from .onnx_model import Runner
from .paths import IN
from .pictures import Rule, UnreadablePicture, model_input, pixels
from .refusal import refusing_all

_FEWEST_PROBED = 10  # pictures; fewer say nothing of another pre-processing
_BATCH = 8  # pictures; VGG16's activations take 0.1 GB a picture

Pixels = NDArray[np.uint8]


def run(request: dict[str, Any], send: Callable[[str, Path | bytes], None]) -> None:
    """Predict the pictures in /in/images and send what came of it."""
    use_mounted_weights()
    with refusing_all(send, Unusable, UnreadablePicture):
        _predict(request, send)


def _predict(request: dict[str, Any], send: Callable[[str, Path | bytes], None]) -> None:
    rule = Rule.from_request(request["rule"])
    model = ready(request, rule)
    files = sorted((IN / "images").iterdir())
    started = time.monotonic()
    rows = predicted(model, files, rule, request)
    seconds = time.monotonic() - started
    if rows.shape[1] != request["labels"]:
        raise Unusable(f"it now gives {rows.shape[1]} scores, and gave {request['labels']} before")
    names = [file.name for file in files]
    probes = alternatives(rule) if request["input_dtype"] == "float32" else {}
    a_picture = len(probes) * seconds / max(1, len(files))
    wanted = [IN / "images" / name for name in request["probe_images"]]
    probed = wanted[: int(request["probe_seconds"] / a_picture)] if a_picture else wanted
    if len(probed) < _FEWEST_PROBED:
        probed, probes = [], {}
    for name, other in probes.items():
        send(f"probe-{name}.npy", npy(predicted(model, probed, other, request)))
    send("probabilities.npy", npy(rows))
    reply = {
        "names": names,
        "seconds_per_image": seconds / max(1, len(names)),
        "probe_images": [file.name for file in probed],
        "probes": list(probes),
    }
    send("predictions.json", json.dumps(reply).encode())


def ready(request: dict[str, Any], rule: Rule) -> Native:
    """The model of a request: ONNX, or as handed in. Raises `Unusable`."""
    if request["native"]:
        size = (rule.height, rule.width)
        return load_handed_in(request["labels"], size, request["factory"], request["cpus"])[2]
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


def predicted(model: Native, files: Sequence[Path], rule: Rule, request: dict[str, Any]) -> Answers:
    """Probabilities for the pictures, in order."""
    return answered(model, (pixels(file, rule) for file in files), rule, request)


def answered(
    model: Native, pictures: Iterable[Pixels], rule: Rule, request: dict[str, Any], ends: float = math.inf
) -> Answers:
    """Probabilities for the pictures, in order. Raises `Unusable` when the time (monotonic) is up."""
    rows: list[Answers] = []
    for batch in _batches(pictures):
        if time.monotonic() > ends:
            raise Unusable("the model is too slow for this")
        given = model_input(np.stack(batch), rule, request["layout"], request["input_dtype"])
        rows.append(answers(model, given, together=request["dynamic_batch"]))
    if not rows:
        return np.zeros((0, request["labels"]), np.float32)
    return probabilities(np.concatenate(rows), request["output_kind"])


def _batches(pictures: Iterable[Pixels]) -> Iterator[list[Pixels]]:
    batch: list[Pixels] = []
    for picture in pictures:
        batch.append(picture)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def npy(array: Answers) -> bytes:
    """The array as a .npy file, float32."""
    stream = io.BytesIO()
    np.save(stream, np.ascontiguousarray(array, dtype=np.float32), allow_pickle=False)
    return stream.getvalue()
