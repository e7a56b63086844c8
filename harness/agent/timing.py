"""The phase `timing`: one model on one engine, in one scenario, in this fresh process.

The request holds `engine`, `precision`, `mode` ("model-only" or "end-to-end"), `scenario` (`rate_per_second` or
null, `samples_per_query`), `budget` (`seconds`, `fewest`, `most`, `limit_seconds`), `warm_up_seconds`, `cores`
(to pin to), `seed`, and of the model `layout`, `input_dtype`, `dynamic_batch`, `rule`, `output_kind`, `labels`,
`factory` and `head` (a detector's, as `heads.py` names it; null for a classifier). Under /in: `model`, perhaps
`model.py` and `weights`; the list of images is `images`. Sent: `latencies.npy` (float32, ms), `outputs.npy` (a
classifier's probabilities for the images, in the order of the list) and `timing.json`; or `refused.json`.
"""

from __future__ import annotations

import gc
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .engines import NotHere, Started, start
from .heads import seen
from .memory import peak_memory_bytes
from .native import Answers, Unusable, as_rows, probabilities
from .paths import IN, TMP
from .pictures import Rule, UnreadablePicture, model_input, pixels, upright
from .predict import npy
from .refusal import described, refuse
from .scenarios import Budget, Query, Timed, at_fixed_rate, one_after_another, warm_up

_NOISE = 16  # different pictures of noise, where none are given
_JPEG_QUALITY = 90


def run(request: dict[str, Any], send: Callable[[str, Path | bytes], None]) -> None:
    """Time the model and send what was measured."""
    os.sched_setaffinity(0, request["cores"])
    try:
        _time(request, send)
    except (Unusable, UnreadablePicture) as error:
        refuse(send, str(error), engine_missing=isinstance(error, NotHere))
    except (Exception, SystemExit) as error:  # an engine's own classes; with engine torch, the model's code
        refuse(send, described(error), engine_missing=False)


def _time(request: dict[str, Any], send: Callable[[str, Path | bytes], None]) -> None:
    rule = Rule.from_request(request["rule"])
    images = list(request["images"].take("images"))
    started = start(request["engine"], IN / "model", request, len(request["cores"]))
    query = _query(request, rule, images, started)
    gc.collect()
    gc.disable()
    warm = warm_up(query, request["warm_up_seconds"])
    timed = _measured(query, request)
    gc.enable()
    send("latencies.npy", npy(np.asarray(timed.latencies, np.float64).astype(np.float32) / np.float32(1e6)))
    if images and request["head"] is None:
        send("outputs.npy", npy(_outputs(request, rule, images, started)))
    reply = {
        "engine": started.described,
        "queries": len(timed.latencies),
        "started": timed.started,
        "ended": timed.ended,
        "cpu_seconds": timed.cpu_seconds,
        "missed": timed.missed,
        "warm_up_seconds": warm.seconds,
        "peak_memory_bytes": peak_memory_bytes(),
    }
    send("timing.json", json.dumps(reply).encode())


def _measured(query: Query, request: dict[str, Any]) -> Timed:
    budget = Budget(**request["budget"])
    if (rate := request["scenario"]["rate_per_second"]) is not None:
        return at_fixed_rate(query, rate, budget)
    return one_after_another(query, budget)


def _query(request: dict[str, Any], rule: Rule, images: list[bytes], started: Started) -> Query:
    """One query: from prepared inputs in mode `model-only`, from JPEG files to the answer in `end-to-end`."""
    samples = request["scenario"]["samples_per_query"]
    together = request["dynamic_batch"]
    if request["mode"] == "end-to-end":
        jpegs = _as_jpegs(images)

        def from_file(number: int) -> None:
            first = number * samples
            batch = [jpegs[(first + i) % len(jpegs)] for i in range(samples)]
            prepared = model_input(
                np.stack([pixels(file, rule) for file in batch]), rule, request["layout"], request["input_dtype"]
            )
            if request["head"] is None:
                _answers(started, prepared, request, together=together).argmax(axis=1)
            else:
                _detected(started, prepared, request["head"], together=together)

        return from_file
    inputs = _inputs(request, rule, images)
    batches = [np.concatenate([inputs[(i * samples + k) % len(inputs)] for k in range(samples)]) for i in range(8)]
    if samples == 1:
        batches = inputs
    run = started.run
    if together or samples == 1:
        return lambda number: run(batches[number % len(batches)])

    def one_by_one(number: int) -> None:
        batch = batches[number % len(batches)]
        for i in range(samples):
            run(batch[i : i + 1])

    return one_by_one


def _answers(started: Started, batch: NDArray[Any], request: dict[str, Any], *, together: bool) -> Answers:
    if together:
        rows = as_rows(started.run(batch)[0], len(batch))
    else:
        rows = np.concatenate([as_rows(started.run(batch[i : i + 1])[0], 1) for i in range(len(batch))])
    return probabilities(rows, request["output_kind"])


def _detected(started: Started, batch: NDArray[Any], head: str, *, together: bool) -> list[Any]:
    """What is seen in each picture, after non-maximum suppression."""
    found: list[Any] = []
    for part in [batch] if together else [batch[i : i + 1] for i in range(len(batch))]:
        outputs = started.run(part)
        found += [seen(head, outputs, i) for i in range(len(part))]
    return found


def _inputs(request: dict[str, Any], rule: Rule, images: list[bytes]) -> list[NDArray[Any]]:
    """Different inputs, one picture each: the given pictures, or noise from the seed."""
    if images:
        seen = [pixels(image, rule) for image in images]
    else:
        noise = np.random.default_rng(request["seed"])
        seen = [noise.integers(0, 256, (rule.height, rule.width, 3), dtype=np.uint8) for _ in range(_NOISE)]
    return [model_input(one[np.newaxis], rule, request["layout"], request["input_dtype"]) for one in seen]


def _as_jpegs(images: list[bytes]) -> list[Path]:
    """The pictures as a camera would store them, in memory (/tmp)."""
    jpegs = []
    for index, image in enumerate(images):
        upright(image).save(TMP / f"{index:02}.jpg", quality=_JPEG_QUALITY)
        jpegs.append(TMP / f"{index:02}.jpg")
    return jpegs


def _outputs(request: dict[str, Any], rule: Rule, images: list[bytes], started: Started) -> Answers:
    """The probabilities for each picture, as the engine gives them."""
    batches = _inputs(request, rule, images)
    return np.concatenate([_answers(started, batch, request, together=True) for batch in batches])
