"""One way of a model through the stages: a student's, the reference, and one that is only compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeVar

from harness.bench.boards.stage import BOARDS, BoardsRequest, by_memory, identity
from harness.findings import sentence
from harness.grading.context import GradedOn, RunContext
from harness.stages.convert import HandedModel
from harness.stages.convert_candidates import CONVERT, ConvertRequest
from harness.stages.evaluate.stage import EVALUATE, EvaluateRequest
from harness.stages.evidence.boards import BoardPredictions
from harness.stages.evidence.conversion import Conversion
from harness.stages.evidence.evaluation import Evaluation
from harness.stages.evidence.inspection import Inspection
from harness.stages.evidence.predictions import Predictions
from harness.stages.evidence.robustness import RobustnessAnswers
from harness.stages.evidence.stage_result import Done, Skipped, StageResult
from harness.stages.inspect import INSPECT, InspectRequest
from harness.stages.predict import PREDICT, PredictRequest
from harness.stages.robustness import ROBUSTNESS, RobustnessRequest, affordable
from harness.stages.runner import StageRunner
from harness.stages.transfer_verdict import concluded

T = TypeVar("T")
# How much is asked of a model: `answers` to the held-out images and their scores; the same to worse images too, as of
# the `reference`; or the `whole`: what it is made of, where it looks, and how fast it would be on the course's boards.
Depth = Literal["answers", "reference", "whole"]
_NOT_ASKED = Skipped(reason=sentence("not-asked"))


@dataclass(frozen=True, slots=True)
class ModelEvidence:
    """What the stages found out about one model, in the order in which they run."""

    convert: StageResult[Conversion]
    predict: StageResult[Predictions]
    inspect: StageResult[Inspection]
    robustness: StageResult[RobustnessAnswers]
    evaluate: StageResult[Evaluation]
    boards: StageResult[BoardPredictions]


def value(result: StageResult[T]) -> T | None:
    """What the stage found; None where it came to nothing."""
    return result.value if isinstance(result, Done) else None


def run_model(
    models: tuple[HandedModel, ...], on: GradedOn, depth: Depth, run_context: RunContext, runner: StageRunner
) -> ModelEvidence:
    """The first model that can be graded, through the stages, each of which reads what those before it found."""
    assignment = run_context.assignment
    converted = convert(models, on, run_context, runner)
    answered = predict(value(converted), on, runner)
    inspected: StageResult[Inspection] = _NOT_ASKED
    tried: StageResult[RobustnessAnswers] = _NOT_ASKED
    predicted: StageResult[BoardPredictions] = _NOT_ASKED
    if depth == "whole":
        request = InspectRequest(value(converted), run_context.backbones, on.staged, len(on.held_out.classes))
        inspected = runner.run(INSPECT, request)
    if depth != "answers":
        rules, images = assignment.robustness, assignment.robustness.images
        if depth == "reference":
            rules = rules.model_copy(update={"occlusion_maps": 0})
        else:
            found = value(inspected)
            images = affordable(rules, found.multiply_adds if found else None)
        tried = runner.run(
            ROBUSTNESS,
            RobustnessRequest(
                value(converted), value(answered), on.held_out, on.staged, run_context.unseen, rules, images
            ),
        )
    compared_with = on.reference.predictions if on.reference else None
    scored = evaluate(value(answered), on, compared_with, runner, value(tried))
    if depth == "whole":
        look = value(inspected)
        entry = run_context.backbones.entries.get(look.backbone) if look and look.backbone else None
        inspected = concluded(inspected, scored, value(converted), entry.trained_on if entry else None)
        boards = by_memory(assignment.boards) if assignment.boards else ()
        reference = on.reference.kernels if on.reference else None
        predicted = runner.run(BOARDS, BoardsRequest(value(converted), boards, reference, identity()))
    return ModelEvidence(converted, answered, inspected, tried, scored, predicted)


def convert(
    models: tuple[HandedModel, ...], on: GradedOn, run_context: RunContext, runner: StageRunner
) -> StageResult[Conversion]:
    """The first of the models that can be graded, as ONNX, or as it is where that fails."""
    withholds, classes = run_context.assignment.withholds, on.held_out.classes
    return runner.run(CONVERT, ConvertRequest(models, withholds, classes, on.training, run_context.weights))


def predict(conversion: Conversion | None, on: GradedOn, runner: StageRunner) -> StageResult[Predictions]:
    """The model's answers to the held-out images."""
    return runner.run(PREDICT, PredictRequest(conversion, on.staged))


def evaluate(
    answers: Predictions | None,
    on: GradedOn,
    compared_with: Predictions | None,
    runner: StageRunner,
    robustness: RobustnessAnswers | None = None,
) -> StageResult[Evaluation]:
    """How good the answers are, also against another model's on the same images."""
    return runner.run(EVALUATE, EvaluateRequest(answers, on.held_out, compared_with, robustness))
