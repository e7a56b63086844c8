"""The phase `timing`: times one model on one engine in one scenario, in this fresh process.

The request holds `engine`, `precision`, `mode` ("model-only" or "end-to-end"), `scenario` (`rate_per_second` or null,
`samples_per_query`), `budget` (`seconds`, `fewest`, `most`, `limit_seconds`), `warm_up_seconds`, `cores` (to pin to),
`own_python` (whether the engine runs the model's Python), and for the model `layout`, `input_dtype`, `dynamic_batch`,
`rule`, `output_kind`, `labels`, `factory` and `head` (a detector's, as `detectors/heads.py` names it; null for a
classifier). Under /in: `model`, perhaps `model.py` and `weights`; the list `images` has the images to decode. Sent:
`latencies.npy` (float32, ms), for a classifier `answers-low.npy` and `answers-high.npy` (probabilities, the summary of
all timed answers by `timed_answers.py`), and `timing.json`; or `refused.json`.

This process has the image files and the clock. A model's own code runs in another process, which gets only pixels
(`timing/own_code.py`).
"""

from __future__ import annotations

import gc
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..detectors.heads import seen
from ..graph.statefulness import stateful_operators
from ..images.preprocessing import Rule, UnreadableImage, pixels
from ..models.loaded_model import Answers, Unusable, as_rows, probabilities
from ..paths import IN
from ..timing.cores import pin
from ..timing.engines import NotHere, Started, start
from ..timing.scenarios import (
    Budget,
    Query,
    Timed,
    at_fixed_rate,
    in_random_turns,
    one_after_another,
    warm_up,
)
from ..timing.timed_answers import TimedAnswers
from ..timing.timed_inputs import how_many, prepared, queries
from .predict import npy
from .refusal import described, refuse

_UNSEEN = 16  # new inputs, which a model that remembers answers cannot know


@dataclass(frozen=True, slots=True)
class _Asked:
    """The query that is timed, and how its answer is kept; a detector's answer is not kept."""

    query: Query
    rows: Callable[[Any], Answers] | None  # from a query's output to probabilities


def run(request: dict[str, Any], send: Callable[[str, Path | bytes], None]) -> None:
    """Time the model and send what was measured."""
    pin(request["cores"])
    try:
        _time(request, send)
    except (Unusable, UnreadableImage) as error:
        refuse(send, str(error), engine_missing=isinstance(error, NotHere))
    except (Exception, SystemExit) as error:  # an engine's own classes
        refuse(send, described(error), engine_missing=False)


def _time(request: dict[str, Any], send: Callable[[str, Path | bytes], None]) -> None:
    rule, samples = Rule.from_request(request["rule"]), request["scenario"]["samples_per_query"]
    images = list(request["images"].take("images"))[: how_many([request])]
    asked = queries(len(images), samples)
    started = start(request["engine"], IN / "model", request, len(request["cores"]))
    asks = _end_to_end if request["mode"] == "end-to-end" else _model_only
    timing = asks(request, rule, [[images[i] for i in places] for places in asked], started)
    answers = TimedAnswers(timing.rows) if timing.rows else None
    turns = in_random_turns(len(asked))
    gc.collect()
    gc.disable()
    warm = warm_up(timing.query, turns, request["warm_up_seconds"])
    timed = _measured(timing.query, turns, answers, request, started)
    gc.enable()
    send("latencies.npy", npy(np.asarray(timed.latencies, np.float64).astype(np.float32) / np.float32(1e6)))
    reply = {
        "engine": started.described,
        "queries": len(timed.latencies),
        "started": timed.started,
        "ended": timed.ended,
        "cpu_seconds": timed.cpu_seconds,
        "missed": timed.missed,
        "warm_up_seconds": warm.seconds,
        "peak_memory_bytes": started.peak_memory_bytes(),
        "handover_ms": started.handover_ms,
        "images": len(images),
        "asked": asked,
        "answers": None,
        "stateful": [] if request["own_python"] else stateful_operators(IN / "model"),
        "repeated": _repeated(request, rule, images, started) if request["own_python"] else None,
    }
    if answers is not None:
        reply["answers"], low, high = answers.summary()
        send("answers-low.npy", npy(low))
        send("answers-high.npy", npy(high))
    send("timing.json", json.dumps(reply).encode())


