"""How many pairs a timing takes, which clock counts, and what is void."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hostile import LABELS, NAMES, Sends, conversion, npy, predictions, staged

from harness.inputs.assignment.limits import ResourceLimits
from harness.inputs.assignment.sections import BenchmarkRules
from harness.sandbox.engine import Job, Outcome
from harness.stages.benchmark import benchmark
from harness.stages.context import StageContext
from harness.stages.evidence.stage_result import Done
from harness.stages.paired_ratio import FIRST_PAIRS, MOST_PAIRS
from harness.stages.store import Store

ROWS = np.full((len(NAMES), len(LABELS)), 1 / len(LABELS), np.float32)
QUERIES = 12  # of each process
STEADY = [1.0, 1.001, 0.999, 1.0, 1.001, 0.999]
UNEVEN = [0.9, 1.1, 0.95, 1.05, 1.0, 1.0]  # more pairs make it exact enough
WILD = [0.3, 3.0, 0.5, 2.0, 1.0, 1.0]  # none do
ANCHORS = ((1.5, 10.0),)


def timing(ratios: Sequence[float], scale: float = 4.0, waiting: float = 0.0, peak: int = 10**8) -> dict[str, bytes]:
    """What the agent sends: the reference takes 10 ms, the model `scale` times as long, times each pair's ratio.

    `waiting`: wall time over processor time, relative.
    """
    queries = [QUERIES] * len(ratios)
    said = {
        "processes": {"model": queries, "reference": queries},
        "answers": {role: {"inputs": [0], "counts": [sum(queries)]} for role in ("model", "reference")},
        "stateful": {"model": [], "reference": []},
        "peak_memory_bytes": {"model": peak, "reference": 10**8},
        "warm_up_seconds": 1.0,
        "images": 2,
        "engine": "onnxruntime 1.30.0 CPU",
    }
    model = np.repeat(10 * scale * np.array(ratios), QUERIES)
    reference = np.full(sum(queries), 10.0)
    times = {"processor-model": model, "processor-reference": reference}
    times |= {"latencies-model": model * (1 + waiting), "latencies-reference": reference * (1 + 2 * waiting)}
    return {
        "benchmark.json": json.dumps(said).encode(),
        "answers-low-model.npy": npy(ROWS[:1]),
        "answers-high-model.npy": npy(ROWS[:1]),
        **{f"{name}.npy": npy(one.astype(np.float32)) for name, one in times.items()},
    }


@dataclass
class InTurn(Sends):
    """Answers each job with the next of several, and keeps how many pairs were asked for."""

    turns: Sequence[Mapping[str, bytes] | Callable[[int], Mapping[str, bytes]]] = ()  # the latter by number of pairs
    statuses: Sequence[str] = ()
    cpu_seconds: float | None = None
    asked: list[int] = field(default_factory=list)

    def run(self, job: Job, outputs: Path) -> Outcome:
        done = len(self.asked)
        self.asked.append(json.loads(job.request)["pairs"])
        turn = self.turns[done]
        self.files = turn(self.asked[-1]) if callable(turn) else turn
        status: Any = self.statuses[done] if self.statuses else "ok"
        return replace(super().run(job, outputs), cpu_seconds=self.cpu_seconds, status=status)


def timed(folder: Path, engine: InTurn, anchors: Any = ANCHORS) -> Any:
    place = StageContext(engine, Store(folder / "store"), ResourceLimits())
    model, rules = conversion(place.store, folder), BenchmarkRules(min_seconds=0)
    before = predictions(place.store, folder, ROWS)
    return benchmark(model, model, before, staged(folder), rules, place, anchors)


def codes(result: Any) -> list[str]:
    return [found.code for found in result.findings]


def test_even_pairs_are_timed_once(tmp_path: Path) -> None:
    engine = InTurn({}, turns=[timing(STEADY)])
    result = timed(tmp_path, engine)
    assert isinstance(result, Done) and codes(result) == []
    assert engine.asked == [FIRST_PAIRS]
    assert result.value.ratio == pytest.approx(4, rel=1e-3)
    assert result.value.pair_ratios == pytest.approx([4 * one for one in STEADY])


def test_uneven_pairs_get_as_many_more_as_the_points_need(tmp_path: Path) -> None:
    """At four times the reference an interval matters; below the ratio for all points none does."""
    engine = InTurn({}, turns=[timing(UNEVEN), lambda pairs: timing([1.0] * pairs, peak=2 * 10**8)])
    result = timed(tmp_path, engine)
    first, second = engine.asked
    assert first == FIRST_PAIRS < first + second <= MOST_PAIRS
    assert result.value.first_pairs == FIRST_PAIRS
    assert result.value.model.queries == QUERIES * sum(engine.asked) == result.value.answers.checked
    assert result.value.model.peak_memory_bytes == 2 * 10**8
    assert result.value.warm_up_seconds == 2.0
    fast = InTurn({}, turns=[timing(UNEVEN, scale=0.5)])
    assert isinstance(timed(tmp_path, fast), Done) and fast.asked == [FIRST_PAIRS]
    unmarked = InTurn({}, turns=[timing(UNEVEN)])
    assert isinstance(timed(tmp_path, unmarked, ()), Done) and unmarked.asked == [FIRST_PAIRS]


def test_pairs_that_no_number_makes_exact_enough_are_void_and_timed_once_more(tmp_path: Path) -> None:
    engine = InTurn({}, turns=[timing(WILD), timing(STEADY, scale=3)])
    result = timed(tmp_path, engine)
    assert engine.asked == [FIRST_PAIRS] * 2
    assert result.value.ratio == pytest.approx(3, rel=1e-3) and len(result.value.pair_ratios) == FIRST_PAIRS


def test_wild_again_it_has_a_wide_interval(tmp_path: Path) -> None:
    engine = InTurn({}, turns=[timing(WILD)] * 3)
    low, high = timed(tmp_path, engine).value.ratio_interval
    assert engine.asked == [FIRST_PAIRS] * 2 and high / low > 3


@pytest.mark.parametrize("first", [WILD, UNEVEN])
def test_a_second_timing_that_fails_takes_nothing_away(first: list[float], tmp_path: Path) -> None:
    engine = InTurn({}, turns=[timing(first), {}], statuses=["ok", "timeout"])
    result = timed(tmp_path, engine)
    assert isinstance(result, Done) and len(engine.asked) == 2
    assert result.value.pair_ratios == pytest.approx([4 * one for one in first])


def test_where_queries_waited_for_a_core_their_processor_time_counts(tmp_path: Path) -> None:
    """The reference's longer queries waited twice as long, so the ratio of wall times is too small."""
    result = timed(tmp_path, InTurn({}, turns=[timing(STEADY, waiting=0.5)]))
    assert result.value.clock == "processor" and result.value.waited == pytest.approx(0.5)
    assert result.value.ratio == pytest.approx(4, rel=1e-3)
    assert result.value.model.p50_ms == pytest.approx(40, rel=1e-2)
    low, high = result.value.ratio_interval
    quiet = timed(tmp_path, InTurn({}, turns=[timing(STEADY)])).value.ratio_interval
    assert low < quiet[0] < quiet[1] < high
