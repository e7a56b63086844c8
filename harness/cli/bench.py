"""`harness bench`: measure models, write the page and the files, compare with an earlier run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import click

from harness import sandbox
from harness.bench.boards.stage import by_memory
from harness.bench.compare import compare, compare_in_turn, uncompared
from harness.bench.measure import measure
from harness.bench.request import Request, TorchvisionModel
from harness.bench.results import is_results, load
from harness.bench.rules import EFFORTS, SCENARIOS, EffortName, ScenarioName
from harness.bench.torchvision_models import PREFIX
from harness.boundary.screen import Screen, say, say_json
from harness.cli.bench_tables import print_results
from harness.cli.options import PATH, as_json_option
from harness.cli.sandbox_options import sandbox_option
from harness.cli.terminal import progress_on
from harness.report.bench import write_bench
from harness.report.export.bench_files import write_bench as write_bench_files
from harness.report.export.bench_markdown import write_markdown
from harness.stages.evidence.conversion import Precision
from harness.stages.timing import Engine, Mode

Named = Path | str  # a file or folder, or the name of one of torchvision's models
_TORCHVISION = re.compile(r"[a-z0-9_]{1,60}")
_MOST = 64  # images in a query: as many different ones as there are
_SIDE = 224  # pixels: what most of torchvision's classifiers were trained on


def _named(given: str) -> Named:
    """A path, or the name after `torchvision:`."""
    if not given.startswith(PREFIX):
        return Path(given)
    name = given.removeprefix(PREFIX)
    if not _TORCHVISION.fullmatch(name):
        raise click.BadParameter(f"{given!r}: give torchvision's name of a classifier, as in {PREFIX}resnet18")
    return name


def _models(_: click.Context, __: click.Parameter, given: tuple[str, ...]) -> tuple[Named, ...]:
    return tuple(map(_named, given))


def _model(_: click.Context, __: click.Parameter, given: str | None) -> Named | None:
    return None if given is None else _named(given)


def _batches(_: click.Context, __: click.Parameter, given: str | None) -> tuple[int, ...]:
    """Numbers of images, separated by commas, each once, ascending."""
    parts = [] if given is None else given.split(",")
    if not all(re.fullmatch(r" *[0-9]{1,3} *", part) and 1 <= int(part) <= _MOST for part in parts):
        raise click.BadParameter(f"{given!r}: give numbers from 1 to {_MOST}, separated by commas, as in 1,2,4,8")
    return tuple(sorted({int(part) for part in parts}))


@click.command("bench")
@click.argument("models", nargs=-1, required=True, callback=_models, metavar="MODEL...")
@click.option("--reference", callback=_model, metavar="MODEL", help="A model to set the others against.")
@click.option(
    "--input",
    "side",
    type=click.IntRange(32, 1024),
    default=_SIDE,
    show_default=True,
    help="Side of the images for which a torchvision:NAME is exported, in pixels.",
)
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
    help="4 rounds of 1 s for each model, no more where intervals stay wide, and no layers. A full run: 60 s, MLPerf "
    "v0.5's length (later rules: 600 s).",
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
    "--batch", "batches", callback=_batches, metavar="N,N,...", help="Images in a query; of several each is measured."
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
@click.option("--markdown", "markdown", type=PATH, help="File for the tables in Markdown, to paste.")
@click.option(
    "--compare",
    "earlier",
    type=PATH,
    help="An earlier bench.json, or better the earlier model, which is timed in turn: exit status 1 when slower.",
)
@sandbox_option("Where models run. A GPU is only there with `none`: for models that you trust.")
@as_json_option
def bench(
    models: tuple[Named, ...],
    reference: Named | None,
    side: int,
    images: Path | None,
    scenario: ScenarioName,
    quick: bool,
    engines: tuple[Engine, ...],
    precisions: tuple[Precision, ...],
    batches: tuple[int, ...],
    mode: Mode,
    names: tuple[str, ...],
    cores: int | None,
    out: Path | None,
    markdown: Path | None,
    earlier: Path | None,
    sandbox_name: sandbox.EngineName,
    as_json: bool,
) -> int:
    """Measure how fast models are: latency, throughput, memory, accuracy.

    MODEL is a model file of any kind that is graded, a folder with one, torchvision:NAME (one of its classifiers, which
    is exported first), or the times that trtexec wrote (.json).
    """
    effort: EffortName = "quick" if quick else "full"
    before = load(earlier) if earlier and is_results(earlier) else None
    request = Request(
        models=[_as_asked(model, side) for model in models],
        reference=_as_asked(reference, side) if reference else None,
        images=images,
        scenario=SCENARIOS[scenario],
        effort=EFFORTS[effort],
        engines=tuple(dict.fromkeys(engines)),
        precisions=tuple(dict.fromkeys(precisions)),
        mode=mode,
        boards=by_memory(names) if names else (),
        cores=cores,
        batches=batches,
        earlier=before,
        earlier_model=earlier if before is None else None,
    )
    with progress_on(Screen(stderr=True)) as progress:
        results = measure(request, sandbox.choose(sandbox_name).sandbox, progress)
    if before:
        results = results.model_copy(update={"compared": compare(results, before)})
    elif results.earlier_model:
        compared = compare_in_turn(results, results.earlier_model)
        results = results.model_copy(update={"compared": compared})
    if out:
        out.mkdir(parents=True, exist_ok=True)
        write_bench_files(results, out)
        write_bench(results, out)
    if markdown:
        write_markdown(results, markdown)
    if as_json:
        say_json(results.model_dump_json(by_alias=True))
    else:
        print_results(results, Screen())
        for sentence in uncompared(results, before) if before else ():
            say(sentence)
        if out:
            say(f"Report: {(out / 'index.html').resolve()}")
    slower = any(one.verdict in ("slower", "too few rounds") for one in results.compared)
    return 1 if slower or results.unmeasured or not all(one.valid for one in results.measurements) else 0


def _as_asked(model: Named, side: int) -> Path | TorchvisionModel:
    return model if isinstance(model, Path) else TorchvisionModel(model, side)
