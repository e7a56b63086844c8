"""Every answer that a model gives while it is timed, in memory that does not grow with the number of queries.

Equal answers to one input are counted; others are kept in groups, each with the lowest and the highest probability of
each class. So the harness can hold all of them against answers that this process never saw.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..models.loaded_model import Answers

_NEAR = 1e-4  # of a probability, within a group: a tenth of the least difference that counts as another answer
_MOST = 16  # groups for one input; the last takes whatever is in none of the others


@dataclass(slots=True)
class _Group:
    input: int
    first: Answers
    low: Answers
    high: Answers
    count: int = 0

    def holds(self, rows: Answers) -> bool:
        return bool((np.abs(rows - self.first) <= _NEAR).all())

    def take(self, rows: Answers) -> None:
        self.low, self.high = np.minimum(self.low, rows), np.maximum(self.high, rows)  # NaN stays


class TimedAnswers:
    """Answers by the number of their input."""

    def __init__(self, probabilities: Callable[[NDArray[Any]], Answers]) -> None:
        """`probabilities`: from what the model gives for one input to rows of probabilities; raises `Unusable`."""
        self._probabilities = probabilities
        self._groups: dict[int, list[_Group]] = {}
        self._latest: dict[int, tuple[object, _Group]] = {}  # what was given last for an input, to the bit

    def add(self, input: int, answer: Any) -> None:
        """Count one answer; call it outside what is timed. Raises `Unusable` for one that is no probabilities."""
        given = np.asarray(answer)
        exact = (given.dtype, given.shape, given.tobytes())
        latest = self._latest.get(input)
        if latest is None or latest[0] != exact:
            latest = exact, self._group(input, self._probabilities(given))
            self._latest[input] = latest
        latest[1].count += 1

    def _group(self, input: int, rows: Answers) -> _Group:
        groups = self._groups.setdefault(input, [])
        found = next((group for group in groups if group.holds(rows)), None)
        if found is None and len(groups) == _MOST:
            found = groups[-1]
        if found is None:
            found = _Group(input, rows, rows, rows)
            groups.append(found)
        found.take(rows)
        return found

    def summary(self) -> tuple[dict[str, list[int]], Answers, Answers]:
        """The groups' inputs and counts; and their lowest and highest probabilities, all rows of a group in turn."""
        groups = [group for of_input in self._groups.values() for group in of_input]
        counted = {"inputs": [group.input for group in groups], "counts": [group.count for group in groups]}
        low, high = [np.concatenate([getattr(group, end) for group in groups]) for end in ("low", "high")]
        return counted, low, high
