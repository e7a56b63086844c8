"""The stage `convert`: of the models that may be graded, the first that loads and whose outputs fit the classes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from harness.findings import Finding, finding, one_line, sentence
from harness.findings.file_kinds import FILE_KINDS
from harness.inputs.given_weights import GivenWeights
from harness.inputs.images import TrainingImages
from harness.sandbox import KERAS
from harness.stages.context import StageContext
from harness.stages.convert import HandedModel, convert
from harness.stages.evidence.conversion import Conversion
from harness.stages.evidence.stage_result import Done, Failed, Skipped, StageResult
from harness.stages.measuring import measured
from harness.stages.stage import Stage

_WHY = 140  # characters of the reason why one of several models is not graded


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
    if not request.models:
        return _no_model(request.withholds)
    results: list[StageResult[Conversion]] = []
    deadline = time.monotonic() + context.limits.wall_seconds
    for model in request.models:
        results.append(_refused(model) or _converted(model, request, context))
        if isinstance(results[-1], Done) or time.monotonic() > deadline:
            break
    return _named(request.models, results)


def _converted(model: HandedModel, request: ConvertRequest, context: StageContext) -> StageResult[Conversion]:
    images, hub = request.training.check_images(), request.weights.hub
    result = measured(convert(model, request.classes, images, hub, context), request.training, request.classes, context)
    return result.model_copy(update={"findings": (*model.findings, *result.findings)})


def _refused(model: HandedModel) -> Failed | None:
    """Why the file is not even loaded, where its content says that it is none of the accepted formats."""
    if not model.is_refused:
        return None
    kind = FILE_KINDS[model.kind]
    why = finding("model-of-another-kind", name=model.shown, what=kind.title, way_out=kind.way_out)
    return Failed(status="rejected", reason=why.message, findings=(why,))


def _named(models: Sequence[HandedModel], results: Sequence[StageResult[Conversion]]) -> StageResult[Conversion]:
    """The last result if it is a model, else the first failure; where there are several, with a finding on all."""
    if len(models) == 1:
        return results[0]
    last = results[-1]
    graded = isinstance(last, Done)
    result = last if graded else results[0]
    chosen = models[len(results) - 1] if graded else models[0]
    said: list[Finding] = []
    tried = len(results)
    rivals = [
        index
        for index, model in enumerate(models)
        if model is not chosen and _is_rival(model) and (index < tried or model.by_the_run == chosen.by_the_run)
    ]
    if rivals:
        others = "; ".join(_why_not(models[index], results[index] if index < tried else None) for index in rivals)
        code = "several-models" if graded else "no-model-of-several"
        said.append(finding(code, name=chosen.shown, what=_title(chosen), others=others))
    return result.model_copy(update={"findings": (*said, *result.findings)})


def _is_rival(model: HandedModel) -> bool:
    """Whether a person would take the file for a model, and wants to know why it was not graded."""
    kind = FILE_KINDS.get(model.kind)
    return kind is None or kind.use in ("model", "weights") or model.kind == "keras-weights"


def _why_not(model: HandedModel, result: StageResult[Conversion] | None) -> str:
    said = f"{model.shown} ({_title(model)}"
    if isinstance(result, Failed | Skipped):
        why = result.detail or result.reason
        return f"{said}: {one_line(why, _WHY).rstrip('.')})"
    return f"{said})"


def _title(model: HandedModel) -> str:
    return FILE_KINDS[model.kind].title if model.kind in FILE_KINDS else "a model"


def _no_model(withholds: bool) -> Skipped:
    """Why there is nothing to grade."""
    if withholds:
        nothing = finding("rerun-without-model")
        return Skipped(reason=nothing.message, findings=(nothing,))
    return Skipped(reason=sentence("no-model-at-all"), findings=(finding("no-model"),))


CONVERT = Stage("convert", Conversion, _convert, sees_no_secret=True)
