"""Writes the page of a benchmark, with the values of `templates/bench.html.j2`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.bench.matrix import matrix
from harness.bench.ranking import throughput_interval
from harness.bench.results import BenchResults, Measurement
from harness.bench.rules import CONFIDENCE, EFFORTS, SCENARIOS, WIDEST_INTERVAL
from harness.bench.sentences import layers_sum, title, verdicts
from harness.report import charts
from harness.report.rendering import Renderer
from harness.report.roofline import front, rooflines
from harness.report.written import write_page


@dataclass(frozen=True, slots=True)
class Shown:
    """One measurement on the page."""

    one: Measurement
    anchor: str
    title: str  # the shortest that is unique
    histogram: charts.Histogram | None

    @property
    def drawn(self) -> int:
        """How many of the measurement's queries bench.json keeps and the histogram shows."""
        return len(self.one.latencies_ms)


def write_bench(results: BenchResults, out: Path) -> None:
    """Write `out/index.html`. Raises `OSError` when `out` cannot be written."""
    write_page(out / "index.html", Renderer().render("bench.html.j2", **view(results)))


def view(results: BenchResults) -> dict[str, Any]:
    """The values of the page's template."""
    shown = [_shown(one, index, results) for index, one in enumerate(results.measurements)]
    reference = next((item for item in shown if item.one.is_reference), None)
    scored = [item for item in shown if item.one.accuracy]
    others = [item for item in scored if item is not reference and item.one.believed]
    tradeoff = _tradeoff(others, reference)
    every = [*tradeoff.points, *([tradeoff.reference] if tradeoff.reference else [])] if tradeoff else []
    return {
        "results": results,
        "effort": EFFORTS[results.effort],
        "scenario": SCENARIOS[results.scenario],
        "confidence": CONFIDENCE,
        "widest": WIDEST_INTERVAL,
        "shown": shown,
        "reference": reference,
        "verdicts": verdicts(results),
        "matrix": matrix(results),
        "layers": [(item, layers_sum(item.one, item.one.layers)) for item in shown if item.one.layers],
        "throughput_interval": throughput_interval,
        "compared": results.compared,
        "medians": _medians(shown),
        "tradeoff": tradeoff,
        "tradeoff_items": others,
        "with_accuracy": any(item is not reference for item in scored),
        "not_believed": sum(not item.one.believed for item in scored),
        "front": front(every),
        "energy": any(item.one.energy for item in shown),
        "boards": [fit.board for fit in shown[0].one.fits] if shown else [],
        "outlooks": [(board_predictions, rooflines(board_predictions)) for board_predictions in results.outlooks],
    }


def _shown(one: Measurement, index: int, results: BenchResults) -> Shown:
    return Shown(one, f"m{index + 1}", title(one, results.measurements), _histogram(one))


def _histogram(one: Measurement) -> charts.Histogram | None:
    if len(one.latencies_ms) < 2:
        return None
    stopped = one.early_stopping.estimate_ms if one.early_stopping else None
    markers = [one.p50_ms, *([stopped] if stopped is not None else [])]
    return charts.latency_histogram(one.latencies_ms, one.p99_ms, markers)


def _medians(shown: Sequence[Shown]) -> charts.IntervalPlot | None:
    if not shown:
        return None
    spans = [(item.one.p50_interval[0], item.one.p50_ms, item.one.p50_interval[1]) for item in shown]
    return charts.intervals(spans, 0.0, max(span[2] for span in spans) * 1.05)


def _tradeoff(scored: Sequence[Shown], reference: Shown | None) -> charts.Scatter | None:
    drawn = reference is not None and reference.one.accuracy is not None and reference.one.believed
    against = _measured(reference) if reference and drawn else None
    return charts.scatter([_measured(item) for item in scored], against)


def _measured(item: Shown) -> charts.Measured:
    accuracy = item.one.accuracy
    assert accuracy is not None
    return item.one.p50_ms, accuracy.value, *accuracy.interval
