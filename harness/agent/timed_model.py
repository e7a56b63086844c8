"""One model in its own process, answering the benchmark's questions. No student Python runs here."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .memory import peak_memory_bytes
from .native import Answers, Unusable, as_rows, probabilities
from .onnx_model import session
from .paths import IN
from .pictures import Rule, UnreadablePicture, batch
from .scenarios import warm_up


def serve(connection: Connection, model: dict[str, Any], images: list[bytes], cores: list[int]) -> None:
    """Load the model, pinned to `cores`, and answer questions until the other side is gone."""
    os.sched_setaffinity(0, cores)
    gc.disable()
    try:
        timed: TimedModel | None = TimedModel(model, images, len(cores))
        broken = ""
    except (Unusable, UnreadablePicture) as error:
        timed, broken = None, str(error)
    while True:
        try:
            question, argument = connection.recv()
        except (EOFError, OSError):
            return
        if timed is None:
            connection.send(("error", broken))
            continue
        try:
            connection.send(("value", getattr(timed, question)(argument)))
        except Exception as error:  # onnxruntime's own classes, one for each of its status codes
            connection.send(("error", f"the model stopped while it was timed: {' '.join(str(error).split())[:200]}"))


class TimedModel:
    """A session and its inputs, prepared beforehand, one picture each."""

    def __init__(self, model: dict[str, Any], images: list[bytes], threads: int) -> None:
        rule = Rule.from_request(model["rule"])
        self._inputs: list[NDArray[Any]] = [
            batch([image], rule, model["layout"], model["input_dtype"]) for image in images
        ]
        self._kind: str = model["output_kind"]
        self._session = session(IN / model["file"], threads)
        self._input: str = self._session.get_inputs()[0].name
        self._outputs: list[str] = [self._session.get_outputs()[0].name]
        self._next = 0
        self._answers: list[NDArray[Any] | None] = [None] * len(images)  # the latest of the timed ones

    def warm_up(self, seconds: float) -> tuple[float, float]:
        """Run for `seconds`, and on until the latency is steady: (seconds taken, median seconds)."""
        warm = warm_up(lambda _: self._timed(1), seconds)
        return warm.seconds, warm.median_seconds

    def block(self, queries: int) -> list[float]:
        """The latencies of some queries, ms, after one uncounted: the other model had the caches."""
        self._timed(1)
        return [seconds * 1000 for seconds in self._timed(queries)]

    def outputs(self, _: int) -> Answers:
        """The probabilities for each prepared picture: those that were timed, where it had its turn."""
        run: Callable[..., Any] = self._session.run
        rows = [
            as_rows(answer if answer is not None else run(self._outputs, {self._input: given})[0], 1)
            for given, answer in zip(self._inputs, self._answers, strict=True)
        ]
        return probabilities(np.concatenate(rows), self._kind)

    def peak_memory_bytes(self, _: int) -> int:
        """The largest resident memory of this process so far."""
        return peak_memory_bytes()

    def _timed(self, queries: int) -> list[float]:
        run, clock, measured = self._session.run, time.perf_counter_ns, []
        for _ in range(queries):
            at, self._next = self._next, (self._next + 1) % len(self._inputs)
            given = {self._input: self._inputs[at]}
            started = clock()
            (answer,) = run(self._outputs, given)
            measured.append((clock() - started) / 1e9)
            self._answers[at] = answer
        return measured
