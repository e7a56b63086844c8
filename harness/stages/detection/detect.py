"""The stage `detect`: of the models that may be graded, the first that answers as a detector, and its boxes.

It is asked about training images with known objects first, which are no secret: so a student may read why his file is
none, and what the labels mean and how pixels are scaled is measured. Held-out images come after that.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from harness.inputs.given_weights import GivenWeights
from harness.inputs.images import HeldOutSet, StagedImages, TrainingImages, sample
from harness.sandbox import KERAS
from harness.stages.candidates import first_graded
from harness.stages.context import StageContext
from harness.stages.convert import HandedModel
from harness.stages.detection.asking import Asking, Unanswered, detect, look
from harness.stages.detection.handed_in import kept
from harness.stages.detection.label_meaning import Found, meant, names_of, void_labels
from harness.stages.detection.label_measurement import Objects
from harness.stages.detection.measuring_scaling import Known, Tried, said, tried_scalings
from harness.stages.detection.reply import Rows
from harness.stages.detection.score_boxes import labelled_images
from harness.stages.evidence.detections import DetectorAnswers
from harness.stages.evidence.stage_result import Done, StageResult
from harness.stages.handin_files import Declarations, declared_by, labels_of_data_set
from harness.stages.stage import Stage

_MOST_KNOWN = 24  # training images


@dataclass(frozen=True, slots=True)
class DetectRequest:
    """The models, the best first, the classes, images that are no secret, and those that are held out."""

    models: tuple[HandedModel, ...]
    withholds: bool  # then only the rerun's model is graded
    classes: tuple[str, ...]
    known: HeldOutSet  # training images with their objects; empty where there are none
    known_staged: StagedImages
    training: TrainingImages
    weights: GivenWeights
    staged: StagedImages
    environments: tuple[str, ...] = (KERAS.lock,)  # that reading a model may need, besides the context's own


def _detect(request: DetectRequest, context: StageContext) -> StageResult[DetectorAnswers]:
    def answered(model: HandedModel) -> StageResult[DetectorAnswers]:
        declared = declared_by(model.companions)
        result = _answered(model, declared, request, context)
        return result.model_copy(update={"findings": (*declared.findings, *result.findings)})

    return first_graded(request.models, answered, request.withholds, context.limits.wall_seconds, quotes=False)


def _answered(
    model: HandedModel, declared: Declarations, request: DetectRequest, context: StageContext
) -> StageResult[DetectorAnswers]:
    """One model's boxes for the held-out images, and what their labels mean."""
    handed = kept(model, declared, context.store)
    asking = Asking(handed, request.training.check_images(), request.weights.hub)
    chosen = sample(request.known_staged, _MOST_KNOWN) if request.known_staged.names else ()
    try:
        looked = look(asking, request.known_staged, chosen, context)
    except Unanswered as nothing:
        return nothing.failure
    given = names_of(
        declared.labels,
        declared.labels_in,
        labels_of_data_set(model.companions),
        looked.description.names,
        request.classes,
    )
    objects = _objects(request.known, chosen)

    def shown(rows: Rows) -> tuple[int, ...]:
        meaning, _ = meant(given, request.classes, looked.description, _most_labels(rows), Found(rows, objects))
        return meaning.measured or meaning.taken

    tried = Tried()
    if chosen:
        known = Known(request.known_staged, labelled_images(request.known), chosen)
        tried = tried_scalings(asking, looked, known, shown, looked.context)
    is_declared = handed.preprocess is not None
    handed = replace(
        handed,
        void=void_labels(declared.labels, looked.description),
        scaling=None if is_declared else tried.scaling,
    )
    other = tried.scaling if is_declared else None
    asking = replace(asking, detector=handed)
    result = detect(asking, request.staged, looked.context, other)
    if other is not None and not isinstance(result, Done):  # its own answers may not fail by a question of ours
        result = detect(asking, request.staged, looked.context)
    if not isinstance(result, Done):
        return result
    rows = looked.found if is_declared or tried.rows is None else tried.rows
    labels = max(_most_labels(rows), _labels(result.value, context))
    meaning, noticed = meant(given, request.classes, looked.description, labels, Found(rows, objects))
    if tried.fit is not None:
        noticed += tuple(said(tried.fit, looked.description.family, declared=is_declared))
    value = result.value.model_copy(
        update={
            "name": model.shown,
            "by_the_run": model.by_the_run,
            "meaning": meaning,
            "fit": tried.fit,
            "scaling_unsettled": not is_declared and tried.open,
        }
    )
    return result.model_copy(update={"value": value, "findings": (*noticed, *tried.findings, *result.findings)})


def _most_labels(rows: Rows) -> int:
    return int(rows.labels.max(initial=-1)) + 1


def _labels(answers: DetectorAnswers, context: StageContext) -> int:
    """How many labels the boxes for held-out images have at least."""
    stored = [one for one in (answers.every, answers.board, answers.other) if one is not None]
    rows = [np.load(context.store.path(boxes.labels), allow_pickle=False) for boxes in stored]
    return max(int(labels.max(initial=-1)) + 1 for labels in rows)


def _objects(known: HeldOutSet, chosen: tuple[int, ...]) -> Objects:
    """The objects on the chosen images; one that is ignored tells nothing."""
    there = [(image, box) for image in sorted(chosen) for box in known.objects[image].boxes if not box.ignored]
    corners = [(box.left, box.top, box.right, box.bottom) for _, box in there]
    return Objects(
        np.array(corners, np.float32).reshape(-1, 4),
        np.array([box.label for _, box in there], np.int64),
        np.array([image for image, _ in there], np.int32),
    )


DETECT = Stage("detect", DetectorAnswers, _detect)
