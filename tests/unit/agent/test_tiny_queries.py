"""A query that takes as little as the clocks themselves has a processor time above 0."""

from __future__ import annotations

import itertools
from types import SimpleNamespace

import numpy as np

from harness.agent.timing.timed_model import TimedModel


def test_a_query_cheaper_than_its_clocks_takes_a_nanosecond() -> None:
    model = object.__new__(TimedModel)
    model._session = SimpleNamespace(run=lambda names, given: (np.zeros((1, 2)),))
    model._inputs, model._outputs, model._turns = [{}], ["out"], itertools.repeat(0)
    model._answers = SimpleNamespace(add=lambda at, answer: None)
    model._empty = 10**12
    walls, processors = model.block(5, refill=False)
    assert processors == [1e-6] * 5 and all(wall > 0 for wall in walls)
