"""Latency predictions for the measured models, on boards that are not here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.bench.boards import Board
from harness.bench.boards.stage import PRECISION, board_predictions, by_memory, kernels_of
from harness.bench.subjects import NamedModel
from harness.stages.context import StageContext
from harness.stages.evidence.boards import BoardPredictions
from harness.stages.evidence.conversion import Conversion, Precision
from harness.stages.evidence.kernels import KernelList
from harness.stages.evidence.stage_result import Done, Failed
from harness.stages.progress import Progress


def outlooks(
    opened: Mapping[str, Conversion],
    models: Sequence[NamedModel],
    boards: Sequence[Board],
    measured: Sequence[Precision],
    context: StageContext,
    progress: Progress,
) -> tuple[BoardPredictions, ...]:
    """For each model that was opened: its kernels, listed in the sandbox, on `boards` (every known one without any).

    In fp16, as TensorRT is used on a Jetson, and in int8 if that is `measured`, too.
    """
    precisions = (PRECISION, *(precision for precision in measured if precision == "int8"))
    progress.say("Predicting for boards ...")
    listed = {name: _listed(conversion, context) for name, conversion in opened.items()}
    reference = next((listed.get(model.name) for model in models if model.is_reference), None)
    against = reference if isinstance(reference, KernelList) else None
    return tuple(
        board_predictions(name, found, boards or by_memory(()), precisions, against if found is not reference else None)
        if isinstance(found, KernelList)
        else BoardPredictions(model=name, reason=found.whole_reason)
        for name, found in listed.items()
    )


def _listed(conversion: Conversion, context: StageContext) -> KernelList | Failed:
    listed = kernels_of(conversion, context)
    return listed.value if isinstance(listed, Done) else listed
