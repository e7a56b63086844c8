"""The phase `benchmark`: times the model and the reference in turn, batch 1, one thread each, on the same cores.

Several pairs of fresh processes (`timed_model.py`), one pair after the other: what differs from start to start
(memory layout, say) is then in the spread of the pairs. The two of a pair take turns in short blocks, in balanced order
(A B B A), so that anything that slows the machine slows both. A process is forked from this one, which has imported
ONNX Runtime and decoded the images: what it pays before its first query is loading the model.

The request holds `models` (name -> `file` under /in, `layout`, `input_dtype`, `rule`, `output_kind`, and for a detector
`detector` with `family`, `rule` as declared or null, `void`, and `counted`, the labels whose boxes are compared, all
where there are none), `cpus` (cores that they may run on), `pairs`, for each process `queries`, `most_queries`,
`min_seconds`, `warm_up_seconds`, and `budget_seconds`. Queries cycle through at most 64 images of the list `images`.
Sent: `latencies-<name>.npy` and `processor-<name>.npy` (float32, ms: wall and processor time of each query, process
after process), `answers-low-<name>.npy` and `answers-high-<name>.npy` (probabilities, the summary of all timed answers
by `timed_answers.py`), `benchmark.json`; or `refused.json`. Of detectors (`timed_detector.py`) these times are from the
graph's input to the boxes; sent are also `latencies-<part>-<name>.npy` and `processor-<part>-<name>.npy` of its
`PARTS`, and in place of probabilities the boxes: `answers-boxes-<name>.npy`, `answers-scores-<name>.npy` and
`answers-labels-<name>.npy`. Earlier answers never come in here: the harness compares outside.
"""

from __future__ import annotations

import io
import json
import math
import multiprocessing
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from ..detectors.detector import Detections, Found
from ..graph.onnx_running import engine_name
from ..graph.statefulness import stateful_operators
from ..images.preprocessing import Rule, UnreadableImage, pixels, upright
from ..models.loaded_model import Unusable, as_rows
from ..paths import IN
from ..timing.cores import usable
from ..timing.timed_answers import TimedAnswers
from ..timing.timed_detections import TimedDetections
from ..timing.timed_inputs import how_many
from ..timing.timed_model import Pixels, serve
from .predict import npy
from .refusal import refusing

_BLOCK_SECONDS = 0.05  # how long one model runs, about, before the other's turn
_FEWEST_IN_BLOCK, _MOST_IN_BLOCK = 2, 64
_FEWEST_PAIRS = 2  # in any case: the spread of one is not known
_WHOLE_BYTES = 256_000_000  # of all images that a detector takes as they are
_REFILLED_SECONDS = 0.02  # a query that takes longer than this refills the caches by the way

Ask = Callable[..., Any]


@dataclass(slots=True)
class _Timed:
    """What all processes of one model measured so far."""

    answers: TimedAnswers | TimedDetections
    walls: list[list[float]] = field(default_factory=list)  # ms, by process
    processors: list[list[float]] = field(default_factory=list)
    parts: dict[str, list[float]] = field(
        default_factory=dict
    )  # ms of all processes, by the beginning of a file's name
    warm_up_seconds: float = 0.0
    peak_memory_bytes: int = 0


def run(request: dict[str, Any], send: Callable[[str, Path | bytes], None]) -> None:
    """Time the models and send what was measured."""
    cores = usable()[: request["cpus"]]
    models = request["models"]
    deadline = time.monotonic() + request["budget_seconds"]
    with refusing(send, Unusable, UnreadableImage):
        images = list(request["images"].take("images"))[: how_many(models.values())]
        if any("detector" in model for model in models.values()):
            images = images[: _how_many_whole(images)]
        decoded = _decoded(models, images)
        engine = engine_name("CPU")  # imports ONNX Runtime, once for all processes
        timed = {name: _Timed(_no_answers(model)) for name, model in models.items()}
        for pair in range(request["pairs"]):
            if pair >= _FEWEST_PAIRS and time.monotonic() > deadline:
                break
            order = list(models) if pair % 2 == 0 else list(reversed(models))
            with ExitStack() as stack:
                asks = {name: stack.enter_context(_started(models[name], decoded[name], cores)) for name in order}
                _pair(asks, timed, request, deadline)
        for name, one in timed.items():
            _send_measured(name, one, send)
        reply = {
            "processes": {name: [len(spans) for spans in one.walls] for name, one in timed.items()},
            "answers": {name: one.answers.summary()[0] for name, one in timed.items()},
            "peak_memory_bytes": {name: one.peak_memory_bytes for name, one in timed.items()},
            "warm_up_seconds": sum(one.warm_up_seconds for one in timed.values()),
            "images": len(images),
            "engine": engine,
            "stateful": {name: stateful_operators(IN / model["file"]) for name, model in models.items()},
        }
        send("benchmark.json", json.dumps(reply).encode())


