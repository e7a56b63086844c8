"""Compares a run with an earlier one: faster, slower, or no difference, by a test. For continuous integration."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from harness.bench.estimates import p_value, smallest_p_value
from harness.bench.results import BenchResults, Comparison, Host, Key, Measurement, Verdict
from harness.bench.rules import ScenarioName
from harness.errors import UsageError
from harness.stages.latency_statistics import ratio_interval_apart
from harness.stages.timing import Mode

SIGNIFICANCE = 0.01
SMALLEST_CHANGE = 0.03  # of the median; a smaller difference is within the noise of a good machine


def compare(new: BenchResults, old: BenchResults) -> tuple[Comparison, ...]:
    """Each measurement that both runs have. Raises `UsageError` as `check_comparable` does."""
    check_comparable([one.key for one in new.measurements], new.scenario, new.mode, new.host, old)
    earlier = {measurement.key: measurement for measurement in old.measurements}
    return tuple(_compared(one, earlier[one.key]) for one in new.measurements if one.key in earlier)


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
    model, engine, precision, _ = key
    return f"{model} ({engine}, {precision})"


def _compared(new: Measurement, old: Measurement) -> Comparison:
    """Mann-Whitney on the blocks' medians, and the bootstrap interval of the medians' ratio.

    The verdict is slower or faster if the test is significant at 1 %, the 95 % interval of the ratio excludes 1, and
    the change is at least `SMALLEST_CHANGE`. Blocks are tested, because neighbouring queries are correlated and would
    make any difference significant. With too few blocks for any significant result, it is `too few queries`.
    """
    blocks = [np.array(measurement.block_medians_ms, dtype=np.float64) for measurement in (new, old)]
    low, high = ratio_interval_apart(*blocks)
    p, ratio = p_value(*blocks), new.p50_ms / old.p50_ms
    differs = p < SIGNIFICANCE and not low <= 1 <= high and abs(ratio - 1) >= SMALLEST_CHANGE
    verdict: Verdict = "no difference"
    if smallest_p_value(*blocks) >= SIGNIFICANCE:
        verdict = "too few queries"
    elif differs:
        verdict = "slower" if ratio > 1 else "faster"
    return Comparison(
        model=new.model,
        engine=new.engine,
        precision=new.precision,
        old_ms=old.p50_ms,
        new_ms=new.p50_ms,
        ratio=ratio,
        ratio_interval=(low, high),
        p_value=p,
        verdict=verdict,
    )
