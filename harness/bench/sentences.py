"""What the page, the terminal and the Markdown table say in the same words. Pure; names are not yet made harmless."""

from __future__ import annotations

from collections.abc import Sequence

from harness.bench.ranking import fastest, most_often_right, overlap, throughput_interval
from harness.bench.results import BenchResults, Measurement
from harness.bench.rules import QUICK_LEAVES_OUT, SCENARIOS
from harness.stages.evidence.layers import LayerTimes

_NAMED = 4  # models of a tie


def title(one: Measurement, every: Sequence[Measurement]) -> str:
    """The shortest title that tells a measurement from `every` other: its model, and what differs."""
    parts = [one.model]
    for name in ("engine", "precision"):
        if len({getattr(other, name) for other in every}) > 1:
            parts.append(getattr(one, name))
    if one.batch and len({other.batch for other in every}) > 1:
        parts.append(f"batch {one.batch}")
    return ", ".join(parts)


def verdicts(results: BenchResults) -> tuple[str, ...]:
    """Which model is fastest and which most often right, or that this run does not tell."""
    every = results.measurements
    by_throughput = SCENARIOS[results.scenario].percentile is None
    said = []
    if first := fastest(every, by_throughput=by_throughput):
        said.append(_on_speed(first, every, by_throughput))
    if len(best := most_often_right(every)) and len({one.model for one in every if one.accuracy}) > 1:
        said.append(_on_accuracy(best, every))
    if results.effort == "quick":
        said.append(QUICK_LEAVES_OUT)
    return tuple(said)


def layers_sum(one: Measurement, times: LayerTimes) -> str:
    """How the layers' times add up, against the whole query with and without the profile."""
    return (
        f"The times of {_count(times.count, 'layer')} add up to {times.sum_ms:.3g} ms, "
        f"{times.share_of_query:.0%} of a query's {times.query_ms:.3g} ms while the engine kept its profile "
        f"(mean of {_count(times.queries, 'query', 'queries')}, one image each); the rest is the engine's own. Without "
        f"the profile the median was {one.p50_ms:.3g} ms."
    )


def _on_speed(first: Sequence[Measurement], every: Sequence[Measurement], by_throughput: bool) -> str:
    names, figures = [title(one, every) for one in first], [_speed(one, by_throughput) for one in first]
    if len([one for one in every if one.believed and one.batch == first[0].batch]) == 1:
        return f"{names[0]}: {figures[0]}."
    if len(first) == 1:
        return f"{names[0]} is the fastest: {figures[0]}; no other interval overlaps its own, and the rounds agree."
    which = "either of the two" if len(first) == 2 else f"any of the {len(first)}"
    tied = _all([f"{name} ({figure})" for name, figure in zip(names, figures, strict=True)])
    others = len([one for one in every if one.believed and one.batch == first[0].batch]) - len(first)
    ahead = f", but {_count(others, 'other is', 'others are')} slower than {names[0]}" if others else ""
    why = "their intervals overlap" if overlap(first, by_throughput=by_throughput) else "their rounds do not tell"
    return f"No difference is shown between {tied}: {why}, {which} may be the fastest{ahead}."


def _speed(one: Measurement, by_throughput: bool) -> str:
    if by_throughput:
        low, high = throughput_interval(one)
        return f"{one.throughput_per_s:.3g} images a second, 95 % interval {low:.3g} to {high:.3g}"
    low, high = one.p50_interval
    return f"median {one.p50_ms:.3g} ms, 95 % interval {low:.3g} to {high:.3g}"


def _on_accuracy(best: Sequence[Measurement], every: Sequence[Measurement]) -> str:
    names = [f"{title(one, every)} ({one.accuracy.value:.1%})" for one in best if one.accuracy]
    if len(names) == 1:
        return f"{names[0]} is most often right."
    return f"No difference in accuracy is shown between {_all(names)}: their intervals overlap."


def _all(names: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`; of many the first ones and a count."""
    shown = [*names] if len(names) <= _NAMED + 1 else [*names[:_NAMED], f"{len(names) - _NAMED} others"]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def _count(number: int, one: str, several: str = "") -> str:
    return f"{number} {one if number == 1 else several or one + 's'}"
