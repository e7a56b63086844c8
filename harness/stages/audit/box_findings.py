"""What is said of a data set that is for detection: the fields of its audit, and the findings."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from harness.findings import Finding, finding
from harness.stages.audit.class_lists import about_lists
from harness.stages.audit.images import ImageSet
from harness.stages.audit.objects import Objects, classes_of, nearly_filled, sizes_of
from harness.stages.audit.reply import Reply, Row
from harness.stages.audit.split import balanced
from harness.stages.evidence.audit import DatasetAudit

_NEAR = 0.4  # of the image's area
_ENOUGH = 8  # objects, to say something of their sizes
_MOST_EXAMPLES = 3
_MOST_NAMED = 100
_SAMPLES = 12  # images on which the report shows the boxes


def of_boxes(reply: Reply, readable: Sequence[int], images: ImageSet, objects: Sequence[Objects]) -> dict[str, object]:
    """The audit's fields about boxes. `objects`: of each readable image."""
    rows = [reply.images[index] for index in readable]
    drawn = [(row.name, [one.model_dump() for one in own]) for row, own in zip(rows, objects, strict=True) if own]
    by_pixels = sorted(range(len(images)), key=lambda i: images.described[i].sha256)
    samples = balanced([classes_of(one) for one in objects], by_pixels, _SAMPLES)
    return {
        "objects": sizes_of(objects),
        "not_annotated": tuple(row.name for row in rows if not row.annotated)[:_MOST_NAMED],
        "without_boxes": tuple(row.name for row in rows if _is_empty(row))[:_MOST_NAMED],
        "samples": tuple(images.names[i] for i in samples),
        "objects_sha256": hashlib.sha256(json.dumps(drawn).encode()).hexdigest(),
    }


def _is_empty(row: Row) -> bool:
    return row.annotated and not row.objects and not row.objects_left_out


def about_boxes(value: DatasetAudit, reply: Reply) -> tuple[Finding, ...]:
    """The findings about boxes, and about the lists and files that hold them."""
    readable = [row for row in reply.images if row.seen is not None]
    if not value.objects:
        return (finding("dataset-no-boxes"), *_about_files(reply))
    found = []
    if bare := [row.name for row in readable if not row.annotated]:
        found.append(finding("dataset-not-annotated", count=len(bare), names=_examples(bare)))
    if empty := [row.name for row in readable if _is_empty(row)]:
        found.append(finding("dataset-without-boxes", count=len(empty), names=_examples(empty)))
    if left_out := [row.name for row in readable if row.objects_left_out]:
        boxes = sum(row.objects_left_out for row in readable)
        found.append(finding("dataset-boxes-left-out", boxes=boxes, names=_examples(left_out)))
    if near := nearly_filled(value.objects, _NEAR, _ENOUGH):
        found.append(finding("dataset-objects-near", classes=_examples(near), share=_NEAR))
    found += about_lists({name: one.objects for name, one in value.objects.items()}, reply.listed)
    return (*found, *_about_files(reply))


def _about_files(reply: Reply) -> list[Finding]:
    found = []
    if reply.not_plain:
        found.append(finding("dataset-not-utf8", names=_examples(reply.not_plain)))
    if reply.outlines:
        found.append(finding("dataset-outlines", count=reply.outlines))
    return found


def _examples(names: Sequence[str]) -> str:
    return ", ".join(names[:_MOST_EXAMPLES]) + (", ..." if len(names) > _MOST_EXAMPLES else "")
