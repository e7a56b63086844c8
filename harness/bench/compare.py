"""Compares models with earlier ones: faster, slower, or no difference, by a test. For continuous integration.

The replicates are rounds, each a fresh process. Queries or blocks of one process are none: they share what differs from
start to start, and a test on them finds a model different from itself.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.bench.results import BenchResults, Comparison, Host, Key, Measurement, Verdict
from harness.bench.rules import ScenarioName
from harness.errors import UsageError
from harness.stages.evidence.record import Interval
from harness.stages.timing import Mode

Floats = NDArray[np.float64]

SIGNIFICANCE = 0.01
# Smaller changes of the median count for nothing: within a run they are the noise of a good machine; between two runs,
# of another day, they are also the machine's (clock, temperature, placement in memory), and other programs'.
SMALLEST_CHANGE = 0.03
SMALLEST_CHANGE_APART = 0.05
_MOST_TAKEN = 0.8  # of the cores, as far as it widens the smallest change: to five times
FEWEST_ROUNDS = 3  # of each, for an interval over rounds


@dataclass(frozen=True, slots=True)
class _Difference:
    """Of the logarithms of the medians, new - old."""

    mean: float
    interval: Interval  # 95 %
    sure_interval: Interval  # 1 - SIGNIFICANCE
    p: float


def compare(new: BenchResults, old: BenchResults) -> tuple[Comparison, ...]:
    """Each measurement that both runs have. Raises `UsageError` as `check_comparable` does."""
    check_comparable([one.key for one in new.measurements], new.scenario, new.mode, new.host, old)
    earlier = {measurement.key: measurement for measurement in old.measurements}
    pairs = [(one, earlier[one.key]) for one in new.measurements if one.key in earlier]
    cores = os.cpu_count() or 1
    return tuple(_compared(*pair, _apart(*pair), smallest_change_apart(*pair, cores)) for pair in pairs)


def smallest_change_apart(new: Measurement, old: Measurement, cores: int) -> float:
    """The smallest change that counts between two runs, relative.

    Where other programs, or a hypervisor, took a share of the cores, a model can have been slower by as much without
    having changed: of two runs, nobody knows which share they took from the model. `cores`: the machine's.
    """
    taken = min(max(_taken(new), _taken(old)) / max(cores, 1), _MOST_TAKEN)
    return (1 + SMALLEST_CHANGE_APART) / (1 - taken) - 1


def _taken(measurement: Measurement) -> float:
    """The cores that others took, on average over the rounds that count."""
    states = [one.machine for one in measurement.rounds if not one.void]
    return float(np.mean([(state.other_load or 0.0) + (state.stolen or 0.0) for state in states])) if states else 0.0


def compare_in_turn(results: BenchResults, earlier: str) -> tuple[Comparison, ...]:
    """Each measurement with that of the model named `earlier`, timed in the same run, on the same engine."""
    before = {one.key[1:]: one for one in results.measurements if one.model == earlier}
    pairs = [
        (one, before[one.key[1:]])
        for one in results.measurements
        if one.model != earlier and not one.is_reference and one.key[1:] in before
    ]
    return tuple(_compared(*pair, _in_turn(*pair), SMALLEST_CHANGE) for pair in pairs)


def is_faster(one: Measurement, than: Measurement) -> bool:
    """Whether `one` is surely faster than another measurement of the same run, by the rounds that ran in turn.

    The test is that of `compare_in_turn`; with too few rounds, as of what trtexec timed, nothing is sure.
    """
    found = _in_turn(one, than)
    return found is not None and found.sure_interval[1] < -math.log1p(SMALLEST_CHANGE)


def check_comparable(keys: Sequence[Key], scenario: ScenarioName, mode: Mode, host: Host, old: BenchResults) -> None:
    """Check that a run with these measurements, done or planned, can be compared with an earlier one.

    Raises `UsageError` when it does not (another scenario or machine), or when they have nothing in common.
    """
    for what, here, there in (
        ("scenario", scenario, old.scenario),
        ("mode", mode, old.mode),
        ("processor", host.processor, old.host.processor),
        ("number of cores", len(host.cores), len(old.host.cores)),
        ("power mode", host.power_mode, old.host.power_mode),
    ):
        if here != there:
            raise UsageError(
                f"the earlier run's {what} was {there or 'not known'}, now it is {here or 'not known'}: their times "
                "do not compare",
                "measure both on the same machine and with the same options",
            )
    if not {one.key for one in old.measurements} & set(keys):
        known = ", ".join(sorted({_title(one.key) for one in old.measurements})) or "none"
        raise UsageError(
            f"the earlier run has none of these models on the same engine and precision; it has {known}",
            "models are told apart by their file names: give them the same",
        )


def uncompared(new: BenchResults, old: BenchResults) -> list[str]:
    """A sentence for each measurement that only one of the two runs has."""
    ours, theirs = [[one.key for one in run.measurements] for run in (new, old)]
    return [
        *(f"{_title(key)}: not compared: the earlier run does not have it." for key in ours if key not in theirs),
        *(f"{_title(key)}: not compared: only the earlier run has it." for key in theirs if key not in ours),
    ]


def _title(key: Key) -> str:
    model, engine, precision, _, batch = key
    return f"{model} ({engine}, {precision}{f', batch {batch}' if batch else ''})"


def _compared(new: Measurement, old: Measurement, found: _Difference | None, smallest: float) -> Comparison:
    """The verdict is slower or faster if the 99 % interval of the ratio lies wholly beyond the smallest change.

    A 99 % interval beyond it is a test at 1 % of the hypothesis that the change is no larger. With too few rounds for
    an interval, the verdict is `too few rounds`.
    """
    ratio = math.exp(found.mean) if found else new.p50_ms / old.p50_ms
    verdict: Verdict = "no difference"
    if found is None:
        verdict = "too few rounds"
    elif found.sure_interval[0] > math.log1p(smallest):
        verdict = "slower"
    elif found.sure_interval[1] < -math.log1p(smallest):
        verdict = "faster"
    return Comparison(
        model=new.model,
        engine=new.engine,
        precision=new.precision,
        batch=new.batch,
        old_ms=old.p50_ms,
        new_ms=new.p50_ms,
        ratio=ratio,
        ratio_interval=(math.exp(found.interval[0]), math.exp(found.interval[1])) if found else None,
        p_value=found.p if found else None,
        smallest_change=smallest,
        verdict=verdict,
    )


def _apart(new: Measurement, old: Measurement) -> _Difference | None:
    """Of two runs: Welch's t on the logarithms of their rounds' medians; None for too few rounds."""
    from scipy.stats import ttest_ind

    one, other = (np.log(_round_medians(measurement)) for measurement in (new, old))
    if min(len(one), len(other)) < FEWEST_ROUNDS:
        return None
    return _difference(ttest_ind(one, other, equal_var=False), float(one.mean() - other.mean()))


def _in_turn(new: Measurement, old: Measurement) -> _Difference | None:
    """Of one run: Student's t on the pairs of rounds that were timed one after the other; None for too few."""
    from scipy.stats import ttest_1samp

    pairs = [
        math.log(one.median_ms / other.median_ms)
        for one, other in zip(new.rounds, old.rounds, strict=False)
        if not one.void and not other.void
    ]
    if len(pairs) < FEWEST_ROUNDS:
        return None
    return _difference(ttest_1samp(pairs, 0.0), float(np.mean(pairs)))


def _round_medians(measurement: Measurement) -> Floats:
    """The median of each round that counts, ms; what trtexec timed is one round."""
    medians = [one.median_ms for one in measurement.rounds if not one.void]
    return np.array(medians or [float(np.median(row)) for row in measurement.block_medians_ms])


def _difference(tested: Any, mean: float) -> _Difference:
    narrow, sure = (tested.confidence_interval(level) for level in (0.95, 1 - SIGNIFICANCE))
    return _Difference(mean, (narrow.low, narrow.high), (sure.low, sure.high), float(tested.pvalue))
