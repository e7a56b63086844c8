"""Of the models that may be graded, the first that can be, with a finding on all where there are several."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from harness.findings import Finding, finding, one_line, sentence
from harness.findings.file_kinds import FILE_KINDS
from harness.stages.convert import HandedModel
from harness.stages.evidence.stage_result import Done, Failed, Skipped, StageResult

_WHY = 140  # characters of the reason why one of several models is not graded
# Of kinds that cannot be graded as they are, those that a person would take for the model.
_RIVALS = ("keras-weights", "python")
T = TypeVar("T")


def first_graded(
    models: Sequence[HandedModel],
    grade: Callable[[HandedModel], StageResult[T]],
    withholds: bool,
    seconds: float,
    *,
    quotes: bool,
) -> StageResult[T]:
    """What `grade` makes of the first model of which it makes something; of the first one, where of none.

    `withholds`: only the rerun's model is graded. `seconds`: after so many no further model is tried. `quotes`: whether
    the student may read the details of failures, because no sandbox of `grade` sees a secret image.
    """
    if not models:
        return _no_model(withholds)
    results: list[StageResult[T]] = []
    deadline = time.monotonic() + seconds
    for model in models:
        results.append(_refused(model) or _with_its_findings(model, grade(model)))
        if isinstance(results[-1], Done) or time.monotonic() > deadline:
            break
    return _named(models, results, quotes)


def _with_its_findings(model: HandedModel, result: StageResult[T]) -> StageResult[T]:
    return result.model_copy(update={"findings": (*model.findings, *result.findings)})


def _refused(model: HandedModel) -> Failed | None:
    """Why the file is not even loaded, where its content says that it is none of the accepted formats."""
    if not model.is_refused:
        return None
    kind = FILE_KINDS[model.kind]
    why = finding("model-of-another-kind", name=model.shown, what=kind.title, way_out=kind.way_out)
    return Failed(status="rejected", reason=why.message, findings=(why,))


def _named(models: Sequence[HandedModel], results: Sequence[StageResult[T]], quotes: bool) -> StageResult[T]:
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
        why = {index: _why_not(models[index], results[index] if index < tried else None, quotes) for index in rivals}
        others = "; ".join(why.values())
        code = "several-models" if graded else "no-model-of-several"
        said.append(finding(code, name=chosen.shown, what=_title(chosen), others=others))
    return result.model_copy(update={"findings": (*said, *result.findings)})


def _is_rival(model: HandedModel) -> bool:
    """Whether a person would take the file for a model, and wants to know why it was not graded."""
    kind = FILE_KINDS.get(model.kind)
    return kind is None or kind.use in ("model", "weights") or model.kind in _RIVALS


def _why_not(model: HandedModel, result: StageResult[T] | None, quotes: bool) -> str:
    said = f"{model.shown} ({_title(model)}"
    if isinstance(result, Failed | Skipped):
        why = (result.detail if quotes else "") or result.reason
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