def _no_answers(model: dict[str, Any]) -> TimedAnswers | TimedDetections:
    if "detector" in model:
        return TimedDetections(_as_they_are)
    return TimedAnswers(lambda given: as_rows(given, 1))


def _as_they_are(found: Found) -> Detections:
    """The boxes that a process sends, which are plain already."""
    assert isinstance(found, Detections)
    return found


def _send_measured(name: str, timed: _Timed, send: Callable[[str, Path | bytes], None]) -> None:
    for kind, by_process in (("latencies", timed.walls), ("processor", timed.processors)):
        send(f"{kind}-{name}.npy", npy(np.asarray([ms for spans in by_process for ms in spans], np.float32)))
    for part, spans in timed.parts.items():
        send(f"{part}-{name}.npy", npy(np.asarray(spans, np.float32)))
    parts = ("boxes", "scores", "labels") if isinstance(timed.answers, TimedDetections) else ("low", "high")
    for part, array in zip(parts, timed.answers.summary()[1:], strict=True):
        send(f"answers-{part}-{name}.npy", _labels_npy(array) if part == "labels" else npy(array))


def _labels_npy(labels: Any) -> bytes:
    stream = io.BytesIO()
    np.save(stream, np.asarray(labels, np.int32), allow_pickle=False)
    return stream.getvalue()


def _how_many_whole(images: Sequence[bytes]) -> int:
    """How many of the first images fit into the allowed memory in the size that they have."""
    total = 0
    for number, image in enumerate(images):
        width, height = upright(image).size
        total += 3 * width * height
        if number and total > _WHOLE_BYTES:
            return number
    return len(images)


def _decoded(models: dict[str, Any], images: list[bytes]) -> dict[str, list[Pixels]]:
    """Each model's images, resized to its input, which models of the same input share.

    Detectors take them as they are.
    """
    same: dict[tuple[Any, ...], list[Pixels]] = {}
    decoded = {}
    for name, model in models.items():
        if "detector" in model:
            if () not in same:
                same[()] = [np.asarray(upright(image), np.uint8) for image in images]
            decoded[name] = same[()]
            continue
        rule = Rule.from_request(model["rule"])
        shape = (rule.width, rule.height, rule.resize, rule.crop_fraction)
        if shape not in same:
            same[shape] = [pixels(image, rule) for image in images]
        decoded[name] = same[shape]
    return decoded


@contextmanager
def _started(model: dict[str, Any], images: list[Pixels], cores: list[int]) -> Iterator[Ask]:
    """A process that has loaded the model and answers questions; it is ended afterwards."""
    fork = multiprocessing.get_context("fork")
    ours, theirs = fork.Pipe()
    process = fork.Process(target=serve, args=(theirs, model, images, cores), daemon=True)
    process.start()
    theirs.close()
    try:
        yield lambda question, *arguments: _answer(ours, question, arguments)
    finally:
        process.kill()
        process.join()
        ours.close()


def _answer(connection: Connection, question: str, arguments: Sequence[Any]) -> Any:
    try:
        connection.send((question, arguments))
        kind, value = connection.recv()
    except (EOFError, OSError) as error:
        raise Unusable("the process with the model died while it was timed") from error
    if kind == "error":
        raise Unusable(value)
    return value


def _pair(asks: Mapping[str, Ask], timed: Mapping[str, _Timed], request: dict[str, Any], deadline: float) -> None:
    """Time one fresh process of each model; `asks` is in the order of their first turns."""
    sizes: dict[str, tuple[int, bool]] = {}
    for name, ask in asks.items():
        seconds, median = ask("warm_up", request["warm_up_seconds"])
        timed[name].warm_up_seconds += seconds
        sizes[name] = _block_size(median), median < _REFILLED_SECONDS
        timed[name].walls.append([])
        timed[name].processors.append([])
    order = list(asks)
    while not all(_enough(timed[name].walls[-1], request) for name in asks):
        if time.monotonic() > deadline and all(timed[name].walls[-1] for name in asks):
            break
        for name in order:
            walls, processors = asks[name]("block", *sizes[name])
            timed[name].walls[-1] += walls
            timed[name].processors[-1] += processors
        order.reverse()
    for name, ask in asks.items():
        if isinstance(timed[name].answers, TimedDetections):
            for part, spans in ask("parts").items():
                timed[name].parts.setdefault(part, []).extend(spans)
        timed[name].answers.add_counted(*ask("answers"))
        timed[name].peak_memory_bytes = max(timed[name].peak_memory_bytes, ask("peak_memory_bytes"))


def _block_size(median_seconds: float) -> int:
    return max(_FEWEST_IN_BLOCK, min(_MOST_IN_BLOCK, math.ceil(_BLOCK_SECONDS / max(median_seconds, 1e-6))))


def _enough(spans: list[float], request: dict[str, Any]) -> bool:
    if len(spans) + _MOST_IN_BLOCK > request["most_queries"]:
        return True
    return bool(len(spans) >= request["queries"] and sum(spans) / 1000 >= request["min_seconds"])
