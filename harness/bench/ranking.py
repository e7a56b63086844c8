"""Which measurements lead, as far as their intervals tell. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from harness.bench.compare import is_faster
from harness.bench.results import Accuracy, Measurement
from harness.stages.evidence.record import Interval


def leaders(intervals: Sequence[Interval], values: Sequence[float]) -> tuple[int, ...]:
    """Indices of the smallest value and of those whose interval overlaps its own, in ascending order of value.

    A single index says that one is smaller than all others. Intervals of 95 % that do not overlap are a stricter test
    than one at 5 %, so a tie says only that no difference is shown.
    """
    if not values:
        return ()
    order = sorted(range(len(values)), key=lambda index: values[index])
    high = intervals[order[0]][1]
    return tuple(index for index in order if index == order[0] or intervals[index][0] <= high)


def fastest(measured: Sequence[Measurement], *, by_throughput: bool) -> tuple[Measurement, ...]:
    """The fastest believed measurement of those with the smallest batch, and those not shown to be slower.

    One is shown to be slower if its interval does not overlap that of the fastest, and if the rounds of the two, which
    ran in turn, say so too: an interval over a handful of rounds is too narrow where the machine changes between them.
    """
    smallest = min((one.batch or 0 for one in measured), default=0)
    known = [one for one in measured if one.believed and (one.batch or 0) == smallest]
    if by_throughput:
        negative = [throughput_interval(one) for one in known]
        intervals, values = [(-high, -low) for low, high in negative], [-one.throughput_per_s for one in known]
    else:
        intervals, values = [one.p50_interval for one in known], [one.p50_ms for one in known]
    overlapping = set(leaders(intervals, values))
    order = sorted(range(len(known)), key=lambda index: values[index])
    return tuple(
        known[index] for index in order if index in overlapping or not is_faster(known[order[0]], known[index])
    )


def overlap(first: Sequence[Measurement], *, by_throughput: bool) -> bool:
    """Whether the interval of the first overlaps those of all others."""
    intervals = [throughput_interval(one) if by_throughput else one.p50_interval for one in first]
    low, high = intervals[0]
    return all(other_low <= high and low <= other_high for other_low, other_high in intervals)


def most_often_right(measured: Sequence[Measurement]) -> tuple[Measurement, ...]:
    """The measurement with the highest accuracy, and those whose interval overlaps its own.

    A model that is measured several times at one precision counts once.
    """
    unique: dict[tuple[str, str], tuple[Measurement, Accuracy]] = {}
    for one in measured:
        if one.accuracy:
            unique.setdefault((one.model, one.precision), (one, one.accuracy))
    known = list(unique.values())
    negative = [score.interval for _, score in known]
    found = leaders([(-high, -low) for low, high in negative], [-score.value for _, score in known])
    return tuple(known[index][0] for index in found)


def throughput_interval(one: Measurement) -> Interval:
    """The 95 % interval of samples a second; from the median's where an earlier version did not write it."""
    if one.throughput_interval:
        return one.throughput_interval
    low, high = one.p50_interval
    return one.throughput_per_s * one.p50_ms / high, one.throughput_per_s * one.p50_ms / low
