"""Against an earlier run: faster, slower, or no difference, with a test. For continuous integration."""

from __future__ import annotations

from typing import Literal

import numpy as np

from harness.bench.estimates import p_value, ratio_interval
from harness.bench.results import BenchResults, Measurement
from harness.errors import UsageError
from harness.evidence.record import Interval, Record

Verdict = Literal["faster", "slower", "no difference"]

SIGNIFICANCE = 0.01
SMALLEST_CHANGE = 0.03  # of the median, below which a difference counts for nothing: the noise of a good machine


class Comparison(Record):
    """One measurement against the same one of an earlier run."""

    model: str
    engine: str
    precision: str
    old_ms: float
    new_ms: float
    ratio: float  # new / old
    ratio_interval: Interval
    p_value: float
    verdict: Verdict


def compare(new: BenchResults, old: BenchResults) -> tuple[Comparison, ...]:
    """Each measurement that both runs have.

    Raises `UsageError` when the runs do not compare (another scenario or machine), or have nothing in common.
    """
    for what, here, there in (
        ("scenario", new.scenario, old.scenario),
        ("mode", new.mode, old.mode),
        ("processor", new.host.processor, old.host.processor),
        ("number of cores", len(new.host.cores), len(old.host.cores)),
    ):
        if here != there:
            raise UsageError(
                f"the earlier run's {what} was {there}, now it is {here}: their times do not compare",
                "measure both on the same machine and with the same options",
            )
    earlier = {measurement.key: measurement for measurement in old.measurements}
    both = [(measurement, earlier[measurement.key]) for measurement in new.measurements if measurement.key in earlier]
    if not both:
        known = ", ".join(sorted({measurement.model for measurement in old.measurements})) or "none"
        raise UsageError(
            f"the earlier run has none of these models on the same engine and precision; it has {known}",
            "models are told apart by their file names: give them the same",
        )
    return tuple(_compared(measurement, before) for measurement, before in both)


def _compared(new: Measurement, old: Measurement) -> Comparison:
    """Mann-Whitney on the blocks' medians, and the bootstrap interval of the medians' ratio.

    Slower, or faster: the test says so at 1 %, the 95 % interval of the ratio leaves 1 out, and the change is
    one that matters. Blocks, not queries: neighbouring queries are alike, and would make any difference
    significant.
    """
    blocks = [np.array(measurement.block_medians_ms, dtype=np.float64) for measurement in (new, old)]
    low, high = ratio_interval(*blocks)
    p, ratio = p_value(*blocks), new.p50_ms / old.p50_ms
    differs = p < SIGNIFICANCE and not low <= 1 <= high and abs(ratio - 1) >= SMALLEST_CHANGE
    verdict: Verdict = "no difference" if not differs else "slower" if ratio > 1 else "faster"
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
