"""How well latency marks repeat, on the machine as it is and beside a busy core: the table of docs/benchmarking.md.

    python benchmarks/latency_marks.py [--runs 10] [--write docs/benchmarking.md]

Each run is the stage `benchmark`, never from the cache, of a model against MobileNetV2 with ImageNet weights, which are
fetched once. ResNet18 and a small network have random weights, since only their time counts. First a few runs beside
nothing, whose ratios together are what the others are held against; then the runs beside a program that never rests.
Needs the extra `torch`. Takes some minutes; leave the machine alone meanwhile.
"""

from __future__ import annotations

import argparse
import contextlib
import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import tables
import torch
from PIL import Image
from scipy import stats

from harness.agent.torchvision_ops import declare_missing
from harness.files.user_folders import default_folder
from harness.grading.rubric.criteria.latency_vs_reference import WIDEST, Options, points
from harness.inputs.assignment.limits import ResourceLimits
from harness.inputs.assignment.sections import BenchmarkRules
from harness.inputs.images import StagedImages
from harness.sandbox import choose
from harness.stages.benchmark import benchmark
from harness.stages.context import StageContext
from harness.stages.convert import HandedModel, convert
from harness.stages.evidence.benchmark import Benchmark
from harness.stages.evidence.conversion import Conversion
from harness.stages.evidence.stage_result import Done, StageResult
from harness.stages.paired_ratio import width
from harness.stages.predict import predict
from harness.stages.store import Store

declare_missing()

T = TypeVar("T")
CLASSES = ("blue", "green", "red")
WEIGHTS = "https://download.pytorch.org/models/mobilenet_v2-b0353104.pth"
QUIET_RUNS = 3
MOST_POINTS = 10.0
OPTIONS = Options()
BUSY = [sys.executable, "-c", "while True: pass"]
HEADER = (
    "| model against MobileNetV2 | machine | runs | ratio | sd of the ratio | sd of 10 points | intervals that hold "
    "the quiet ratio | open | pairs | seconds |\n|---|---|---|---|---|---|---|---|---|---|\n"
)


@dataclass(frozen=True, slots=True)
class Run:
    """One timing, and how long it took with its sandboxes."""

    timed: Benchmark
    seconds: float

    @property
    def ratio(self) -> float:
        return self.timed.ratio or math.nan

    @property
    def interval(self) -> tuple[float, float]:
        return self.timed.ratio_interval or (math.nan, math.nan)

    @property
    def open(self) -> bool:
        return width(self.interval, [(OPTIONS.full_at, OPTIONS.zero_at)]) > WIDEST


def networks() -> dict[str, Any]:
    """The models by title; the reference last."""
    from torchvision import models

    torch.manual_seed(0)
    small = torch.nn.Sequential(
        torch.nn.Conv2d(3, 16, 3, 2, 1), torch.nn.ReLU(), torch.nn.Conv2d(16, 32, 3, 2, 1), torch.nn.ReLU(),
        torch.nn.Conv2d(32, 64, 3, 2, 1), torch.nn.ReLU(), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(),
        torch.nn.Linear(64, len(CLASSES)),
    )  # fmt: skip
    reference = models.mobilenet_v2()
    kept = default_folder() / "weights"
    reference.load_state_dict(torch.hub.load_state_dict_from_url(WEIGHTS, str(kept), check_hash=True))
    reference.classifier[1] = torch.nn.Linear(reference.last_channel, len(CLASSES))
    return {
        "ResNet18": models.resnet18(num_classes=len(CLASSES)),
        "three convolutions": small,
        "MobileNetV2": reference,
    }


def converted(network: Any, folder: Path, context: StageContext) -> Conversion:
    """A network as a submission brings it."""
    folder.mkdir()
    file = folder / "model.onnx"
    torch.onnx.export(network.eval(), (torch.zeros(1, 3, 224, 224),), str(file), input_names=["image"], dynamo=False)
    labels = folder / "labels.txt"
    labels.write_text("\n".join(CLASSES))
    return done(convert(HandedModel(file, {"labels.txt": labels}), CLASSES, [], None, context))


