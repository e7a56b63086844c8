"""Adds to the audit of a student's data set which objects seem to have no box, as the reference sees them."""

from __future__ import annotations

from harness.findings import Finding, finding
from harness.grading.context import GradedOn, RunContext
from harness.grading.detection.withheld_objects import with_boxes
from harness.grading.model_run import value
from harness.grading.withheld_split import staged_in_store
from harness.stages.audit.objects import box_on_thumbnail
from harness.stages.detection.unboxed import UNBOXED, UnboxedRequest
from harness.stages.evidence.audit import DatasetAudit, UnboxedObject, WithheldImage
from harness.stages.evidence.stage_result import Done, StageResult
from harness.stages.evidence.unboxed_objects import UnboxedBox, UnboxedObjects
from harness.stages.runner import StageRunner

_MOST = 60  # boxes


def with_unboxed(
    audited: StageResult[DatasetAudit], on: GradedOn, run_context: RunContext, runner: StageRunner
) -> StageResult[DatasetAudit]:
    """The audit with `looked_at`, `unboxed`, and the finding; as it was where there is no reference to ask.

    A reference that does not answer is not the student's fault, and leaves the audit as it was, too.
    """
    if not isinstance(audited, Done) or not audited.value.searched or on.detector is None:
        return audited
    audit, context = audited.value, run_context.stage_context
    drawn = with_boxes(audit.searched, tuple(sorted(audit.objects)), context.store)
    staged, reference = staged_in_store(drawn, context), on.detector.answers
    request = UnboxedRequest(drawn, staged, reference, on.held_out.classes, on.training, run_context.weights)
    found = value(runner.run(UNBOXED, request))
    if found is None:
        return audited
    objects = tuple(_on(audit.searched[one.image], one) for one in found.boxes[:_MOST])
    changes = {"looked_at": found.images, "unboxed": objects}
    return audited.model_copy(
        update={
            "value": audit.model_copy(update=changes),
            "findings": (*audited.findings, *_noticed(found, objects)),
        }
    )


def _noticed(found: UnboxedObjects, objects: tuple[UnboxedObject, ...]) -> tuple[Finding, ...]:
    if not objects:
        return ()
    return (
        finding(
            "dataset-unboxed-objects",
            count=len(found.boxes),
            images=len({one.image for one in found.boxes}),
            looked_at=found.images,
            label=objects[0].label,
            picture=objects[0].picture,
        ),
    )


def _on(image: WithheldImage, one: UnboxedBox) -> UnboxedObject:
    return UnboxedObject(
        picture=image.picture,
        label=one.label,
        score=one.score,
        box=one.box,
        on_thumbnail=box_on_thumbnail(one.box, (image.width, image.height)),
    )
