"""`harness boards`, `harness predict`, `harness calibrate`: latency on boards that are not here."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from pathlib import Path
from typing import get_args

import click
from rich.console import Console
from rich.table import Table
from threadpoolctl import threadpool_limits

from harness import boards as known_boards
from harness import sandbox
from harness.assignment.sections import ResourceLimits
from harness.bench.subjects import named_models
from harness.boards import Board, advice, evaluation, fitted, memory, prediction, published, roofline
from harness.boards.calibration import Calibration
from harness.boards.prediction import Prediction
from harness.boards.runtimes import Runtime, RuntimeName
from harness.commands.options import PATH, as_json_option
from harness.errors import UsageError
from harness.evidence.kernels import KernelList
from harness.evidence.stage_result import Done, StageResult
from harness.outlook import kernels_of
from harness.progress import Progress
from harness.stages.convert import convert
from harness.stages.kernels import kernels as list_kernels
from harness.stages.workplace import Workplace
from harness.store import Store
from harness.terminal import progress_on

_OUT = Console()
_NARROWEST = 140  # columns of a table's text where it goes into a pipe or a small window
_ERR = Console(stderr=True)
_MOST_UNUSED_SHOWN = 20


@click.group("boards", invoke_without_command=True)
@click.pass_context
@as_json_option
def boards(context: click.Context, as_json: bool) -> int:
    """List the Jetson-class boards; with a command, what is known of their speed."""
    if context.invoked_subcommand is not None:
        return 0
    every = [known_boards.load(name) for name in known_boards.names()]
    if as_json:
        click.echo(json.dumps([board.model_dump(mode="json") for board in every]))
    for board in every if not as_json else []:
        click.echo(f"{board.name}: {board.title}")
    return 0


@boards.command("sources")
@as_json_option
def sources(as_json: bool) -> int:
    """List where the published rows come from, how many of each are used, and why the others are not."""
    used, unused = published.read(published.PUBLISHED)
    counts = Counter(row.source for row in used)
    reasons = Counter(row.reason.split(":")[0] for row in unused)
    if as_json:
        rows = [row.model_dump() for row in evaluation.unused(unused)]
        click.echo(json.dumps({"sources": counts, "unused": rows}))
        return 0
    for source, count in sorted(counts.items()):
        click.echo(f"{count:4}  {source}")
    click.echo(f"\n{len(used)} rows used, {len(unused)} not:")
    for reason, count in reasons.most_common():
        click.echo(f"{count:4}  {reason}")
    return 0


@boards.command("evaluate")
@click.argument("file", type=PATH)
@click.option("--markdown", type=PATH, help="Write the table into this file instead (docs/boards.md).")
@click.option("--no-worse-than", "before", type=PATH, help="Fail when a figure is worse than in this file.")
@as_json_option
def evaluate(file: Path, markdown: Path | None, before: Path | None, as_json: bool) -> int:
    """Predict the published rows of FILE.csv without their families, then without their sources; compare.

    FILE has the columns of harness/boards/published.csv. Rows that cannot be used are listed, each with its reason.
    """
    with progress_on(_ERR) as progress, threadpool_limits(1):
        found = evaluation.evaluate(file, progress.say)
    if markdown is not None:
        markdown.write_text(evaluation.as_markdown(found), encoding="utf-8")
    if as_json:
        click.echo(found.model_dump_json())
    elif markdown is None:
        _print_evaluation(found)
    worse = evaluation.worse(found, before.read_text(encoding="utf-8")) if before else []
    for line in worse:
        click.echo(f"worse than before: {line}", err=True)
    return 1 if worse else 0


@boards.command("fit")
def fit() -> int:
    """Fit the latency model on the published rows again, after they or the boards have changed; takes minutes."""
    with progress_on(_ERR) as progress, threadpool_limits(1):
        progress.say("Leaving out each family, source, board, precision and runtime in turn ...")
        made = fitted.fit(fitted.rows())
    fitted.FITTED.write_text(made.model_dump_json(indent=1) + "\n", encoding="utf-8")
    click.echo(fitted.FITTED)
    return 0


@click.command("predict")
@click.argument("model", type=PATH)
@click.option("--board", "names", multiple=True, help="A board's name, or a TOML of your own [default: every board].")
@click.option(
    "--runtime", "runtimes", multiple=True, default=["tensorrt"], show_default=True, help="Any of those below."
)
@click.option(
    "--precision",
    "precisions",
    multiple=True,
    type=click.Choice(["fp32", "fp16", "int8"]),
    default=["fp16"],
    show_default=True,
    help="Of the numbers; may be given several times.",
)
@click.option("--size", type=click.IntRange(8, 4096), default=224, show_default=True, help="Pixels, for a free input.")
@click.option("--calibration", type=PATH, help="What `harness calibrate` wrote.")
@click.option(
    "--sandbox",
    "engine",
    type=click.Choice(["auto", "docker", "bubblewrap", "none"]),
    default="auto",
    show_default=True,
    help="Where the model is read.",
)
@as_json_option
def predict(
    model: Path,
    names: tuple[str, ...],
    runtimes: tuple[str, ...],
    precisions: tuple[known_boards.Precision, ...],
    size: int,
    calibration: Path | None,
    engine: sandbox.EngineName,
    as_json: bool,
) -> int:
    """Predict how long MODEL takes on boards, each with its 90 % interval.

    MODEL is an ONNX file, or any other model file that is graded: it becomes ONNX first, with the input that it states.

    Runtimes: tensorrt, pytorch, onnxruntime-cpu, ncnn-cpu (ncnn-cpu:4 for four cores), ncnn-vulkan and others.
    """
    asked = [known_boards.load(name) for name in names or known_boards.names()]
    wanted = [_runtime(name) for name in runtimes]
    calibrated = prediction.calibrated(calibration) if calibration else None
    with progress_on(_ERR) as progress:
        graph = _kernels(model, size, engine, progress)
    with threadpool_limits(1):
        predictions = prediction.predict(graph, asked, wanted, precisions, calibrated)
        report = _report(graph, predictions, asked)
    if as_json:
        click.echo(json.dumps(report))
    else:
        _print_predictions(graph, predictions, asked)
    return 0


@click.command("calibrate")
@click.option("--measured", type=PATH, required=True, help="CSV of your own runs, columns as in published.csv.")
@click.option("--out", type=PATH, default=Path("calibration.json"), show_default=True, help="For predict.")
def calibrate(measured: Path, out: Path) -> int:
    """Refit with your own measurements from a board; three models already narrow the intervals there."""
    with threadpool_limits(1):
        made, unused = Calibration.fit(measured)
    made.write(measured, out)
    for row in unused:
        click.echo(f"{measured}:{row.line}: not used: {row.reason}", err=True)
    for measurement, times in made.doubtful():
        click.echo(
            f"{measured}:{measurement.line}: {measurement.model} took {times:.2g} times as long as your other rows of "
            f"{measurement.board.name} with {measurement.runtime} would have it; it is used: check it, or leave it out",
            err=True,
        )
    used = "1 measurement" if len(made.rows) == 1 else f"{len(made.rows)} measurements"
    click.echo(f"{used} used. harness predict MODEL --calibration {out}")
    return 0


def _runtime(name: str) -> Runtime:
    found = prediction.runtime_named(name)
    if found is None:
        raise UsageError(f"unknown runtime {name!r}", f"one of: {', '.join(get_args(RuntimeName))}")
    return found


def _kernels(model: Path, size: int, engine: sandbox.EngineName, progress: Progress) -> KernelList:
    """The model's kernels, listed in the sandbox. Raises `UsageError` for a file that is no such model."""
    (named,) = named_models([model], None)
    chosen = sandbox.choose(engine)
    progress.say(f"Sandbox: {chosen.sandbox.name} ({chosen.reason})")
    with tempfile.TemporaryDirectory(prefix="harness-predict-") as folder:
        place = Workplace(chosen.sandbox, Store(Path(folder)), ResourceLimits())
        if named.handed.file.suffix == ".onnx":
            listed: StageResult[KernelList] = list_kernels(named.handed.file, size, size, place)
        else:
            progress.say("Converting to ONNX ...")
            converted = convert(named.handed, None, [], None, place)
            listed = kernels_of(converted.value, place) if isinstance(converted, Done) else converted
    if not isinstance(listed, Done):
        raise UsageError(
            f"{model}: {listed.reason.removesuffix('.')}", "give a model that takes one picture, best an ONNX file"
        )
    return listed.value


