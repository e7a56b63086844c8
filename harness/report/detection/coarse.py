"""Rounds a detector's scores for a student, as `coarse.py` does those of a classifier, and for its reasons."""

from __future__ import annotations

from dataclasses import replace

from harness.report.coarse import rounded, rounded_interval
from harness.stages.evaluate.detection.backgrounds import Backgrounds
from harness.stages.evaluate.detection.circumstances import Circumstances, Recall, RecallGroup
from harness.stages.evaluate.detection.coco import CocoScores
from harness.stages.evaluate.detection.counting import Counting, CountScores
from harness.stages.evaluate.detection.curves import CurvePoint, OperatingPoint
from harness.stages.evaluate.detection.error_types import ErrorType, ErrorTypes
from harness.stages.evaluate.detection.false_alarms import FalseAlarms
from harness.stages.evidence.detection_scores import (
    ClassBoxes,
    CorruptedScores,
    DetectionEvaluation,
    LabelRemedy,
    ScalingRemedy,
    VocScores,
)
from harness.stages.evidence.detections import Boxes, BoxFaults, DetectorAnswers
from harness.stages.evidence.record import Blob
from harness.stages.latency_statistics import significant

# Families of detectors that the agent runs itself. What others say of themselves comes out of a process that runs the
# student's code and saw the held-out images.
RUN_NO_CODE = ("ssd_onnx", "ssd_checkpoint", "yolo_onnx", "torchvision_onnx")
_RECALLS = tuple(step / 10 for step in range(11))  # of a curve
_NOTHING = Boxes(**dict.fromkeys(("boxes", "scores", "labels", "images"), Blob(name="", sha256="", bytes=0)), count=0)


def detection(score: DetectionEvaluation, show_held_out: bool) -> DetectionEvaluation:
    """The scores with all shares rounded to a tenth of a percent; boxes over images only where these may be shown.

    How many boxes lie where nothing is is a model's to choose, so such counts have two figures there, too.
    """
    return DetectionEvaluation(
        images=score.images,
        scenes=score.scenes,
        classes=score.classes,
        objects=score.objects,
        depends_on_order=score.depends_on_order,
        scores=_coco(score.scores),
        ap_interval=rounded_interval(score.ap_interval),
        ap50_interval=rounded_interval(score.ap50_interval),
        voc=VocScores(eleven_points=rounded(score.voc.eleven_points, 3), all_points=rounded(score.voc.all_points, 3)),
        per_class=tuple(map(_class, score.per_class)),
        threshold=round(score.threshold, 2),
        at_threshold=_point(score.at_threshold),
        on_board=_point(score.on_board),
        counting=_counting(score.counting),
        errors=_errors(score.errors),
        confusion=score.confusion if show_held_out else _confusion(score.confusion),
        circumstances=_circumstances(score.circumstances),
        false_alarms=None if score.false_alarms is None else _false_alarms(score.false_alarms),
        false_alarms_source=score.false_alarms_source,
        corrupted=None if score.corrupted is None else _corrupted(score.corrupted),
        backgrounds=None if score.backgrounds is None else _backgrounds(score.backgrounds),
        backgrounds_source=score.backgrounds_source,
        remedy=None if score.remedy is None else _remedy(score.remedy),
        scaling_remedy=None if score.scaling_remedy is None else _scaling_remedy(score.scaling_remedy),
        sentences=score.sentences,
        shown=score.shown if show_held_out else (),
        reference_ap50=rounded(score.reference_ap50, 3),
        difference=rounded(score.difference, 3),
        difference_interval=rounded_interval(score.difference_interval),
        reference_exact_share=rounded(score.reference_exact_share, 3),
    )


def detector(answers: DetectorAnswers) -> DetectorAnswers:
    """What the model takes, what its labels mean and how boxes were suppressed; without its boxes, faults and times."""
    said = answers.description
    if said.family not in RUN_NO_CODE:
        said = said.model_copy(
            update={"width": None, "height": None, "scale": 1.0, "mean": (0.0,) * 3, "std": (1.0,) * 3, "labels": None}
        )
    return DetectorAnswers(
        name=answers.name,
        by_the_run=answers.by_the_run,
        meaning=answers.meaning,
        description=said.model_copy(update={"names": ()}),
        environment=answers.environment,
        suppression=answers.suppression,
        every=_NOTHING,
        board=_NOTHING,
        images=answers.images,
        seconds_per_image=significant(answers.seconds_per_image),
        faults=BoxFaults(),
        asked_twice=answers.asked_twice,
        largest_difference=0.0,
        depends_on_order=answers.depends_on_order,
    )


def _coco(scores: CocoScores) -> CocoScores:
    return CocoScores(**{name: rounded(getattr(scores, name), 3) for name in CocoScores.__dataclass_fields__})