def _measured(
    query: Query, turns: Any, answers: TimedAnswers | None, request: dict[str, Any], started: Started
) -> Timed:
    budget, keep = Budget(**request["budget"]), answers.add if answers else _drop
    if (rate := request["scenario"]["rate_per_second"]) is not None:
        return at_fixed_rate(query, turns, keep, rate, budget, started.cpu_seconds)
    return one_after_another(query, turns, keep, budget, started.cpu_seconds)


def _drop(_: int, __: Any) -> None:
    """Drop a detector's answer."""


def _model_only(request: dict[str, Any], rule: Rule, asked: Sequence[Sequence[bytes]], started: Started) -> _Asked:
    """Time from prepared inputs to the engine's outputs."""
    batches = [prepared(request, rule, [pixels(image, rule) for image in images]) for images in asked]
    run, together = started.run, request["dynamic_batch"] or len(asked[0]) == 1

    def as_a_batch(number: int) -> NDArray[Any]:
        return run(batches[number])[0]

    def one_by_one(number: int) -> list[NDArray[Any]]:
        batch = batches[number]
        return [run(batch[i : i + 1])[0] for i in range(len(batch))]

    def rows(given: NDArray[Any]) -> Answers:
        parts = [as_rows(given, len(batches[0]))] if together else [as_rows(one, 1) for one in given]
        return probabilities(np.concatenate(parts), request["output_kind"])

    return _Asked(as_a_batch if together else one_by_one, None if request["head"] else rows)


def _end_to_end(request: dict[str, Any], rule: Rule, asked: Sequence[Sequence[bytes]], started: Started) -> _Asked:
    """Time from image files to the class, or to a detector's boxes."""
    together = request["dynamic_batch"]

    def batch_of(number: int) -> NDArray[Any]:
        return prepared(request, rule, [pixels(image, rule) for image in asked[number]])

    def classified(number: int) -> Answers:
        batch = batch_of(number)
        parts = [batch] if together else [batch[i : i + 1] for i in range(len(batch))]
        given = np.concatenate([as_rows(started.run(part)[0], len(part)) for part in parts])
        rows = probabilities(given, request["output_kind"])
        rows.argmax(axis=1)
        return rows

    def detected(number: int) -> None:
        batch = batch_of(number)
        for part in [batch] if together else [batch[i : i + 1] for i in range(len(batch))]:
            outputs = started.run(part)
            for i in range(len(part)):
                seen(request["head"], outputs, i)

    return _Asked(detected, None) if request["head"] else _Asked(classified, lambda rows: rows)


def _repeated(request: dict[str, Any], rule: Rule, images: Sequence[bytes], started: Started) -> dict[str, list[float]]:
    """Latencies, ms, of repeated and of new inputs, in turn, one image each.

    MLPerf's TEST04: a model that remembers answers is faster on repeated inputs. Each is asked once before: where few
    queries were timed, not every image was among them.
    """
    spans: dict[str, list[float]] = {"seen_ms": [], "unseen_ms": []}
    chosen = [pixels(content, rule) for content in images[:_UNSEEN]]
    for image in chosen:
        started.run(prepared(request, rule, [image]))
    for image in chosen:
        negative = 255 - image[:, ::-1]
        for name, one in (("seen_ms", image), ("unseen_ms", negative)):
            given = prepared(request, rule, [one])
            begun = time.perf_counter_ns()
            started.run(given)
            spans[name].append((time.perf_counter_ns() - begun) / 1e6)
    return spans
