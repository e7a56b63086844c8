"""Scores detectors on images withheld from a student's own data set: the reference, the rerun's, the one handed in."""

from __future__ import annotations

from collections.abc import Sequence

from harness.findings import Finding, finding, sentence
from harness.grading.context import GradedOn, RunContext
from harness.grading.detection.detector_run import DetectorEvidence, detect, score
from harness.grading.model_run import value
from harness.grading.withheld_split import WithheldSplit, trained_detector
from harness.inputs.submission import Submission
from harness.stages import model_selection
from harness.stages.convert import HandedModel
from harness.stages.evidence.detection_scores import DetectionEvaluation
from harness.stages.evidence.detections import DetectorAnswers
from harness.stages.evidence.own_boxes import OwnBoxes, SeenBoxes
from harness.stages.runner import StageRunner


def own_boxes(
    submission: Submission,
    split: WithheldSplit | None,
    of_rerun: Sequence[HandedModel],
    graded: DetectorEvidence,
    run_context: RunContext,
    runner: StageRunner,
) -> tuple[OwnBoxes | None, tuple[Finding, ...]]:
    """Scores on the withheld images: the rerun's detector, and the handed-in one, which has seen them.

    `of_rerun`: the models that the rerun made, of which one is graded. None where nothing is withheld, and when no
    reference could be trained on the data set.
    """
    if split is None or not run_context.trains_reference:
        return None, ()
    on, shared = split.graded_on, run_context.assignment.has_shared_set
    trained = trained_detector(split, run_context) if shared else on.detector
    if trained is None:
        return None, (finding("harness-defect", reason=sentence("reference-not-trained-here")),)
    answers, rerun = value(graded.detect), value(graded.score_boxes)
    if shared:  # it was graded on the course's images
        same = [model for model in of_rerun if answers is not None and model.shown == answers.name]
        answers = _answers(same, on, run_context, runner)
        rerun = value(score(answers, on, trained.answers, runner))
    assignment = run_context.assignment
    handed_in = (
        *model_selection.handed_in(submission, assignment.handin),
        *model_selection.answering(submission, assignment),
    )
    seen = value(score(_answers(handed_in, on, run_context, runner), on, answers, runner))
    found = OwnBoxes(reference=trained, rerun=rerun, seen=None if seen is None else _seen(seen))
    return found, _noticed(found)


def _answers(
    models: Sequence[HandedModel], on: GradedOn, run_context: RunContext, runner: StageRunner
) -> DetectorAnswers | None:
    return value(detect(tuple(models), on, run_context, runner)) if models else None


def _seen(score: DetectionEvaluation) -> SeenBoxes:
    return SeenBoxes(
        ap50=score.scores.ap50,
        ap50_interval=score.ap50_interval,
        difference=score.difference,
        difference_interval=score.difference_interval,
    )


def _noticed(found: OwnBoxes) -> tuple[Finding, ...]:
    """A finding if the handed-in detector, which has seen the images, is significantly better than the rerun's."""
    seen, rerun = found.seen, found.rerun
    if seen is None or rerun is None or seen.difference is None or seen.difference_interval is None:
        return ()
    if seen.ap50 is None or rerun.scores.ap50 is None or seen.difference_interval[0] <= 0:
        return ()
    code = "seen-finds-more-than-rerun"
    return (finding(code, seen=seen.ap50, rerun=rerun.scores.ap50, difference=seen.difference),)