def images(folder: Path) -> StagedImages:
    """Noise, since the content of an image does not change its time."""
    folder.mkdir()
    random = np.random.default_rng(0)
    names = tuple(f"{number:016x}.png" for number in range(16))
    for name in names:
        Image.fromarray(random.integers(0, 255, (224, 224, 3), dtype=np.uint8)).save(folder / name)
    return StagedImages(folder, names, "0" * 64)


def done(result: StageResult[T]) -> T:
    if not isinstance(result, Done):
        raise SystemExit(result.whole_reason)
    return result.value


@contextlib.contextmanager
def busy_core() -> Iterator[None]:
    """One program that never rests."""
    program = subprocess.Popen(BUSY)
    try:
        yield
    finally:
        program.kill()
        program.wait()


def timings(
    model: Conversion, reference: Conversion, staged: StagedImages, runs: int, context: StageContext
) -> list[Run]:
    answered = done(predict(model, staged, context))
    found = []
    for _ in range(runs):
        began = time.monotonic()
        anchors = [(OPTIONS.full_at, OPTIONS.zero_at)]
        timed = done(benchmark(model, reference, answered, staged, BenchmarkRules(), context, anchors))
        run = Run(timed, time.monotonic() - began)
        found.append(run)
        low, high = run.interval
        print(
            f"  {run.ratio:.4f} [{low:.4f}, {high:.4f}], {points(run.ratio, OPTIONS, MOST_POINTS):.2f} points"
            f"{', open' if run.open else ''}; {len(timed.pair_ratios)} pairs, {timed.clock} time, waited "
            f"{timed.waited:.2f}; {run.seconds:.1f} s",
            file=sys.stderr,
            flush=True,
        )
    return found


def row(title: str, machine: str, runs: list[Run], true_ratio: float) -> str:
    ratios = np.array([run.ratio for run in runs])
    given = [points(run.ratio, OPTIONS, MOST_POINTS) for run in runs if not run.open]
    held = sum(run.interval[0] <= true_ratio <= run.interval[1] for run in runs)
    spread = f"{np.std(given, ddof=1):.3f}" if len(given) > 1 else "–"
    pairs = [len(run.timed.pair_ratios) for run in runs]
    seconds = [run.seconds for run in runs]
    return (
        f"| {title} | {machine} | {len(runs)} | {stats.gmean(ratios):.4g} | {np.log(ratios).std(ddof=1):.1%} | "
        f"{spread} | {held} of {len(runs)} | {sum(run.open for run in runs)} | {min(pairs)} to {max(pairs)} | "
        f"{min(seconds):.1f} to {max(seconds):.1f} |\n"
    )


def table(runs: int, engine: Any) -> str:
    lines = HEADER
    with tempfile.TemporaryDirectory(dir="/var/tmp") as temporary:
        folder = Path(temporary)
        folder.chmod(0o755)  # the sandbox's own user reads what is mounted
        context = StageContext(choose(engine).sandbox, Store(folder / "store"), ResourceLimits())
        staged = images(folder / "images")
        *models, (_, reference) = [
            (title, converted(network, folder / title, context)) for title, network in networks().items()
        ]
        for title, model in models:
            print(f"{title}, nothing beside", file=sys.stderr)
            quiet = timings(model, reference, staged, QUIET_RUNS, context)
            true_ratio = float(stats.gmean([run.ratio for run in quiet]))
            lines += row(title, "as it is", quiet, true_ratio)
            print(f"{title}, beside a busy core", file=sys.stderr)
            with busy_core():
                lines += row(title, "one core busy", timings(model, reference, staged, runs, context), true_ratio)
    return lines


def main() -> None:
    """Print the table, or write it between the marks of a page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--sandbox", default="auto")
    parser.add_argument("--write", type=Path)
    given = parser.parse_args()
    lines = table(given.runs, given.sandbox)
    print(lines, end="")
    if given.write:
        tables.replace(given.write, "latency marks", lines)


if __name__ == "__main__":
    main()
