"""When a variant has been timed for long enough."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from harness.bench.rules import EFFORTS
from harness.bench.summary import Variant


def variant(rounds: int, seconds: float) -> Variant:
    """With rounds of that many seconds, all of the same latency."""
    unused: Any = None
    made = Variant("m", "", False, "cpu", "fp32", unused, 0, None, None)
    for _ in range(rounds):
        timed: Any = SimpleNamespace(latencies_ms=(1.0,) * 100, started=0.0, ended=seconds)
        seen: Any = SimpleNamespace(void="")
        made.add(timed, seen)
    return made


@pytest.mark.parametrize(
    ("rounds", "seconds", "enough"), [(5, 12.1, True), (4, 20.0, False), (5, 7.0, False), (9, 7.0, True)]
)
def test_a_full_run_lasts_its_60_seconds_however_fast_the_model(rounds: int, seconds: float, enough: bool) -> None:
    """A fast model's rounds end early, at their most queries: then it takes more of them."""
    assert variant(rounds, seconds).steady(EFFORTS["full"]) is enough
