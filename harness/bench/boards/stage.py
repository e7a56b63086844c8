"""Predictions for a model on boards, for the board section of the bench page and of the grade report."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from threadpoolctl import threadpool_limits

import harness.bench.boards
from harness.bench.boards import Board, advice, memory, prediction, roofline
from harness.bench.boards.prediction import Prediction
from harness.bench.boards.runtimes import Runtime
from harness.findings import sentence
from harness.stages.context import StageContext
from harness.stages.evidence.boards import (
    BoardLatency,
    BoardPredictions,
    BoardRatio,
    CostlyLayer,
    Roofline,
    RooflineKernel,
)
from harness.stages.evidence.conversion import Conversion, Precision
from harness.stages.evidence.kernels import Kernel, KernelList
from harness.stages.evidence.stage_result import NO_MODEL, Done, Failed, Skipped, StageResult
from harness.stages.kernels import kernels as list_kernels
from harness.stages.stage import Stage

RUNTIME = Runtime("tensorrt")  # what the course's Jetsons run models with
PRECISION: Precision = "fp16"
_COSTLIEST = 10


def on_boards(
    model: str, conversion: Conversion, reference: KernelList | None, boards: Sequence[Board], context: StageContext
) -> StageResult[BoardPredictions]:
    """The stage `boards`: the model's kernels, listed in the sandbox, and its predicted latency on each board."""
    listed = kernels_of(conversion, context)
    if isinstance(listed, Failed):
        return listed
    found = board_predictions(model, listed.value, boards, (PRECISION,), reference)
    return Done(value=found, origin=listed.origin, usage=listed.usage)


def kernels_of(conversion: Conversion, context: StageContext) -> Done[KernelList] | Failed:
    """The model's kernels, listed in the sandbox; a failure for a model that is not ONNX."""
    if conversion.native:
        return Failed(status="rejected", reason=sentence("native-not-predicted"))
    rule = conversion.preprocess
    return list_kernels(context.store.path(conversion.model), rule.height, rule.width, context)


def board_predictions(
    model: str,
    kernels: KernelList,
    boards: Sequence[Board],
    precisions: Sequence[Precision] = (PRECISION,),
    reference: KernelList | None = None,
) -> BoardPredictions:
    """The model on each board at each precision with TensorRT, compared with the reference on the same board.

    Boards without published peaks are left out. Rooflines, layers and advice are for the first precision.
    """
    by_name = {board.name: board for board in boards}
    with threadpool_limits(1):  # the matrices are small: threads cost more than they save
        predictions = prediction.predict(kernels, boards, [RUNTIME], precisions)
        rows = tuple(_latency(found, kernels, by_name[found.board], reference) for found in predictions)
        roofs = [roof for board in boards if (roof := roofline.roofline(kernels, board, RUNTIME, precisions[0]))]
    return BoardPredictions(
        model=model,
        reason="" if rows else sentence("no-peaks-published"),
        boards=rows,
        unknown=roofline.unknown_sentence(kernels),
        not_listed=kernels.not_listed,
        rooflines=tuple(_roofline(roof, by_name[roof.board].title) for roof in roofs),
        costliest=_costliest(roofs[0], kernels.kernels) if roofs else (),
        advice=advice.faster(kernels, roofs[0]) if roofs else (),
    )


def by_memory(names: Sequence[str]) -> tuple[Board, ...]:
    """The boards with these names, or all boards if there are no names, by memory; unknown memory comes last.

    Raises `UsageError` for one that is not known.
    """
    found = {board.name: board for board in map(harness.bench.boards.load, names or harness.bench.boards.names())}
    return tuple(sorted(found.values(), key=lambda board: (board.memory_gb or float("inf"), board.title)))


@functools.cache
def identity() -> str:
    """A cache key of what a prediction uses besides kernels and boards: code, tables and fit."""
    digest = hashlib.sha256(Path(__file__).read_bytes())
    for file in sorted(path for path in Path(harness.bench.boards.__file__).parent.iterdir() if path.is_file()):
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def _latency(found: Prediction, kernels: KernelList, board: Board, reference: KernelList | None) -> BoardLatency:
    fit = memory.fit_in_memory(kernels, board, RUNTIME, found.precision)
    return BoardLatency(
        board=board.title,
        runtime=found.runtime,
        precision=found.precision,
        latency_ms=found.latency_ms,
        interval_90=(found.low_ms, found.high_ms),
        rests_on=found.rests_on[0] if found.rests_on else "",
        rows=found.rows,
        new=found.new,
        notes=found.notes,
        fits=fit.fits,
        needed_bytes=fit.needed_bytes,
        available_bytes=fit.available_bytes,
        versus_reference=_against(reference, kernels, board, found) if reference else None,
    )


def _against(reference: KernelList, kernels: KernelList, board: Board, found: Prediction) -> BoardRatio:
    ratio = prediction.ratio(kernels, reference, board, RUNTIME, found.precision)
    (own,) = prediction.predict(reference, [board], [RUNTIME], [found.precision])
    return BoardRatio(
        reference_ms=own.latency_ms, ratio=ratio.ratio, interval_90=(ratio.low, ratio.high), band=ratio.band
    )


def _roofline(roof: roofline.Roofline, title: str) -> Roofline:
    return Roofline(
        board=title,
        precision=roof.precision,
        peak_operations_per_s=roof.peak,
        bandwidth_bytes_per_s=roof.bandwidth,
        kernels=tuple(
            RooflineKernel(
                name=cost.name or cost.kind, operations=cost.operations, bytes=cost.bytes, reached_per_s=cost.reached
            )
            for cost in roof.kernels
            if cost.bytes > 0
        ),
    )


def _costliest(roof: roofline.Roofline, kernels: Sequence[Kernel]) -> tuple[CostlyLayer, ...]:
    parameters = {id(cost): kernel.weights for cost, kernel in zip(roof.kernels, kernels, strict=True)}
    return tuple(
        CostlyLayer(
            name=cost.name or cost.kind,
            operator=cost.kind,
            share=cost.share,
            parameters=parameters[id(cost)],
            operations=cost.operations,
        )
        for cost in roof.costliest(_COSTLIEST)
    )


@dataclass(frozen=True, slots=True)
class BoardsRequest:
    """A model, the boards to predict it for, and the kernels of the reference that it is compared with."""

    conversion: Conversion | None
    boards: tuple[Board, ...]
    reference: KernelList | None
    rests_on: str  # the value of `identity`


def _boards(request: BoardsRequest, context: StageContext) -> StageResult[BoardPredictions]:
    if not request.boards:
        return Skipped(reason=sentence("no-board-asked"))
    if request.conversion is None:
        return NO_MODEL
    return on_boards("The model", request.conversion, request.reference, request.boards, context)


BOARDS = Stage("boards", BoardPredictions, _boards, sees_no_secret=True)
KERNELS = Stage("kernels", KernelList, kernels_of, sees_no_secret=True)
