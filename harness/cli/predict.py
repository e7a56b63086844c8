"""`harness predict`: how long a model would take on boards that are not here."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import get_args

import click
from rich.table import Table
from threadpoolctl import threadpool_limits

from harness import sandbox
from harness.bench import boards as known_boards
from harness.bench.boards import Board, advice, memory, prediction, roofline
from harness.bench.boards.prediction import Prediction
from harness.bench.boards.runtimes import Runtime, RuntimeName
from harness.bench.boards.stage import kernels_of
from harness.bench.subjects import named_models
from harness.boundary.screen import Screen, say, say_json
from harness.cli.options import PATH, as_json_option
from harness.cli.sandbox_options import sandbox_option
from harness.cli.terminal import progress_on, wide_screen
from harness.errors import UsageError, nearest
from harness.inputs.assignment.limits import ResourceLimits
from harness.stages.context import StageContext
from harness.stages.convert import convert
from harness.stages.evidence.conversion import Precision
from harness.stages.evidence.kernels import KernelList
from harness.stages.evidence.stage_result import Done, StageResult
from harness.stages.kernels import kernels as list_kernels
from harness.stages.progress import Progress
from harness.stages.store import Store


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
    type=click.Choice(get_args(Precision)),
    default=["fp16"],
    show_default=True,
    help="Of the numbers; may be given several times.",
)
@click.option("--size", type=click.IntRange(8, 4096), default=224, show_default=True, help="Pixels, for a free input.")
@click.option("--calibration", type=PATH, help="What `harness calibrate` wrote.")
@sandbox_option("Where the model is read.")
@as_json_option
def predict(
    model: Path,
    names: tuple[str, ...],
    runtimes: tuple[str, ...],
    precisions: tuple[Precision, ...],
    size: int,
    calibration: Path | None,
    sandbox_name: sandbox.EngineName,
    as_json: bool,
) -> int:
    """Predict how long MODEL takes on boards, each with its 90 % interval.

    MODEL is an ONNX file, or any other model file that is graded: it becomes ONNX first, with the input that it states.

    Runtimes: tensorrt, pytorch, onnxruntime-cpu, ncnn-cpu (ncnn-cpu:4 for four cores), ncnn-vulkan and others.
    """
    asked = [known_boards.load(name) for name in names or known_boards.names()]
    wanted = [_runtime(name) for name in runtimes]
    calibrated = prediction.calibrated(calibration) if calibration else None
    with progress_on(Screen(stderr=True)) as progress:
        graph = _kernels(model, size, sandbox_name, progress)
    with threadpool_limits(1):
        predictions = prediction.predict(graph, asked, wanted, precisions, calibrated)
        report = _report(graph, predictions, asked)
    if as_json:
        say_json(json.dumps(report))
    else:
        _print_predictions(graph, predictions, asked)
    return 0


def _runtime(name: str) -> Runtime:
    found = prediction.runtime_named(name)
    if found is None:
        raise UsageError(f"unknown runtime {name!r}", nearest(name, get_args(RuntimeName)))
    return found


def _kernels(model: Path, size: int, engine: sandbox.EngineName, progress: Progress) -> KernelList:
    """The model's kernels, listed in the sandbox. Raises `UsageError` for a file that is not a usable model."""
    (named,) = named_models([model], None)
    chosen = sandbox.choose(engine)
    progress.say(f"Sandbox: {chosen.sandbox.name} ({chosen.reason})")
    with tempfile.TemporaryDirectory(prefix="harness-predict-") as folder:
        place = StageContext(chosen.sandbox, Store(Path(folder)), ResourceLimits())
        if named.handed.file.suffix == ".onnx":
            listed: StageResult[KernelList] = list_kernels(named.handed.file, size, size, place)
        else:
            progress.say("Converting to ONNX ...")
            converted = convert(named.handed, None, [], None, place)
            listed = kernels_of(converted.value, place) if isinstance(converted, Done) else converted
    if not isinstance(listed, Done):
        raise UsageError(
            f"{model}: {listed.whole_reason.removesuffix('.')}",
            "give a model that takes one image, best an ONNX file",
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
    say(
        f"{graph.multiply_adds / 1e9:.3f} G multiply-adds ({roofline.operations(graph) / 1e9:.3f} G operations), "
        f"{graph.parameters / 1e6:.2f} M parameters, {len(graph.kernels)} kernels, input {graph.input}"
    )
    if said := roofline.unknown_sentence(graph):
        say(said)
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
    wide_screen().print(table)
    for note in sorted({note for row in predictions for note in row.notes}):
        say(f"Note: {note}.")
    if not predictions:
        say("No peak figures are known for these boards with this runtime: nothing is predicted.")
        return
    first = predictions[0]
    say(f"Nearest known network: {first.sibling or 'none'}. {first.board} rests on:")
    for line in first.rests_on:
        say(f"  {line}")
    roof = roofline.roofline(graph, by_name[first.board], _runtime_of(first), first.precision)
    for sentence in advice.faster(graph, roof) if roof else ():
        say(f"Faster: {sentence}")
