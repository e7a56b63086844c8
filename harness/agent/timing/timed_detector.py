"""A process with one detector that answers the benchmark's requests. No student Python runs here.

A query is an image in memory, as a camera gives it, and ends with the boxes that a board would show. Three spans of it
are kept: of the graph alone; of the graph and what makes boxes of its outputs, so that it does not matter whether a
graph suppresses by itself; and of all, from the image on.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..detectors.board import on_board
from ..detectors.detector import Anchors, Detections, Found, Opening, Pixels, Scaling
from ..detectors.plain_boxes import plain
from ..detectors.registry import family_of
from ..detectors.suppression import TRAINERS, suppressed
from ..images.preprocessing import Rule
from ..models.loaded_model import Unusable
from ..paths import IN
from .memory import peak_memory_bytes
from .scenarios import in_random_turns
from .timed_detections import TimedDetections

_FEWEST_WARM = 2  # the first query of a process allocates, the second one does not
_MOST_BOXES = 100  # of an image, that are compared
PARTS = ("model-only", "end-to-end")  # beside the span that is compared with the reference's


class _Watched:
    """A session that notes when it was asked and when it answered, by both clocks, ns."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self.began = self.ended = (0, 0)  # wall, processor

    def run(self, names: Any, given: Any) -> Any:
        self.began = time.perf_counter_ns(), time.process_time_ns()
        answers = self._session.run(names, given)
        self.ended = time.perf_counter_ns(), time.process_time_ns()
        return answers


class TimedDetector:
    """A detector of one thread and its images, asked in a new random order each round."""

    def __init__(self, model: dict[str, Any], images: Sequence[Pixels]) -> None:
        """Raises `Unusable` where it runs code, or cannot be read."""
        said, self._watched = model["detector"], list[_Watched]()
        rule = Rule.from_request(said["rule"]) if said["rule"] else None
        scaling = Scaling.from_request(said["scaling"]) if said["scaling"] else None
        file, named = IN / model["file"], said["named"]
        opening = Opening(file, 1, rule, scaling, checks=images[:8], watched=self._watch, named=named)
        name, family = family_of(opening.file)
        if family.RUNS_CODE or name != said["family"]:
            raise Unusable(f"it is timed as {said['family']}, and was read as {name}")
        self._detector = family.load(opening)
        self._images, self._void, self._counted = images, frozenset(said["void"]), said["counted"]
        self._turns = in_random_turns(len(images))
        self._answers = TimedDetections(self._plain)
        self._parts = {f"{kind}-{part}": list[float]() for part in PARTS for kind in ("latencies", "processor")}

    def warm_up(self, seconds: float) -> tuple[float, float]:
        """Run for `seconds` and at least two queries: (seconds taken, median seconds without the first)."""
        started, spans = time.perf_counter(), list[float]()
        while len(spans) < _FEWEST_WARM or time.perf_counter() - started < seconds:
            begun = time.perf_counter()
            self._seen(next(self._turns))
            spans.append(time.perf_counter() - begun)
        return time.perf_counter() - started, statistics.median(spans[1:])

    def block(self, queries: int, refill: bool) -> tuple[list[float], list[float]]:
        """The wall and processor times of `queries` queries, ms, from the graph's input to the boxes.

        `refill`: ask an uncounted one first, because the other model had the caches.
        """
        if refill:
            self._seen(next(self._turns))
        walls, processors = list[float](), list[float]()
        (watched,) = self._watched
        for _ in range(queries):
            at = next(self._turns)
            begun = time.perf_counter_ns(), time.process_time_ns()
            found = self._seen(at)
            ended = time.perf_counter_ns(), time.process_time_ns()
            for clock, (kind, spans) in enumerate((("latencies", walls), ("processor", processors))):
                spans.append((ended[clock] - watched.began[clock]) / 1e6)
                self._parts[f"{kind}-model-only"].append((watched.ended[clock] - watched.began[clock]) / 1e6)
                self._parts[f"{kind}-end-to-end"].append((ended[clock] - begun[clock]) / 1e6)
            self._answers.add(at, found)
        return walls, processors

    def parts(self) -> dict[str, list[float]]:
        """The times of all queries so far, ms, of the graph alone and of all."""
        return self._parts

    def answers(self) -> tuple[dict[str, Any], Any, Any, Any]:
        """All timed answers so far, as `TimedDetections.summary` returns them."""
        return self._answers.summary()

    def peak_memory_bytes(self) -> int:
        """The peak resident memory of this process so far, in bytes."""
        return peak_memory_bytes()

    def _watch(self, session: Any) -> _Watched:
        self._watched = [_Watched(session)]
        return self._watched[0]

    def _seen(self, at: int) -> Found:
        """What the detector gives for the image, after what the board shows of it was made, too."""
        found = self._detector.answer(self._images[at])
        on_board(found, self._void)
        return found

    def _plain(self, found: Found) -> Detections:
        """The boxes that are compared: of labels that count, all where none are named, of each the surest first."""
        boxes = suppressed(found, TRAINERS) if isinstance(found, Anchors) else found
        if self._counted:
            boxes = boxes.at(np.isin(boxes.labels, self._counted))
        kept = plain(boxes, max(1, len(boxes)), self._detector.description.labels)[0]
        return kept.at(_by_rank(kept)[:_MOST_BOXES])


def _by_rank(found: Detections) -> NDArray[np.int64]:
    """Indices of the boxes by their place among those of their label, then by score. `found`: the surest first."""
    rank = np.zeros(len(found), np.int64)
    for label in np.unique(found.labels):
        mine = np.flatnonzero(found.labels == label)
        rank[mine] = np.arange(len(mine))
    return np.argsort(rank, kind="stable")
