"""What `harness bench` prints: the verdict and the matrix first, then the figures of each measurement."""

from __future__ import annotations

from rich import box
from rich.table import Table
from rich.text import Text

from harness.bench.compare import FEWEST_ROUNDS
from harness.bench.matrix import Cell, Matrix, matrix
from harness.bench.ranking import throughput_interval
from harness.bench.results import BenchResults, Comparison, Measurement
from harness.bench.sentences import layers_sum, verdicts
from harness.boundary.screen import Screen, visible

_COLUMNS = 3  # models beside each other
_LAYERS = 5


def print_results(results: BenchResults, console: Screen) -> None:
    """Print everything that a person reads in a terminal."""
    for sentence in verdicts(results):
        console.print(visible(sentence), soft_wrap=True)
    every = matrix(results)
    for start in range(0, len(every.models), _COLUMNS):
        console.print(_matrix(every.part(start, start + _COLUMNS), start))
    console.print(_details(results))
    for one in results.measurements:
        said = (*_rule(one), *one.notes)
        console.print(visible(f"{_title(one)}: {' '.join(said)}"), soft_wrap=True)
        _print_layers(one, console)
    for lost in results.unmeasured:
        console.print(visible(f"{lost.model} not measured: {lost.reason}"), style="red", soft_wrap=True)
    for pair in results.compared:
        batch = f", batch {pair.batch}" if pair.batch else ""
        said_of = f"{pair.model} ({pair.engine}, {pair.precision}{batch}): {_verdict(pair)}"
        console.print(visible(said_of), soft_wrap=True)


def _table(title: str) -> Table:
    return Table(title=Text(title), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1))


def _matrix(part: Matrix, start: int) -> Table:
    table = _table("ms for a query: interval, then the value; 95 % where measured, 90 % where predicted (~)")
    table.add_column("machine", overflow="fold", min_width=16)
    for model in part.models:
        table.add_column(visible(model), justify="right", overflow="fold")
    for row in part.rows:
        cells = [_cell(cell, row.measured, row.fastest == start + at) for at, cell in enumerate(row.cells)]
        table.add_row(f"{visible(row.machine)}\n{row.how}", *cells)
    return table


def _cell(cell: Cell | None, measured: bool, fastest: bool) -> Text:
    if cell is None:
        return Text("–")
    low, high = cell.interval
    said = f"{'' if measured else '~'}{low:.3g}–{high:.3g}  {cell.ms:.3g}"
    said += "\nfastest" if fastest else ""
    return Text(f"{said}\ndoes not fit" if cell.fits is False else said, style="bold" if fastest else "")


def _details(results: BenchResults) -> Table:
    quick = ", a quick run" if results.effort == "quick" else ""
    table = _table(f"{results.scenario}, {results.mode}{quick}; times in ms")
    table.add_column("model", overflow="fold")
    for column in ("median", "p90", "p99", "per s", "95 %", "MB", "right"):
        table.add_column(column, justify="right", no_wrap=True)
    for one in results.measurements:
        batch = f", batch {one.batch}" if one.batch else ""
        table.add_row(f"{visible(one.model)}\n{one.engine}, {one.precision}{batch}", *_figures(one))
    return table


def _figures(one: Measurement) -> tuple[str, ...]:
    low, high = throughput_interval(one)
    return (
        f"{one.p50_ms:.4g}",
        f"{one.p90_ms:.4g}",
        f"{one.p99_ms:.4g}",
        f"{one.throughput_per_s:.4g}",
        f"{low:.3g}–{high:.3g}",
        f"{one.peak_memory_bytes / 1e6:.0f}" if one.peak_memory_bytes else "–",
        f"{one.accuracy.value:.3f}" if one.accuracy else "–",
    )


def _print_layers(one: Measurement, console: Screen) -> None:
    if one.layers is None:
        return
    console.print(visible(f"  {layers_sum(one, one.layers)}"), soft_wrap=True)
    for layer in one.layers.layers[:_LAYERS]:
        share = one.layers.share(layer.ms)
        console.print(visible(f"  {share:6.1%}  {layer.ms:.3g} ms  {layer.operator}  {layer.name}"), soft_wrap=True)


def _verdict(pair: Comparison) -> str:
    said = f"{pair.verdict}: {pair.old_ms:.4g} -> {pair.new_ms:.4g} ms"
    if pair.ratio_interval is None or pair.p_value is None:
        return f"{said}; it takes {FEWEST_ROUNDS} rounds of each to tell"
    low, high = pair.ratio_interval
    smallest = f"changes under {pair.smallest_change:.0%} count for nothing"
    return f"{said}, x{pair.ratio:.3f} [{low:.3f}, {high:.3f}], p = {pair.p_value:.2g}; {smallest}"


def _title(one: Measurement) -> str:
    batch = f", batch {one.batch}" if one.batch else ""
    return f"{one.model} ({one.engine}, {one.precision}{batch})"


def _rule(one: Measurement) -> tuple[str, ...]:
    """MLPerf's early-stopping estimate, and whether the interval or the limit ended the run."""
    said = []
    if one.early_stopping and one.early_stopping.estimate_ms is not None:
        said.append(f"p{one.early_stopping.percentile} by early stopping {one.early_stopping.estimate_ms:.4g} ms.")
    elif one.early_stopping:
        queries = "1 query is" if one.queries == 1 else f"{one.queries} queries are"
        said.append(f"{queries} too few for a p{one.early_stopping.percentile}; it needs {one.early_stopping.needed}.")
    if one.ended_by == "limit":
        said.append("The limit was reached before the median's interval was under 3 %.")
    return tuple(said)
