"""The stage `convert`: of the models that may be graded, the first that loads and whose outputs fit the classes."""

from __future__ import annotations

from dataclasses import dataclass

from harness.inputs.given_weights import GivenWeights
from harness.inputs.images import TrainingImages
from harness.sandbox import KERAS
from harness.stages.candidates import first_graded
from harness.stages.context import StageContext
from harness.stages.convert import HandedModel, convert
from harness.stages.evidence.conversion import Conversion
from harness.stages.evidence.stage_result import StageResult
from harness.stages.measuring import measured
from harness.stages.stage import Stage


@dataclass(frozen=True, slots=True)
class ConvertRequest:
    """The models, the best first, their classes, and images on which a model's two forms are compared."""

    models: tuple[HandedModel, ...]
    withholds: bool  # then only the rerun's model is graded
    classes: tuple[str, ...]
    training: TrainingImages
    weights: GivenWeights
    environments: tuple[str, ...] = (KERAS.lock,)  # that reading a model may need, besides the context's own


def _convert(request: ConvertRequest, context: StageContext) -> StageResult[Conversion]:
    def converted(model: HandedModel) -> StageResult[Conversion]:
        images, hub = request.training.check_images(), request.weights.hub
        result = convert(model, request.classes, images, hub, context)
        return measured(result, request.training, request.classes, context)

    return first_graded(request.models, converted, request.withholds, context.limits.wall_seconds, quotes=True)


CONVERT = Stage("convert", Conversion, _convert, sees_no_secret=True)
