"""Which models of a class are the same, or the reference's: what no submission's own evidence can show."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from harness.findings import finding
from harness.grading.context import RunContext
from harness.grading.model_run import value
from harness.grading.similarity.copies import Known, copies
from harness.grading.submission_run import Examined
from harness.inputs.given_weights import KnownBackbones
from harness.stages.detection.score_boxes import answers_of
from harness.stages.evidence.conversion import Conversion
from harness.stages.evidence.detections import DetectorAnswers
from harness.stages.evidence.detector_reference import DetectorReference
from harness.stages.evidence.inspection import Inspection
from harness.stages.evidence.predictions import Predictions
from harness.stages.evidence.record import Blob
from harness.stages.evidence.stage_result import Done
from harness.stages.inspect import INSPECT, InspectRequest
from harness.stages.store import Store

_MOST_ANSWERS = 2**20  # numbers of one model that are compared: of 1,000 images those for as many labels

_NOTHING_BUT_ANSWERS = Known(None, frozenset(), (), np.zeros((0, 0), np.float32))  # of what has no graph


def with_copies_noted(
    examined: Sequence[Examined], run_context: RunContext, detector: DetectorReference | None = None
) -> list[Examined]:
    """The same submissions; a model that is another's or the reference's has a finding and `is_copy`.

    They are compared by weights and answers; what has no graph, like a student's own code, by answers alone.
    `detector`: the reference where the task is detection.
    """
    store, classes = run_context.stage_context.store, len(run_context.shared.held_out.classes)
    reference = run_context.shared.reference
    known = []
    if reference is not None:
        looked_into = _inspected(reference.conversion, run_context)
        known.append(_known(None, reference.conversion, reference.predictions, looked_into, store))
    if detector is not None:
        of_reference = _NOTHING_BUT_ANSWERS
        if detector.conversion is not None:
            looked_into = _inspected(detector.conversion, run_context)
            of_reference = _known(None, detector.conversion, None, looked_into, store)
        known.append(replace(of_reference, surest=_surest(detector.answers, classes, store)))
    of_course = len(known)
    whose = []
    for index, one in enumerate(examined):
        model = _of_submission(one, classes, store)
        if model is not None:
            known.append(model)
            whose.append(index)
    noted = [_with_cut(one) for one in examined]
    for index, copy in zip(whose, copies(known)[of_course:], strict=True):
        if copy is None:
            continue
        evidence = noted[index].evidence
        code = "model-copied-disguised" if copy.disguised else "model-copied"
        found = finding(code, other=copy.other(), how=copy.how, detail=copy.whose())
        changes = {
            "later_findings": (*evidence.later_findings, found),
            "is_copy": True,
            "same_model_as": copy.hand_ins,
        }
        noted[index] = replace(noted[index], evidence=evidence.model_copy(update=changes))
    return noted


def _of_submission(one: Examined, classes: int, store: Store) -> Known | None:
    """What is compared of a submission's model; None where it has none that answered."""
    converted, predicted, detected = one.evidence.convert, one.evidence.predict, one.evidence.detect
    answers, name = value(predicted), one.submission.id
    if not isinstance(one.evidence.answered, Done):
        return None
    if isinstance(converted, Done):
        model = _known(name, converted.value, answers, value(one.evidence.inspect), store)
    elif isinstance(detected, Done):
        model = replace(_NOTHING_BUT_ANSWERS, name=name)
    else:
        return None
    if one.held_out is not None:  # on images of its own: its answers cannot be compared
        return replace(model, probabilities=model.probabilities[:0])
    return replace(model, surest=_surest(detected.value, classes, store)) if isinstance(detected, Done) else model


def _surest(answers: DetectorAnswers, classes: int, store: Store) -> NDArray[np.float32]:
    """The surest score of each class on each image, 0 where there is no box: (images, classes)."""
    table = np.zeros((answers.images, classes), np.float32)
    if not answers.every.count:
        return table
    found = answers_of(answers, store).every
    named = found.label >= 0
    np.maximum.at(table, (found.image[named], found.label[named]), found.score[named])
    return table


def _too_many(predictions: Predictions) -> bool:
    """Whether the answers are more than is held of every model of a class at once."""
    return predictions.images * len(predictions.labels) > _MOST_ANSWERS


def _with_cut(one: Examined) -> Examined:
    """The same, with a finding where its answers are not compared."""
    predicted = one.evidence.predict
    if not isinstance(predicted, Done) or not _too_many(predicted.value):
        return one
    found = finding("answers-not-compared", labels=len(predicted.value.labels))
    changes = {"later_findings": (*one.evidence.later_findings, found)}
    return replace(one, evidence=one.evidence.model_copy(update=changes))


def _inspected(reference: Conversion, run_context: RunContext) -> Inspection | None:
    """What the reference's model is made of, for its final layer; None where it cannot be looked into."""
    on = run_context.shared
    nothing_known = KnownBackbones({}, {})
    request = InspectRequest(reference, nothing_known, on.staged, len(on.held_out.classes))
    return value(run_context.runner(None).run(INSPECT, request))


def _known(
    name: str | None,
    conversion: Conversion,
    predictions: Predictions | None,
    inspection: Inspection | None,
    store: Store,
) -> Known:
    """`predictions`: None for a detector, whose boxes are not compared.

    Its labels are numbers where the file does not name them, so heads are compared class by class in their order.
    """
    marks = {conversion.model.sha256} if conversion.factory is None else set()
    if inspection is not None and inspection.weights_fingerprint:
        marks.add(inspection.weights_fingerprint)
    labels = predictions.labels if predictions is not None else conversion.labels
    rows = np.zeros((0, len(labels)), np.float32)
    if predictions is not None and not _too_many(predictions):
        rows = np.load(store.path(predictions.probabilities), allow_pickle=False)
    final_layer = inspection.final_layer if inspection is not None else None
    load = None if final_layer is None else functools.partial(_loaded, store, final_layer)
    return Known(name, frozenset(marks), labels, rows, load)


def _loaded(store: Store, weights: Blob) -> NDArray[np.float32]:
    loaded: NDArray[np.float32] = np.load(store.path(weights), allow_pickle=False)
    return loaded
