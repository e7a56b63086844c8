"""A process with one model that answers the benchmark's requests. No student Python runs here."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..graph.onnx_model import session
from ..images.preprocessing import Rule
from ..models.loaded_model import Answers, Unusable, as_rows, probabilities
from ..paths import IN
from ..phases.error_text import one_sentence
from .cores import pin
from .memory import peak_memory_bytes
from .scenarios import in_random_turns
from .timed_answers import TimedAnswers
from .timed_detector import TimedDetector
from .timed_inputs import prepared

Pixels = NDArray[np.uint8]

_FEWEST_WARM = 2  # the first query of a process allocates, the second one does not
_EMPTY_QUERIES = 200


def serve(connection: Connection, model: dict[str, Any], images: Sequence[Pixels], cores: list[int]) -> None:
    """Load the model with one thread, which may run on `cores`, and answer requests until the other side is gone."""
    pin(cores)
    gc.disable()
    try:
        timed: TimedModel | TimedDetector | None = (
            TimedDetector(model, images) if "detector" in model else TimedModel(model, images, 1)
        )
        broken = ""
    except Unusable as error:
        timed, broken = None, str(error)
    while True:
        try:
            question, arguments = connection.recv()
        except (EOFError, OSError):
            return
        if timed is None:
            connection.send(("error", broken))
            continue
        try:
            connection.send(("value", getattr(timed, question)(*arguments)))
        except Exception as error:  # onnxruntime's own classes, one for each of its status codes
            connection.send(("error", f"the model stopped while it was timed: {one_sentence(str(error))}"))


class TimedModel:
    """A session and its prepared inputs of one image each, asked in a new random order each round."""

    def __init__(self, model: dict[str, Any], images: Sequence[Pixels], threads: int) -> None:
        rule, kind = Rule.from_request(model["rule"]), model["output_kind"]
        self._session = session(IN / model["file"], threads)
        input_name = self._session.get_inputs()[0].name
        self._inputs: list[dict[str, NDArray[Any]]] = [{input_name: prepared(model, rule, [one])} for one in images]
        self._outputs: list[str] = [self._session.get_outputs()[0].name]
        self._turns = in_random_turns(len(images))
        self._answers = TimedAnswers(lambda given: probabilities(as_rows(given, 1), kind))
        self._empty = _empty_query()

    def warm_up(self, seconds: float) -> tuple[float, float]:
        """Run for `seconds` and at least two queries: (seconds taken, median seconds without the first)."""
        started, spans = time.perf_counter(), list[float]()
        while len(spans) < _FEWEST_WARM or time.perf_counter() - started < seconds:
            begun = time.perf_counter()
            self._run(next(self._turns))
            spans.append(time.perf_counter() - begun)
        return time.perf_counter() - started, statistics.median(spans[1:])

    def block(self, queries: int, refill: bool) -> tuple[list[float], list[float]]:
        """The wall and processor times of `queries` queries, ms.

        `refill`: ask an uncounted one first, because the other model had the caches. Processor time is of all threads
        of this process, less what the clocks themselves take; 1 ns at least, since a tiny query may take no more.
        """
        if refill:
            self._run(next(self._turns))
        run, wall, processor = self._session.run, time.perf_counter_ns, time.process_time_ns
        walls, processors = list[float](), list[float]()
        for _ in range(queries):
            at = next(self._turns)
            given = self._inputs[at]
            used, started = processor(), wall()
            (answer,) = run(self._outputs, given)
            ended = wall()
            processors.append(max(1, processor() - used - self._empty) / 1e6)
            walls.append((ended - started) / 1e6)
            self._answers.add(at, answer)
        return walls, processors

    def answers(self) -> tuple[dict[str, list[int]], Answers, Answers]:
        """All timed answers so far, as `TimedAnswers.summary` returns them."""
        return self._answers.summary()

    def peak_memory_bytes(self) -> int:
        """The peak resident memory of this process so far, in bytes."""
        return peak_memory_bytes()

    def _run(self, at: int) -> None:
        self._session.run(self._outputs, self._inputs[at])


def _empty_query() -> int:
    """The processor time that is measured around nothing, ns: the median of some hundred."""
    wall, processor, spans = time.perf_counter_ns, time.process_time_ns, []
    for _ in range(_EMPTY_QUERIES):
        used = processor()
        wall()
        wall()
        spans.append(processor() - used)
    return int(statistics.median(spans))
