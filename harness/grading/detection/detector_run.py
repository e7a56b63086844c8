"""One way of a detector through the stages: a student's, the reference, and one that is only compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from harness.bench.boards.stage import BOARDS, BoardsRequest, by_memory, identity
from harness.findings import sentence
from harness.grading.context import GradedOn, RunContext
from harness.grading.model_run import Depth, value
from harness.inputs.images import NO_SET, NO_STAGED
from harness.stages.convert import HandedModel
from harness.stages.detection.benchmark import TimedDetector
from harness.stages.detection.convert import CONVERT_DETECTOR, ConvertDetectorRequest
from harness.stages.detection.detect import DETECT, DetectRequest
from harness.stages.detection.detect_worse import DETECT_WORSE, DetectWorseRequest
from harness.stages.detection.score_boxes import SCORE_BOXES, ScoreBoxesRequest
from harness.stages.detection.swap_backgrounds import SWAP_BACKGROUNDS, SwapBackgroundsRequest
from harness.stages.evidence.boards import BoardPredictions
from harness.stages.evidence.conversion import Conversion
from harness.stages.evidence.detection_scores import DetectionEvaluation
from harness.stages.evidence.detections import DetectorAnswers
from harness.stages.evidence.inspection import Inspection
from harness.stages.evidence.stage_result import NO_MODEL, Done, Skipped, StageResult
from harness.stages.evidence.swapped_backgrounds import SwappedBackgrounds
from harness.stages.evidence.worse_boxes import WorseBoxes
from harness.stages.inspect import INSPECT, InspectRequest
from harness.stages.runner import StageRunner

T = TypeVar("T")
_NOT_ASKED = Skipped(reason=sentence("not-asked"))


@dataclass(frozen=True, slots=True)
class DetectorEvidence:
    """What the stages found out about one detector, in the order in which they run."""

    detect: StageResult[DetectorAnswers]
    convert: StageResult[Conversion]
    inspect: StageResult[Inspection]
    detect_worse: StageResult[WorseBoxes]
    score_boxes: StageResult[DetectionEvaluation]
    boards: StageResult[BoardPredictions]


def run_detector(
    models: tuple[HandedModel, ...], on: GradedOn, depth: Depth, run_context: RunContext, runner: StageRunner
) -> DetectorEvidence:
    """The first detector that can be graded, through the stages, each of which reads what those before it found."""
    assignment = run_context.assignment
    answered = detect(models, on, run_context, runner)
    converted: StageResult[Conversion] = _NOT_ASKED
    inspected: StageResult[Inspection] = _NOT_ASKED
    worse: StageResult[WorseBoxes] = _NOT_ASKED
    predicted: StageResult[BoardPredictions] = _NOT_ASKED
    if depth != "answers":
        converted = runner.run(CONVERT_DETECTOR, ConvertDetectorRequest(value(answered), run_context.weights))
        rules = assignment.robustness
        answers, weights, unseen = value(answered), run_context.weights, run_context.unseen
        swapped = value(_swapped(on, run_context)) if answers is not None and rules.enabled else None
        asked = DetectWorseRequest(answers, on.training, weights, on.staged, unseen, rules, swapped)
        worse = runner.run(DETECT_WORSE, asked)
    if depth == "whole":
        request = InspectRequest(value(converted), run_context.backbones, on.staged, len(on.held_out.classes))
        inspected = runner.run(INSPECT, request)
    compared_with = on.detector.answers if on.detector else None
    scored = score(value(answered), on, compared_with, runner, value(worse))
    if depth == "whole":
        boards = by_memory(assignment.boards) if assignment.boards else ()
        reference = on.detector.kernels if on.detector else None
        predicted = runner.run(BOARDS, BoardsRequest(value(converted), boards, reference, identity()))
        inspected = without_graph(inspected, answered, converted)
        predicted = without_graph(predicted, answered, converted)
    return DetectorEvidence(answered, converted, inspected, worse, scored, predicted)


def _swapped(on: GradedOn, run_context: RunContext) -> StageResult[SwappedBackgrounds]:
    """Images of the objects before other backgrounds: the same for all detectors, so no submission's own stage."""
    request = SwapBackgroundsRequest(
        on.held_out, on.staged, run_context.unseen, run_context.assignment.robustness.images
    )
    return run_context.runner(None).run(SWAP_BACKGROUNDS, request)


def without_graph(
    result: StageResult[T], answered: StageResult[DetectorAnswers], converted: StageResult[Conversion]
) -> StageResult[T]:
    """The result, with why there is no graph where a detector answers and the stage had none to work on."""
    no_model = isinstance(result, Skipped) and result.reason == NO_MODEL.reason
    if no_model and isinstance(answered, Done) and not isinstance(converted, Done):
        return Skipped(reason=converted.reason)
    return result


def timed_detector(conversion: Conversion | None, answers: DetectorAnswers | None) -> TimedDetector | None:
    """The detector as it is timed; None where there is none, or no graph of it."""
    return TimedDetector(conversion, answers) if conversion and answers else None


def detect(
    models: tuple[HandedModel, ...], on: GradedOn, run_context: RunContext, runner: StageRunner
) -> StageResult[DetectorAnswers]:
    """The boxes of the first of the detectors that can be graded."""
    known = on.known
    request = DetectRequest(
        models,
        run_context.assignment.withholds,
        on.held_out.classes,
        known.labelled if known else NO_SET,
        known.staged if known else NO_STAGED,
        on.training,
        run_context.weights,
        on.staged,
    )
    return runner.run(DETECT, request)


def score(
    answers: DetectorAnswers | None,
    on: GradedOn,
    compared_with: DetectorAnswers | None,
    runner: StageRunner,
    worse: WorseBoxes | None = None,
) -> StageResult[DetectionEvaluation]:
    """How good the boxes are, also against another detector's on the same images."""
    return runner.run(SCORE_BOXES, ScoreBoxesRequest(answers, on.held_out, compared_with, worse))
