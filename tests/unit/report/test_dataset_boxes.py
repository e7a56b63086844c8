"""The part of a page about a data set with boxes: how many, how large, and drawn over its images."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import synthetic_class
from synthetic_class import SyntheticClass

from harness import report
from harness.gradebook.results import _published
from harness.report.dataset import claims, image_of
from harness.stages.audit.objects import on_thumbnail, sizes_of
from harness.stages.evidence.audit import DatasetAudit, DrawnObject, UnboxedObject
from harness.stages.evidence.stage_result import Done
from harness.stages.store import Store

MUG = DrawnObject(label="mug", box=(0.25, 0.5, 0.75, 1.0))
SPOON = DrawnObject(label="spoon <b>", box=(0.0, 0.0, 0.1, 0.2))


def audit_of(store: Store, folder: Path) -> DatasetAudit:
    np.save(folder / "shown.npy", np.full((3, 112, 112, 3), 90, np.uint8))
    return DatasetAudit(
        classes={"mug": 2, "spoon <b>": 1},
        unreadable=(),
        layout="voc",
        objects=sizes_of([(MUG, SPOON), (MUG,)]),
        not_annotated=("c.jpg",),
        samples=("a.jpg", "b.jpg"),
        shown=("a.jpg", "b.jpg", "c.jpg"),
        drawn={"a.jpg": on_thumbnail((MUG, SPOON), (400, 200)), "b.jpg": (MUG,), "c.jpg": ()},
        thumbnails=store.put(folder / "shown.npy", "shown.npy"),
    )


def test_a_wide_image_lies_in_the_middle_of_its_square():
    left, top, right, bottom = on_thumbnail((MUG,), (400, 200))[0].box
    assert (left, top, right, bottom) == pytest.approx((0.25, 0.5, 0.75, 0.75))


def test_boxes_lie_over_the_images_of_the_claims(tmp_path: Path):
    store = Store(tmp_path / "store")
    audit = audit_of(store, tmp_path)
    found = {one.kind: one for one in claims(audit, image_of(audit, store), lambda *_: None)}
    assert set(found) == {"drawn", "not-annotated"}
    first = found["drawn"].sets[0][0]
    assert first.outlines == "M0.25 0.5H0.75V0.75H0.25zM0 0.25H0.1V0.35H0z" and first.note == "mug, spoon <b>"
    assert found["not-annotated"].sets[0][0].outlines == ""


def test_the_page_says_how_many_and_how_large(tmp_path: Path):
    made: SyntheticClass = synthetic_class.build(tmp_path)
    audit = audit_of(made.sources.store, tmp_path)
    result = made.results.submissions[0].model_copy(update={"dataset": _published(audit)})
    evidence = made.sources.evidence[result.id].model_copy(update={"audit": Done(value=audit)})
    results = made.results.model_copy(update={"submissions": (result, *made.results.submissions[1:])})
    sources = report.Sources(
        {**made.sources.evidence, result.id: evidence},
        made.sources.reference,
        made.sources.held_out,
        made.sources.store,
    )
    report.write(results, sources, tmp_path / "out")
    page = (tmp_path / "out" / "submissions" / result.id / "index.html").read_text("utf-8")
    assert "3 boxes in 2 classes" in page and "Cover of the image" in page
    assert 'd="M0.25 0.5H0.75V0.75H0.25z' in page and "spoon <b>" not in page


def test_an_object_without_a_box_is_drawn_beside_what_was_drawn(tmp_path: Path):
    store = Store(tmp_path / "store")
    place = {"box": (0.5, 0.1, 0.7, 0.3), "on_thumbnail": (0.5, 0.3, 0.7, 0.4)}
    missing = [
        UnboxedObject(picture=name, label=label, score=score, **place)
        for name, label, score in (("a.jpg", "mug", 0.99), ("b.jpg", "mug", 0.97), ("a.jpg", "spoon <b>", 0.95))
    ]
    audit = audit_of(store, tmp_path).model_copy(update={"unboxed": tuple(missing), "looked_at": 3})
    found = {one.kind: one for one in claims(audit, image_of(audit, store), lambda *_: None)}["unboxed"]
    (first,), (second,) = found.sets
    assert (found.count, first.name, second.name) == (2, "a.jpg", "b.jpg")
    assert first.note == "mug 0.99, spoon <b> 0.95" and first.outlines and first.image
    assert first.suspected == 2 * "M0.5 0.3H0.7V0.4H0.5z"
    assert _published(audit).unboxed == audit.unboxed
