"""Which models of a class are the same, or the reference's: what no hand-in's own evidence can show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from harness.course import Course
from harness.evaluate.copies import Known, copies
from harness.evidence import Conversion, Done, Inspection, Predictions
from harness.run import Examined
from harness.store import Store


def with_copies_noted(examined: Sequence[Examined], course: Course) -> list[Examined]:
    """The same hand-ins, with a finding on those whose model is another's or the reference's."""
    store = course.workplace.store
    reference = course.reference
    known = []
    if reference is not None:
        known.append(_known("the reference solution", reference.conversion, reference.predictions, None, store))
    of_course = len(known)
    whose = []
    for index, one in enumerate(examined):
        converted, predicted, inspected = one.evidence.convert, one.evidence.predict, one.evidence.inspect
        if isinstance(converted, Done) and isinstance(predicted, Done):
            looked_into = inspected.value if isinstance(inspected, Done) else None
            model = _known(one.submission.id, converted.value, predicted.value, looked_into, store)
            if one.held_out is not None:  # on pictures of its own: its answers cannot be compared
                model = replace(model, probabilities=model.probabilities[:0])
            known.append(model)
            whose.append(index)
    noted = list(examined)
    for index, findings in zip(whose, copies(known)[of_course:], strict=True):
        evidence = examined[index].evidence
        beside = (*evidence.intake_findings, *findings)
        noted[index] = replace(examined[index], evidence=evidence.model_copy(update={"intake_findings": beside}))
    return noted


def _known(
    name: str, conversion: Conversion, predictions: Predictions, inspection: Inspection | None, store: Store
) -> Known:
    marks = {conversion.model.sha256} if conversion.factory is None else set()
    if inspection is not None and inspection.weights_fingerprint:
        marks.add(inspection.weights_fingerprint)
    rows = np.load(store.path(predictions.probabilities), allow_pickle=False)
    return Known(name, frozenset(marks), predictions.labels, rows)