def _report(graph: KernelList, predictions: tuple[Prediction, ...], asked: list[Board]) -> dict[str, object]:
    by_name, rows = {board.name: board for board in asked}, []
    for row in predictions:
        board, runtime = by_name[row.board], _runtime_of(row)
        roof = roofline.roofline(graph, board, runtime, row.precision)
        rows.append(
            row.model_dump()
            | {
                "memory": memory.fit_in_memory(graph, board, runtime, row.precision).model_dump(),
                "costliest": [cost.model_dump() for cost in roof.costliest()] if roof else [],
                "faster": advice.faster(graph, roof) if roof else (),
            }
        )
    return {
        "input": graph.input,
        "parameters": graph.parameters,
        "multiply_adds": graph.multiply_adds,
        "operations": roofline.operations(graph),
        "kernels": len(graph.kernels),
        "unknown_operators": graph.unknown,
        "predictions": rows,
    }


def _runtime_of(row: Prediction) -> Runtime:
    return _runtime(row.runtime.replace(" (", ":").removesuffix(" threads)"))


def _print_predictions(graph: KernelList, predictions: tuple[Prediction, ...], asked: list[Board]) -> None:
    by_name = {board.name: board for board in asked}
    click.echo(
        f"{graph.multiply_adds / 1e9:.3f} G multiply-adds ({roofline.operations(graph) / 1e9:.3f} G operations), "
        f"{graph.parameters / 1e6:.2f} M parameters, {len(graph.kernels)} kernels, input {graph.input}"
    )
    if said := roofline.unknown_sentence(graph):
        click.echo(said)
    table = Table()
    for heading in ("board", "runtime", "precision", "ms", "90 % interval", "new here", "fits"):
        table.add_column(heading, no_wrap=heading != "new here")
    for row in predictions:
        fit = memory.fit_in_memory(graph, by_name[row.board], _runtime_of(row), row.precision).fits
        table.add_row(
            row.board,
            row.runtime,
            row.precision,
            f"{row.latency_ms:.3g}",
            f"{row.low_ms:.3g} to {row.high_ms:.3g}",
            ", ".join(row.new) or "–",
            {True: "yes", False: "no", None: "?"}[fit],
        )
    Console(width=max(_OUT.width, _NARROWEST)).print(table)
    for note in sorted({note for row in predictions for note in row.notes}):
        click.echo(f"Note: {note}.")
    if not predictions:
        click.echo("No peak figures are known for these boards with this runtime: nothing is predicted.")
        return
    first = predictions[0]
    click.echo(f"Nearest known network: {first.sibling or 'none'}. {first.board} rests on:")
    for line in first.rests_on:
        click.echo(f"  {line}")
    roof = roofline.roofline(graph, by_name[first.board], _runtime_of(first), first.precision)
    for sentence in advice.faster(graph, roof) if roof else ():
        click.echo(f"Faster: {sentence}")


def _print_evaluation(found: evaluation.Evaluated) -> None:
    click.echo(f"{found.used} rows used, {len(found.unused)} not.")
    table = Table()
    for heading in evaluation.HEADINGS:
        table.add_column(heading, no_wrap=True)
    for row in found.scores:
        table.add_row(*evaluation.cells(row))
    Console(width=max(_OUT.width, _NARROWEST)).print(table)
    for line in found.against_three:
        click.echo(
            f"{line.runtime}, {line.rows} rows, family out: {line.family_factor:.3f}; three numbers fitted to each "
            f"board, runtime and precision: {line.three_factor:.3f}"
        )
    for left in found.unused[:_MOST_UNUSED_SHOWN]:
        click.echo(f"not used: line {left.line}: {left.row}: {left.reason}")
    if len(found.unused) > _MOST_UNUSED_SHOWN:
        click.echo(f"... and {len(found.unused) - _MOST_UNUSED_SHOWN} more: --json lists all")