def _class(one: ClassBoxes) -> ClassBoxes:
    return ClassBoxes(
        name=one.name,
        objects=one.objects,
        scores=_coco(one.scores),
        ap50_interval=rounded_interval(one.ap50_interval),
        best=None if one.best is None else _point(one.best),
        curve=_curve(one.curve),
    )


def _curve(points: tuple[CurvePoint, ...]) -> tuple[CurvePoint, ...]:
    """At most 12 points, at every tenth of the recall and at the end, without the scores."""
    kept = [
        (level, next(point.precision for point in points if point.recall >= level))
        for level in _RECALLS
        if points and points[-1].recall >= level
    ]
    if points and kept and points[-1].recall > kept[-1][0]:
        kept.append((points[-1].recall, points[-1].precision))
    return tuple(CurvePoint(round(recall, 2), round(precision, 2), 0.0) for recall, precision in kept)


def _point(one: OperatingPoint) -> OperatingPoint:
    return replace(one, threshold=round(one.threshold, 2))


def _counting(counted: Counting) -> Counting:
    return Counting(
        threshold=round(counted.threshold, 2),
        all_objects=_counts(counted.all_objects),
        every_class=counted.every_class,
        per_class=tuple(map(_counts, counted.per_class)),
    )


def _counts(scores: CountScores) -> CountScores:
    low, high = scores.exact_interval
    return replace(
        scores,
        exact_share=round(scores.exact_share, 3),
        exact_interval=(round(low, 3), round(high, 3)),
        mean_absolute_error=round(scores.mean_absolute_error, 2),
        mean_error=round(scores.mean_error, 2),
    )


def _errors(errors: ErrorTypes) -> ErrorTypes:
    """With counts to two figures: most are of boxes with low scores, of which a model can say as many as it likes."""

    def coarse(one: ErrorType) -> ErrorType:
        return ErrorType(int(significant(one.count)), round(one.cost, 3))

    return ErrorTypes(
        classification=coarse(errors.classification),
        localisation=coarse(errors.localisation),
        both=coarse(errors.both),
        duplicate=coarse(errors.duplicate),
        background=coarse(errors.background),
        missed=coarse(errors.missed),
        false_alarms_cost=round(errors.false_alarms_cost, 3),
        missed_cost=round(errors.missed_cost, 3),
    )


def _circumstances(found: Circumstances) -> Circumstances:
    return Circumstances(
        threshold=round(found.threshold, 2),
        all_objects=_recall(found.all_objects),
        per_class=tuple(map(_recall, found.per_class)),
        by_area=tuple(map(_group, found.by_area)),
        by_area_per_class=(),
        by_place=tuple(replace(one, recall=_recall(one.recall)) for one in found.by_place),
        by_crowd=tuple(map(_group, found.by_crowd)),
        by_cover=tuple(map(_group, found.by_cover)),
    )


def _group(one: RecallGroup) -> RecallGroup:
    return replace(one, recall=_recall(one.recall))


def _confusion(matrix: tuple[tuple[int, ...], ...]) -> tuple[tuple[int, ...], ...]:
    """With the last row, boxes where nothing is, to two figures: a model can report as many there as it likes."""
    return (*matrix[:-1], tuple(int(significant(count)) for count in matrix[-1]))


def _recall(one: Recall | None) -> Recall | None:
    if one is None:
        return None
    low, high = one.interval
    return replace(one, interval=(round(low, 3), round(high, 3)))


def _false_alarms(alarms: FalseAlarms) -> FalseAlarms:
    return FalseAlarms(
        threshold=round(alarms.threshold, 2),
        images=alarms.images,
        alarmed=alarms.alarmed,
        alarmed_interval=rounded_interval(alarms.alarmed_interval),
        per_image=rounded(alarms.per_image, 2),
        per_image_interval=rounded_interval(alarms.per_image_interval, 2),
        per_class=tuple(int(significant(count)) for count in alarms.per_class),
    )


def _backgrounds(found: Backgrounds) -> Backgrounds:
    low, high = found.interval
    return replace(
        found,
        threshold=round(found.threshold, 2),
        difference=round(found.difference, 3),
        interval=(round(low, 3), round(high, 3)),
    )


def _corrupted(scores: CorruptedScores) -> CorruptedScores:
    worse = {name: {severity: round(ap, 3) for severity, ap in by.items()} for name, by in scores.worse.items()}
    return CorruptedScores(images=scores.images, clean=rounded(scores.clean, 3), worse=worse)


def _remedy(remedy: LabelRemedy) -> LabelRemedy:
    return LabelRemedy(names=remedy.names, ap50=round(remedy.ap50, 3), would=round(remedy.would, 3))


def _scaling_remedy(remedy: ScalingRemedy) -> ScalingRemedy:
    return ScalingRemedy(way=remedy.way, ap50=round(remedy.ap50, 3), would=round(remedy.would, 3))
