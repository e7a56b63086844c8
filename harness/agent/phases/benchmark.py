"""The phase `benchmark`: times the model and the reference in turn, batch 1, on the same cores.

Each runs in its own process (`timed_model.py`), so that each has its own peak memory. They take turns in short blocks,
so that anything that slows the machine slows both, and their ratio stays the same.

The request holds `models` (name -> `file` under /in, `layout`, `input_dtype`, `rule`, `output_kind`), `cpus`,
`queries`, `most_queries`, `min_seconds`, `warm_up_seconds` and `budget_seconds`. Queries cycle through at most 64
images of the list `images`. Sent: `latencies-<name>.npy` (float32, ms), `answers-low-<name>.npy` and
`answers-high-<name>.npy` (probabilities, the summary of all timed answers by `timed_answers.py`), `benchmark.json`; or
`refused.json`. Earlier answers never come in here: the harness compares outside.
"""

from __future__ import annotations

import json
import math
import multiprocessing
import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from ..graph.onnx_running import engine_name
from ..graph.statefulness import stateful_operators
from ..images.preprocessing import Rule, UnreadableImage, pixels
from ..models.loaded_model import Unusable
from ..paths import IN
from ..timing.timed_inputs import how_many
from ..timing.timed_model import Pixels, serve
from .predict import npy
from .refusal import refusing

_BLOCK_SECONDS = 0.1  # how long one model runs, about, before the other's turn
_FEWEST_IN_BLOCK = 4
_FEWEST_BLOCKS = 12  # enough for an interval over blocks

Ask = Callable[[str, int | float], Any]


def run(request: dict[str, Any], send: Callable[[str, Path | bytes], None]) -> None:
    """Time the models and send what was measured."""
    cores = sorted(os.sched_getaffinity(0))[: request["cpus"]]
    models = request["models"]
    deadline = time.monotonic() + request["budget_seconds"]
    with refusing(send, Unusable, UnreadableImage):
        images = list(request["images"].take("images"))[: how_many(models.values())]
        decoded = _decoded(models, images)
        with ExitStack() as stack:
            asks = {name: stack.enter_context(_started(model, decoded[name], cores)) for name, model in models.items()}
            reply = _measured(asks, request, deadline, send)
        reply |= {
            "images": len(images),
            "cpus": len(cores),
            "engine": engine_name("CPU"),
            "stateful": {name: stateful_operators(IN / model["file"]) for name, model in models.items()},
        }
        send("benchmark.json", json.dumps(reply).encode())


def _decoded(models: dict[str, Any], images: list[bytes]) -> dict[str, list[Pixels]]:
    """Each model's images, resized to its input; models with the same input share them."""
    same: dict[tuple[Any, ...], list[Pixels]] = {}
    decoded = {}
    for name, model in models.items():
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
        yield lambda question, argument: _answer(ours, question, argument)
    finally:
        process.kill()
        process.join()
        ours.close()


def _answer(connection: Connection, question: str, argument: int | float) -> Any:
    try:
        connection.send((question, argument))
        kind, value = connection.recv()
    except (EOFError, OSError) as error:
        raise Unusable("the process with the model died while it was timed") from error
    if kind == "error":
        raise Unusable(value)
    return value


def _measured(
    asks: dict[str, Ask],
    request: dict[str, Any],
    deadline: float,
    send: Callable[[str, Path | bytes], None],
) -> dict[str, Any]:
    warm = {name: ask("warm_up", request["warm_up_seconds"]) for name, ask in asks.items()}
    sizes = {name: _block_size(median) for name, (_, median) in warm.items()}
    timed: dict[str, list[list[float]]] = {name: [] for name in asks}
    while not all(_enough(blocks, request) for blocks in timed.values()):
        if time.monotonic() > deadline and all(timed.values()):
            break
        for name, ask in asks.items():
            timed[name].append(ask("block", sizes[name]))
    counted = {}
    for name, ask in asks.items():
        send(f"latencies-{name}.npy", npy(np.asarray([ms for b in timed[name] for ms in b], np.float32)))
        counted[name], low, high = ask("answers", 0)
        send(f"answers-low-{name}.npy", npy(low))
        send(f"answers-high-{name}.npy", npy(high))
    return {
        "answers": counted,
        "blocks": {name: [len(block) for block in blocks] for name, blocks in timed.items()},
        "peak_memory_bytes": {name: ask("peak_memory_bytes", 0) for name, ask in asks.items()},
        "warm_up_seconds": sum(seconds for seconds, _ in warm.values()),
    }


def _block_size(median_seconds: float) -> int:
    return max(_FEWEST_IN_BLOCK, min(64, math.ceil(_BLOCK_SECONDS / max(median_seconds, 1e-6))))


def _enough(blocks: list[list[float]], request: dict[str, Any]) -> bool:
    count = sum(len(block) for block in blocks)
    seconds = sum(sum(block) for block in blocks) / 1000
    if count + 64 > request["most_queries"]:
        return True
    return count >= request["queries"] and seconds >= request["min_seconds"] and len(blocks) >= _FEWEST_BLOCKS
