"""YOLO's text files, Open Images' tables and Custom Vision's JSON are read as their tools mean them, without harm."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path

import pytest
from PIL import Image

from harness.agent.dataset import Box, Reading, open_images, open_tree, read
from harness.agent.dataset.boxes import faults

YAML = "path: /content/cards\ntrain: ../train/images\nval: valid/images\nnames:\n  0: ace\n  1: king\n"
HEAD = "ImageID,Source,XMin,XMax,YMin,YMax,ClassName\n"


def image(place: Path, size: tuple[int, int] = (100, 80)) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (90, 120, 150)).save(place)


def write(place: Path, text: str) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text)


def reading(root: Path) -> Reading:
    return read(open_tree(root, root.parent / "scratch"))


def sides(box: Box) -> list[float]:
    return [round(side, 3) for side in (box.left, box.top, box.right, box.bottom)]


def test_roboflow_and_ultralytics_put_labels_beside_images(tmp_path: Path):
    root = tmp_path / "set"
    for name in ("train/images/a.jpg", "valid/images/b.jpg", "valid/images/nothing.jpg"):
        image(root / name)
    write(root / "train/labels/a.txt", "1 0.5 0.5 0.2 0.4\n0 0.1 0.1 0.1 0.1\n")
    write(root / "valid/labels/b.txt", "0 0.25 0.25 0.75 0.25 0.75 0.5 0.25 0.5\n")
    write(root / "valid/labels/nothing.txt", "")
    write(root / "data.yaml", YAML)
    found = reading(root)
    assert found.layout == "yolo" and found.labels == ("ace", "king") and not found.faults
    assert [(one.label, one.split) for one in found.images] == [("king", "train"), ("ace", "val"), (None, "val")]
    assert sides(found.images[0].boxes[0]) == [40, 24, 60, 56]
    assert sides(found.images[1].boxes[0]) == [25, 20, 75, 40]  # the box of the polygon
    assert found.images[2].boxes == ()


@pytest.mark.parametrize("names", ["obj.names", "classes.txt"])
def test_darknets_lists_name_classes_and_splits(tmp_path: Path, names: str):
    root = tmp_path / "set"
    for name in ("a", "b"):
        image(root / "obj_train_data" / f"{name}.png")
        write(root / "obj_train_data" / f"{name}.txt", "1.0 0.5 0.5 0.5 0.5 0.93\n")
    write(root / names, "ace\nking\n")
    write(root / "train.txt", "data/obj_train_data/a.png\n")
    write(root / "test.txt", "data\\obj_train_data\\b.png\n")
    found = reading(root)
    assert [(one.label, one.split) for one in found.images] == [("king", "train"), ("king", "test")]
    assert sides(found.images[0].boxes[0]) == [25, 20, 75, 60]  # the sixth number is how sure a detector was


def test_boxes_are_relative_to_the_upright_image(tmp_path: Path):
    (tmp_path / "set").mkdir()
    picture = Image.new("RGB", (100, 80))
    exif = picture.getexif()
    exif[0x0112] = 6
    picture.save(tmp_path / "set" / "a.jpg", exif=exif)
    write(tmp_path / "set" / "a.txt", "0 0.5 0.5 1 1\n")
    assert sides(reading(tmp_path / "set").images[0].boxes[0]) == [0, 0, 80, 100]


def test_what_is_no_object_is_a_fault_and_a_class_without_a_name_keeps_its_number(tmp_path: Path):
    root = tmp_path / "set"
    image(root / "a.jpg")
    write(root / "a.txt", "7 0.5 0.5 0.5 0.5\nace 0.5 0.5 0.5 0.5\n1 0.5\n3 nan 0.5 0.1 0.1\n2 0.5 0.5 -0.2 0.2\n")
    found = reading(root)
    assert found.faults == ("a.txt: line 2 is no object", "a.txt: line 3 is no object")
    assert [box.label for box in found.images[0].boxes] == ["7", "3", "2"]
    assert [kind for kind, _ in faults(found.images[0], (100, 80), None)] == ["not-a-number", "empty"]


@pytest.mark.parametrize(
    "yaml",
    ["a: &a [x, x]\nb: &b [*a, *a]\nnames: *b\n", "names: !!python/object/apply:os.system [ls]\n", "names: [", "- ace",
     "names: " + "[" * 30_000, "- " * 30_000 + "x\n", "names: {1000000000: ace, x: y}\n", "names: 2026-13-45\n"],
)  # fmt: skip
def test_a_yaml_that_is_hostile_names_nothing(tmp_path: Path, yaml: str):
    root = tmp_path / "set"
    image(root / "a.jpg")
    write(root / "a.txt", "1 0.5 0.5 0.5 0.5\n")
    write(root / "data.yaml", yaml)
    assert [box.label for box in reading(root).images[0].boxes] == ["1"]


@pytest.mark.parametrize("text", ["a photograph of an ace\n", "1 2 3\n", "0.5 0.5 0.5 0.5 0.5\n", "10000 0 0 1 1\n"])
def test_other_texts_beside_images_are_no_annotations(tmp_path: Path, text: str):
    root = tmp_path / "set"
    for label in ("ace", "king"):
        image(root / label / "1.jpg")
        write(root / label / "1.txt", text)
    assert reading(root).layout == "class-folders"


def test_open_images_as_the_downloader_writes_it(tmp_path: Path):
    root = tmp_path / "set"
    for name in ("train/00a1.jpg", "test/00a1.jpg", "test/00b2.jpg"):
        image(root / name)
    write(root / "sub-train-annotations-bbox.csv", f"{HEAD}00a1,xclick,0.1,0.5,0.25,0.5,Apple\n")
    rows = "00a1,xclick,0,1,0,1,Banana\n00b2,,x,1,0,1,Apple\n../gone,,0,1,0,1,Apple\n00b2\n"
    write(root / "sub-test-annotations-bbox.csv", HEAD + rows)
    write(root / "labels.txt", "BACKGROUND\nApple\nBanana\n")
    found = reading(root)
    assert found.layout == "open-images" and found.labels == ("BACKGROUND", "Apple", "Banana")
    by_name = {str(one.file.relative_to(root)): one for one in found.images}
    assert sides(by_name["train/00a1.jpg"].boxes[0]) == [10, 20, 50, 40]
    assert [(one.label, one.split) for one in found.images] == [
        ("Banana", "test"),
        ("Apple", "test"),
        ("Apple", "train"),
    ]
    assert math.isnan(by_name["test/00b2.jpg"].boxes[0].left) and by_name["test/00b2.jpg"].boxes[1].label == ""
    assert found.faults == ("sub-test-annotations-bbox.csv: there is no image '../gone'",)


@pytest.mark.parametrize("cell", ["x" * 200_000, '"' + "x" * 200_000])
def test_a_row_that_cannot_be_read_is_said_and_costs_itself_alone(tmp_path: Path, cell: str):
    root = tmp_path / "set"
    image(root / "train" / "a.jpg")
    row = "a,x,0,1,0,1,Apple\n"
    write(root / "sub-train-annotations-bbox.csv", f"{HEAD}{row}a,{cell},0,1,0,1,Apple\n{row}")
    found = reading(root)
    assert len(found.images[0].boxes) == 2
    assert [fault.split(":")[:2] for fault in found.faults] == [
        ["sub-train-annotations-bbox.csv", " row 3 cannot be read"]
    ]


def test_of_a_table_that_is_too_large_the_first_rows_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    root = tmp_path / "set"
    image(root / "train" / "a.jpg")
    row = "a,x,0,1,0,1,Apple\n"
    monkeypatch.setattr(open_images, "_MOST_BYTES", len(HEAD) + len(row) + 5)
    write(root / "sub-train-annotations-bbox.csv", HEAD + row + row)
    found = reading(root)
    assert len(found.images[0].boxes) == 1
    assert found.faults == ("sub-train-annotations-bbox.csv: what comes after its first 0 MiB is not read",)


def test_difficult_objects_and_crowds_are_marked(tmp_path: Path):
    root = tmp_path / "set"
    image(root / "a.jpg")
    box = "<bndbox><xmin>1</xmin><ymin>1</ymin><xmax>9</xmax><ymax>9</ymax></bndbox>"
    objects = "".join(f"<object><name>ace</name><difficult>{n}</difficult>{box}</object>" for n in (0, 1))
    write(root / "a.xml", f"<annotation><filename>a.jpg</filename>{objects}</annotation>")
    assert [one.ignored for one in reading(root).images[0].boxes] == [False, True]


@pytest.mark.parametrize(("merged", "several", "split"), [(True, 3, "train"), (False, 0, "test")])
def test_merge_sets_is_seen_in_the_lists(tmp_path: Path, merged: bool, several: int, split: str):
    root = tmp_path / "set"
    for name in ("a", "b", "c"):
        image(root / "JPEGImages" / f"{name}.jpg")
        write(root / "Annotations" / f"{name}.xml", f"<annotation><filename>{name}.jpg</filename></annotation>")
    lists = {"train": "a\nb\n", "trainval": "a\nb\n", "val": "", "test": "c\n"}
    for name, text in lists.items():
        write(root / "ImageSets" / "Main" / f"{name}.txt", "a\nb\nc\n" if merged else text)
    found = reading(root)
    assert found.in_several == several and found.images[2].split == split


def test_an_object_that_was_drawn_twice_is_named(tmp_path: Path):
    root = tmp_path / "set"
    image(root / "a.jpg")
    write(root / "a.txt", "0 0.5 0.5 0.5 0.5\n0 0.5 0.5 0.51 0.5\n1 0.5 0.5 0.5 0.5\n0 0.6 0.5 0.5 0.5\n0 nan 0 1 1\n")
    found = faults(reading(root).images[0], (100, 80), None)
    assert found == [("not-a-number", "0"), ("doubled", "0")]


def test_custom_visions_json_names_images_and_has_sides_as_shares(tmp_path: Path):
    root = tmp_path / "set"
    for name in ("a.jpg", "b.jpg", "train/c.jpg"):
        image(root / name)
    whole = {"tag": "ace", "left": 0.1, "top": 0.25, "width": 0.5, "height": 0.5}
    files = [
        {"filename": "a.jpg", "tags": [whole, {"tag": ["no name"], "left": "x", "top": 0, "width": 1, "height": 1}, 7]},
        {"filename": "b.jpg", "tags": []},
        {"filename": "../../gone.jpg", "tags": [whole]},
        {"filename": 7, "tags": [whole]},
        "no entry",
    ]
    write(root / "tagged-images.json", json.dumps({"files": files}))
    write(root / "other.json", json.dumps({"files": ["a.jpg"]}))
    found = reading(root)
    first, second, third = found.images
    assert found.layout == "custom-vision" and [one.label for one in found.images] == ["ace", None, None]
    assert sides(first.boxes[0]) == [10, 20, 60, 60] and first.boxes[1].label == ""
    assert math.isnan(first.boxes[1].left) and len(first.boxes) == 2
    assert second.annotated and second.boxes == () and not third.annotated and third.split == "train"
    assert found.faults == ("tagged-images.json: there is no image '../../gone.jpg'",)


def test_a_published_set_of_fruit_is_read(tmp_path: Path):
    place = Path(os.environ.get("HARNESS_SHARED", Path(__file__).parents[4] / "shared")) / "data/fruit/detection"
    if not place.is_dir() and os.environ.get("HARNESS_REQUIRE_SHARED") != "1":
        pytest.skip(f"{place} is missing")
    found = read(open_tree(place, tmp_path))
    assert found.layout == "custom-vision" and not found.faults
    assert {box.label for one in found.images for box in one.boxes} == {"apple", "banana", "orange"}
    assert sum(one.annotated for one in found.images) == 23
