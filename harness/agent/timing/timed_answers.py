"""Summarises all answers that a model gives while it is timed, in memory that does not grow with the queries.

Equal answers to one input are counted; different ones form groups, each with the lowest and highest probability of
each class. So the harness can compare all of them with answers that this process never saw.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..models.loaded_model import Answers

_NEAR = 1e-4  # of a probability, within a group: a tenth of the smallest difference that counts as another answer
_MOST = 16  # groups for one input; the last takes all other answers


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
    """Answers by input number."""

    def __init__(self, probabilities: Callable[[NDArray[Any]], Answers]) -> None:
        """`probabilities`: from the model's output for one input to rows of probabilities; may raise `Unusable`."""
        self._probabilities = probabilities
        self._groups: dict[int, list[_Group]] = {}
        self._latest: dict[int, tuple[object, _Group]] = {}  # the last answer to each input, bit by bit

    def add(self, input: int, answer: Any) -> None:
        """Count one answer; call it outside the timed section. Raises `Unusable` when it is not probabilities."""
        given = np.asarray(answer)
        exact = (given.dtype, given.shape, given.tobytes())
        latest = self._latest.get(input)
        if latest is None or latest[0] != exact:
            latest = exact, self._group(input, self._probabilities(given))
            self._latest[input] = latest
        latest[1].count += 1

    def add_counted(self, counted: dict[str, list[int]], low: Answers, high: Answers) -> None:
        """Add what `summary` returned in another process; each input has one row of `low` and `high` in a group."""
        for input, count, lowest, highest in zip(counted["inputs"], counted["counts"], low, high, strict=True):
            group = self._group(input, lowest[None])
            group.take(highest[None])
            group.count += count

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
        """The groups' inputs and counts, and their lowest and highest probabilities, group after group."""
        groups = [group for of_input in self._groups.values() for group in of_input]
        counted = {"inputs": [group.input for group in groups], "counts": [group.count for group in groups]}
        low, high = [np.concatenate([getattr(group, end) for group in groups]) for end in ("low", "high")]
        return counted, low, high
