"""Annotations as other people's tools write them: what can be meant is read, and what is not used is named."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from harness.agent.dataset import Reading, read
from harness.agent.dataset.outlines import box_around
from harness.agent.dataset.walk import tree

OBJECT = "<object><name>{}</name><bndbox><xmin>11</xmin><ymin>11</ymin><xmax>61</xmax><ymax>51</ymax></bndbox></object>"
XML = f"<annotation>{OBJECT.format('cup')}</annotation>"


def reading(folder: Path, files: dict[str, bytes | str], images: tuple[str, ...] = ("images/a.jpg",)) -> Reading:
    for name in images:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (120, 80)).save(folder / name)
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return read(tree(folder))


def coco(images: list[dict[str, Any]], objects: list[dict[str, Any]], category: object = 1) -> dict[str, bytes | str]:
    said = {"images": images, "annotations": objects, "categories": [{"id": category, "name": "cup"}]}
    return {"boxes.json": json.dumps(said)}


def boxes(found: Reading) -> list[tuple[str, list[float]]]:
    return [(box.label, [box.left, box.top, box.right, box.bottom]) for one in found.images for box in one.boxes]


CUP = ("cup", [10.0, 10.0, 60.0, 50.0])


@pytest.mark.parametrize(
    ("image_id", "named_id", "category", "named_category"),
    [(0, 0, 0, 0), ("0", 0, "1", 1), (7.0, "7", 1, 1.0), ("a.jpg", "a.jpg", 1, "1")],
)
def test_ids_of_coco_are_the_same_as_number_and_as_text(
    image_id: object, named_id: object, category: object, named_category: object, tmp_path: Path
) -> None:
    image = {"id": image_id, "file_name": "a.jpg"}
    drawn = {"image_id": named_id, "category_id": named_category, "bbox": ["10", 10, 50.0, "40"]}
    found = reading(tmp_path, coco([image], [drawn], category))
    assert boxes(found) == [CUP] and not found.faults


@pytest.mark.parametrize("again", ["a.jpg", "./a.jpg", "images\\A.jpg"])
def test_objects_of_no_image_are_counted_and_an_image_that_is_listed_twice_keeps_all(
    again: str, tmp_path: Path
) -> None:
    images = [{"id": 1, "file_name": "a.jpg"}, {"id": 2, "file_name": again}, {"id": 1, "file_name": "a.jpg"}]
    drawn = [{"image_id": one, "category_id": 1, "bbox": [10, 10, 50, 40]} for one in (1, 2, 9, 9)]
    found = reading(tmp_path, coco(images, drawn))
    assert boxes(found) == [CUP, CUP]
    assert found.faults == ("boxes.json: 2 objects belong to no image that it lists",)


def test_custom_visions_entries_for_one_image_are_joined_and_a_second_file_is_named(tmp_path: Path) -> None:
    tags = [{"tag": "cup", "left": 1 / 12, "top": 1 / 8, "width": 5 / 12, "height": 1 / 2}]
    said = json.dumps({"files": [{"filename": name, "tags": tags} for name in ("a.jpg", "./a.jpg")]})
    found = reading(tmp_path, {"tagged-images.json": said})
    assert [(name, pytest.approx(sides)) for name, sides in boxes(found)] == [CUP, CUP] and not found.faults
    again = reading(tmp_path, {"tagged-more.json": said})
    assert len(boxes(again)) == 2 and "tagged-more.json: another file lists 'a.jpg'" in again.faults[0]


def test_of_texts_that_differ_in_case_each_image_has_its_own(tmp_path: Path) -> None:
    files: dict[str, bytes | str] = {"A.txt": "0 .5 .5 .2 .2\n", "a.txt": "1 .5 .5 .2 .2\n", "C.TXT": "2 .5 .5 .2 .2\n"}
    images = ("A.jpg", "a.jpg", "c.jpg")
    found = reading(tmp_path, files, images)
    assert [(one.file.name, one.label) for one in found.images] == [("A.jpg", "0"), ("a.jpg", "1"), ("c.jpg", "2")]
    (tmp_path / "a.txt").unlink()
    alone = reading(tmp_path, {}, images)
    assert [one.annotated for one in alone.images] == [True, False, True], "the text is another image's"


def test_an_image_in_two_files_has_the_boxes_of_one_and_that_is_said(tmp_path: Path) -> None:
    files = coco([{"id": 1, "file_name": "a.jpg"}], [{"image_id": 1, "category_id": 1, "bbox": [10, 10, 50, 40]}])
    found = reading(tmp_path, files | {"copy.json": files["boxes.json"]})
    assert boxes(found) == [CUP] and "another file lists 'a.jpg'" in found.faults[0]
    (tmp_path / "voc").mkdir()
    twice = reading(tmp_path / "voc", {"x/a.xml": XML, "y/a.xml": XML})
    assert len(twice.images[0].boxes) == 1
    assert "another annotation is of the same image" in twice.faults[0]


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"Annotations/a.xml": f"<!DOCTYPE a [<!ENTITY x 'y'>]>{XML}"}, "a.xml: it declares a document type"),
        ({"Annotations/a.xml": f'<?xml version="1.0" encoding="klingon"?>{XML}'}, "a.xml: it is not XML"),
        ({"Annotations/a.xml": ""}, "a.xml: it is not XML"),
        ({"boxes.json": '{"images": [], "annotations": ['}, "boxes.json: it is not JSON"),
        ({"boxes.json": '{"images": [], "annotations": []}'}, "boxes.json: it has no list 'categories'"),
        ({"labels/a.txt": "cup .5 .5 .2 .2\n"}, "a.txt: no line of it is an object"),
        ({"labels/a.txt": "0,.5,.5,.2,.2\n"}, "a.txt: no line of it is an object"),
    ],
)
def test_annotations_of_which_none_can_be_read_are_named(
    files: dict[str, bytes | str], said: str, tmp_path: Path
) -> None:
    """The images then count as those of a data set without boxes."""
    found = reading(tmp_path, files)
    assert found.layout in ("class-folders", "split-folders") and len(found.images) == 1
    assert [fault for fault in found.faults if fault.startswith(said)], found.faults


def test_other_texts_and_json_beside_folders_of_classes_are_no_faults(tmp_path: Path) -> None:
    files: dict[str, bytes | str] = {"cup/readme.txt": "A cup.", "package.json": '{"name": 1}', "notes.json": "{"}
    found = reading(tmp_path, files, ("cup/a.jpg", "fork/b.jpg"))
    assert (found.layout, found.faults) == ("class-folders", ())


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_yolo_text_may_begin_with_a_byte_order_mark(encoding: str, tmp_path: Path) -> None:
    text = "0 0.5 0.5 0.2 0.2\n1 0.2 0.2 0.1 0.1\n"
    found = reading(tmp_path, {"labels/a.TXT": text.encode(encoding), "data.yaml": "names: [cup, fork]"})
    assert [label for label, _ in boxes(found)] == ["cup", "fork"] and not found.faults


def test_a_yolo_class_without_a_name_and_a_text_without_an_image_are_named(tmp_path: Path) -> None:
    line = "7 0.5 0.5 0.2 0.2\n"
    found = reading(tmp_path, {"labels/a.txt": line, "labels/gone.txt": line, "data.yaml": "names: [cup, fork]"})
    assert found.faults == (
        "a.txt: it has a class 7, and only 0 to 1 have names",
        "gone.txt: there is no image of this name",
    )


@pytest.mark.parametrize("layout", ["coco", "voc", "yolo"])
def test_a_name_with_accents_is_the_same_on_macos(layout: str, tmp_path: Path) -> None:
    whole, apart = (unicodedata.normalize(form, "mon café 1") for form in ("NFC", "NFD"))
    drawn = {"image_id": 1, "category_id": 1, "bbox": [10, 10, 50, 40]}
    every: dict[str, dict[str, bytes | str]] = {
        "coco": coco([{"id": 1, "file_name": f"{whole}.jpg"}], [drawn]),
        "voc": {f"Annotations/{whole}.xml": XML},
        "yolo": {f"labels/{whole}.txt": "0 0.5 0.5 0.2 0.2\n"},
    }
    found = reading(tmp_path, every[layout], (f"images/{apart}.JPG",))
    assert found.layout == layout and len(boxes(found)) == 1 and not found.faults


def test_voc_with_a_namespace_is_voc(tmp_path: Path) -> None:
    found = reading(tmp_path, {"Annotations/a.xml": XML.replace("<annotation>", '<annotation xmlns="urn:x">')})
    assert found.layout == "voc" and [label for label, _ in boxes(found)] == ["cup"]


def test_the_box_around_a_mask_is_that_of_its_pixels() -> None:
    """Of a mask of 6 x 5: columns 1 and 2, rows 2 to 4; as runs, and as pycocotools packs them."""
    runs = [8, 3, 3, 3, 13]
    assert box_around({"size": [6, 5], "counts": runs}) == [1, 2, 2, 3]
    assert box_around({"size": [6, 5], "counts": packed(runs)}) == [1, 2, 2, 3]
    assert box_around({"size": [6, 5], "counts": [2, 8, 20]}) == [0, 0, 2, 6], "a run over the end of a column"
    for odd in ({"size": [0, 5], "counts": runs}, {"size": [6, 5], "counts": "\x01"}, {"counts": [-1]}, None, [[1]]):
        assert all(side != side for side in box_around(odd))


def packed(runs: list[int]) -> str:
    """`rleToString` of COCO's maskApi.c."""
    text = ""
    for at, run in enumerate(runs):
        value = run - runs[at - 2] if at > 2 else run
        more = True
        while more:
            bits, value = value & 31, value >> 5
            more = value != -1 if bits & 16 else value != 0
            text += chr((bits | 32 if more else bits) + 48)
    return text
