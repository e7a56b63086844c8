"""The stage `read_boxes`: what an instructor's folder holds, in each layout, and what a broken one costs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from voc_course import InProcess, annotation, context, noise, voc

from harness.boundary.bounded_json import read_bounded
from harness.sandbox.engine import Job, Outcome
from harness.stages.detection.read_boxes import read_boxes
from harness.stages.evidence.box_reading import BoxReading
from harness.stages.evidence.stage_result import Done, Failed

BOMB = '<!DOCTYPE a [<!ENTITY x "y"><!ENTITY z "&x;&x;">]><annotation><object><name>&z;</name></object></annotation>'


@pytest.fixture
def reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    def of(folder: Path) -> BoxReading:
        result = read_boxes(folder, context(InProcess(monkeypatch, tmp_path), tmp_path))
        assert isinstance(result, Done), result
        return result.value

    return of


def test_voc_with_what_is_wrong_in_it(tmp_path: Path, reading: Any):
    objects = [("cup", 13, 9, 61, 49), ("cup", 1, 1, 121, 81, True), ("plate", 30, 30, 20, 40), ("cup", -9, 1, 20, 20)]
    folder = voc(tmp_path / "set", [objects, [], None, [("knife", 1, 1, 31, 41)]], labels="BACKGROUND\ncup\nplate\n")
    (folder / "Annotations" / "bomb.xml").write_text(BOMB)
    (folder / "Annotations" / "gone.xml").write_text(annotation([("cup", 1, 1, 9, 9)]))
    (folder / "JPEGImages" / "004.jpg").write_bytes(b"no image")
    found = reading(folder)
    assert (found.layout, found.labels) == ("voc", ("BACKGROUND", "cup", "plate"))
    assert [image.name for image in found.images] == [f"JPEGImages/00{n}.jpg" for n in range(4)]
    assert found.unreadable == ("JPEGImages/004.jpg",)
    first = found.images[0]
    assert [(box.label, box.left, box.bottom, box.ignored) for box in first.boxes] == [
        ("cup", 0.1, 0.6, False),
        ("cup", 0.0, 1.0, True),
        ("cup", 0.0, 0.2375, False),
    ]
    assert (first.left_out, [len(image.boxes) for image in found.images]) == (1, [3, 0, 0, 1])
    assert found.objects() == {"cup": 2, "knife": 1}
    assert {fault.partition(":")[0] for fault in found.faults} == {"bomb.xml", "gone.xml"}
    assert {(fault.kind, fault.label) for fault in found.box_faults} == {
        ("empty", "plate"), ("outside", "cup"), ("unlisted", "knife"),
    }  # fmt: skip


def test_coco_yolo_and_open_images_give_the_same(tmp_path: Path, reading: Any):
    coco, yolo, table = (tmp_path / name for name in ("coco", "yolo", "table"))
    for folder, place in ((coco, ""), (yolo, "images"), (table, "test")):
        noise(folder / place / "1.jpg", 1)
        noise(folder / place / "2.jpg", 2)
    said = {
        "images": [{"id": 1, "file_name": "1.jpg", "width": 120, "height": 80}],
        "annotations": [{"image_id": 1, "category_id": 7, "bbox": [12, 8, 48, 40]}],
        "categories": [{"id": 7, "name": "cup"}],
    }
    (coco / "boxes.json").write_text(json.dumps(said))
    (yolo / "labels").mkdir()
    (yolo / "labels" / "1.txt").write_text("0 0.3 0.35 0.4 0.5\n")
    (yolo / "classes.txt").write_text("cup\n")
    row = "1,x,cup,1,0.1,0.5,0.1,0.6\n"
    (table / "sub-test-annotations-bbox.csv").write_text(
        "ImageID,Source,ClassName,Confidence,XMin,XMax,YMin,YMax\n" + row
    )
    for folder, layout in ((coco, "coco"), (yolo, "yolo"), (table, "open-images")):
        found = reading(folder)
        assert (found.layout, len(found.images)) == (layout, 2)
        (box,) = found.images[0].boxes
        sides = [box.left, box.top, box.right, box.bottom]
        assert (box.label, sides) == ("cup", pytest.approx([0.1, 0.1, 0.5, 0.6], abs=1e-6))


def test_a_large_set_comes_in_parts_that_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folder = voc(tmp_path / "set", [[("cup", 1, 1, 40, 40)] * 900] * 12)
    sizes: list[int] = []

    class Measured(InProcess):
        def run(self, job: Job, outputs: Path) -> Outcome:
            done = super().run(job, outputs)
            sizes.extend(len(read_bounded(file)) for file in outputs.glob("images-*.json"))
            return done

    found = read_boxes(folder, context(Measured(monkeypatch, tmp_path), tmp_path))
    assert isinstance(found, Done) and found.value.objects() == {"cup": 10_800}
    assert len(sizes) == 2


@pytest.mark.parametrize(("count", "reason"), [(501, "500 classes"), (500, "")])
def test_more_classes_than_a_course_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int, reason: str):
    folder = voc(tmp_path / "set", [[(f"c{number}", 1, 1, 40, 40) for number in range(count)]])
    result = read_boxes(folder, context(InProcess(monkeypatch, tmp_path), tmp_path))
    assert isinstance(result, Failed) == bool(reason)
    assert reason in getattr(result, "reason", "")


ROW: dict[str, Any] = {
    "name": "a.jpg",
    "split": "",
    "box_faults": [],
    "seen": {"width": 9, "height": 9, "boxes": [[0, 0.1, 0.1, 0.5, 0.5, False]], "left_out": 0},
}


def sent(rows: list[dict[str, Any]], **said: Any) -> dict[str, bytes]:
    reply = {"layout": "voc", "classes": ["cup"], "labels": None, "parts": 1, "left_out": 0, "in_several": 0}
    files = {"boxes.json": {**reply, "faults": [], **said}, "images-0.json": {"images": rows}}
    return {name: json.dumps(content).encode() for name, content in files.items()}


def row(*box: Any, **changes: Any) -> dict[str, Any]:
    return ROW | {"seen": ROW["seen"] | {"boxes": [list(box)] if box else ROW["seen"]["boxes"]}} | changes


@pytest.mark.parametrize(
    "files",
    [
        sent([row(1, 0.1, 0.1, 0.5, 0.5, False)]),
        sent([row(0, 0.5, 0.1, 0.1, 0.5, False)]),
        sent([row(0, 0.1, 0.1, 1.5, 0.5, False)]),
        sent([row(0, 0.1, 0.1, float("nan"), 0.5, False)]),
        sent([row(), row()]),
        sent([row(name="../secret.jpg")]),
        sent([row(name="/etc/passwd")]),
        sent([row()], parts=51),
        sent([row()], classes=["x" * 201]),
        {"boxes.json": b"[]"},
        {},
    ],
)
def test_a_reply_that_does_not_hold_together_is_refused(tmp_path: Path, files: dict[str, bytes]):
    class Sends(InProcess):
        def run(self, job: Job, outputs: Path) -> Outcome:
            for name, content in files.items():
                (outputs / name).write_bytes(content)
            return Outcome("ok", 0, "", 1.0, 1.0, 1, False)

    honest = files | sent([row()])
    result = read_boxes(tmp_path, context(Sends(None, tmp_path), tmp_path))  # type: ignore[arg-type]
    assert isinstance(result, Failed) and result.status == "rejected"
    files.update(honest)
    assert isinstance(read_boxes(tmp_path, context(Sends(None, tmp_path), tmp_path)), Done)  # type: ignore[arg-type]
