"""Which models of a class are the same, or the reference's: what no hand-in's own evidence can show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from harness.evaluate.copies import Known, copies
from harness.evidence import Conversion, Done, Inspection, Predictions
from harness.run import Course, Examined
from harness.store import Store


def with_copies_noted(examined: Sequence[Examined], course: Course) -> list[Examined]:
    """The same hand-ins; a model that is another's or the reference's has a finding and the verdict `copied`."""
    store = course.workplace.store
    reference = course.reference
    known = [_known("the reference solution", reference.conversion, reference.predictions, None, store)]
    whose = []
    for index, one in enumerate(examined):
        converted, predicted, inspected = one.evidence.convert, one.evidence.predict, one.evidence.inspect
        if isinstance(converted, Done) and isinstance(predicted, Done):
            looked_into = inspected.value if isinstance(inspected, Done) else None
            known.append(_known(one.submission.id, converted.value, predicted.value, looked_into, store))
            whose.append(index)
    noted = list(examined)
    for index, findings in zip(whose, copies(known)[1:], strict=True):
        evidence = examined[index].evidence
        beside = (*evidence.intake_findings, *findings)
        changes: dict[str, object] = {"intake_findings": beside}
        inspected = evidence.inspect
        if findings and isinstance(inspected, Done):
            value = inspected.value.model_copy(update={"verdict": "copied"})
            changes["inspect"] = inspected.model_copy(update={"value": value})
        noted[index] = replace(examined[index], evidence=evidence.model_copy(update=changes))
    return noted


def _known(
    name: str, conversion: Conversion, predictions: Predictions, inspection: Inspection | None, store: Store
) -> Known:
    marks = {conversion.model.sha256} if conversion.factory is None else set()
    if inspection is not None and inspection.weights_fingerprint:
        marks.add(inspection.weights_fingerprint)
    rows = np.load(store.path(predictions.probabilities), allow_pickle=False)
    return Known(name, frozenset(marks), predictions.labels, rows)
