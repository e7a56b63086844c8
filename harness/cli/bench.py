"""`harness bench`: measure models, write the page and the files, compare with an earlier run."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import click
from rich import box
from rich.table import Table
from rich.text import Text

from harness import bench as benchmarks
from harness import report, sandbox
from harness.bench.boards.stage import by_memory
from harness.bench.compare import FEWEST_ROUNDS
from harness.bench.results import BenchResults, Comparison, Measurement, is_results
from harness.bench.rules import EffortName, ScenarioName
from harness.boundary.screen import Screen, say, say_json, visible
from harness.cli.options import PATH, as_json_option
from harness.cli.sandbox_options import sandbox_option
from harness.cli.terminal import progress_on
from harness.report import export
from harness.stages.evidence.conversion import Precision
from harness.stages.timing import Engine, Mode


@click.command("bench")
@click.argument("models", nargs=-1, required=True, type=PATH, metavar="MODEL...")
@click.option("--reference", type=PATH, help="A model to set the others against.")
@click.option("--images", type=PATH, help="Images, or class folders of them, for accuracy [default: noise].")
@click.option(
    "--scenario",
    type=click.Choice(get_args(ScenarioName)),
    default="single-stream",
    show_default=True,
    help="MLPerf's, or `fixed-rate`: a camera with 30 images a second.",
)
@click.option(
    "--quick",
    is_flag=True,
    help="10 s for each model instead of 60 s, MLPerf v0.5's length (later rules: 600 s); labelled so.",
)
@click.option(
    "--engine",
    "engines",
    type=click.Choice(get_args(Engine)),
    multiple=True,
    default=("cpu",),
    show_default=True,
    help="ONNX Runtime's `cpu`, `cuda`, `tensorrt`; `openvino`; torch models as they are. May be repeated.",
)
@click.option(
    "--precision",
    "precisions",
    type=click.Choice(get_args(Precision)),
    multiple=True,
    default=("fp32",),
    show_default=True,
    help="May be repeated. int8 is calibrated on a part of the images.",
)
@click.option(
    "--mode",
    type=click.Choice(get_args(Mode)),
    default="model-only",
    show_default=True,
    help="`end-to-end` also decodes a JPEG and resizes it.",
)
@click.option(
    "--board",
    "names",
    multiple=True,
    help="Predict for this board, and time inside its cores and memory; several: predict only [default: all].",
)
@click.option("--cores", type=click.IntRange(1, 256), help="Processor cores to pin to [default: all].")
@click.option("--out", type=PATH, help="Folder for index.html, bench.json and bench.csv.")
@click.option(
    "--compare",
    "earlier",
    type=PATH,
    help="An earlier bench.json, or better the earlier model, which is timed in turn: exit status 1 when slower.",
)
@sandbox_option("Where models run. A GPU is only there with `none`: for models that you trust.")
@as_json_option
def bench(
    models: tuple[Path, ...],
    reference: Path | None,
    images: Path | None,
    scenario: ScenarioName,
    quick: bool,
    engines: tuple[Engine, ...],
    precisions: tuple[Precision, ...],
    mode: Mode,
    names: tuple[str, ...],
    cores: int | None,
    out: Path | None,
    earlier: Path | None,
    sandbox_name: sandbox.EngineName,
    as_json: bool,
) -> int:
    """Measure how fast models are: latency, throughput, memory, accuracy.

    MODEL is a model file of any kind that is graded, a folder with one, or the times that trtexec wrote (.json).
    """
    effort: EffortName = "quick" if quick else "full"
    before = benchmarks.load(earlier) if earlier and is_results(earlier) else None
    request = benchmarks.Request(
        models=models,
        reference=reference,
        images=images,
        scenario=benchmarks.SCENARIOS[scenario],
        effort=benchmarks.EFFORTS[effort],
        engines=tuple(dict.fromkeys(engines)),
        precisions=tuple(dict.fromkeys(precisions)),
        mode=mode,
        boards=by_memory(names) if names else (),
        cores=cores,
        earlier=before,
        earlier_model=earlier if before is None else None,
    )
    with progress_on(Screen(stderr=True)) as progress:
        results = benchmarks.measure(request, sandbox.choose(sandbox_name).sandbox, progress)
    if before:
        results = results.model_copy(update={"compared": benchmarks.compare(results, before)})
    elif results.earlier_model:
        compared = benchmarks.compare_in_turn(results, results.earlier_model)
        results = results.model_copy(update={"compared": compared})
    if out:
        out.mkdir(parents=True, exist_ok=True)
        export.write_bench(results, out)
        report.write_bench(results, out)
    if as_json:
        say_json(results.model_dump_json(by_alias=True))
    else:
        _print(results, Screen())
        for sentence in benchmarks.uncompared(results, before) if before else ():
            say(sentence)
        if out:
            say(f"Report: {(out / 'index.html').resolve()}")
    slower = any(one.verdict in ("slower", "too few rounds") for one in results.compared)
    return 1 if slower or results.unmeasured or not all(one.valid for one in results.measurements) else 0


def _print(results: BenchResults, console: Screen) -> None:
    quick = ", a quick run" if results.effort == "quick" else ""
    title = Text(f"{results.scenario}, {results.mode}{quick}; times in ms")
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    table.add_column("model", overflow="fold")
    for column in ("median", "95 %", "p90", "p99", "per s", "MB", "right"):
        table.add_column(column, justify="right", no_wrap=True)
    for one in results.measurements:
        table.add_row(f"{visible(one.model)}\n{one.engine}, {one.precision}", *_figures(one))
    console.print(table)
    for one in results.measurements:
        console.print(visible(f"{_title(one)}: {' '.join((*_rule(one), *one.notes))}"), soft_wrap=True)
    for lost in results.unmeasured:
        console.print(visible(f"{lost.model} not measured: {lost.reason}"), style="red", soft_wrap=True)
    for pair in results.compared:
        console.print(visible(f"{pair.model} ({pair.engine}, {pair.precision}): {_verdict(pair)}"), soft_wrap=True)


def _verdict(pair: Comparison) -> str:
    said = f"{pair.verdict}: {pair.old_ms:.4g} -> {pair.new_ms:.4g} ms"
    if pair.ratio_interval is None or pair.p_value is None:
        return f"{said}; it takes {FEWEST_ROUNDS} rounds of each to tell"
    low, high = pair.ratio_interval
    smallest = f"changes under {pair.smallest_change:.0%} count for nothing"
    return f"{said}, x{pair.ratio:.3f} [{low:.3f}, {high:.3f}], p = {pair.p_value:.2g}; {smallest}"


def _title(one: Measurement) -> str:
    return f"{one.model} ({one.engine}, {one.precision})"


def _figures(one: Measurement) -> tuple[str, ...]:
    low, high = one.p50_interval
    return (
        f"{one.p50_ms:.4g}",
        f"{low:.3g}–{high:.3g}",
        f"{one.p90_ms:.4g}",
        f"{one.p99_ms:.4g}",
        f"{one.throughput_per_s:.4g}",
        f"{one.peak_memory_bytes / 1e6:.0f}" if one.peak_memory_bytes else "–",
        f"{one.accuracy.value:.3f}" if one.accuracy else "–",
    )


def _rule(one: Measurement) -> tuple[str, ...]:
    """MLPerf's early-stopping estimate, and whether the interval or the limit ended the run."""
    said = []
    if one.early_stopping and one.early_stopping.estimate_ms is not None:
        said.append(f"p{one.early_stopping.percentile} by early stopping {one.early_stopping.estimate_ms:.4g} ms.")
    elif one.early_stopping:
        said.append(
            f"{one.queries} queries are too few for a p{one.early_stopping.percentile}; it needs "
            f"{one.early_stopping.needed}."
        )
    if one.ended_by == "limit":
        said.append("The limit was reached before the median's interval was under 3 %.")
    return tuple(said)
