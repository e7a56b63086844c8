"""What the audit says of a data set with boxes, each from real files in a real sandbox."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from boxed_sets import annotation, audited, noise, said, submission, value
from PIL import Image

from harness.stages.store import Store

PLAIN = {f"{n}": [("mug", 11, 11, 50, 50), ("ball", 61, 21, 90, 60)] for n in range(4)}


def test_objects_are_counted_and_measured_beside_images(tmp_path: Path):
    images = {**PLAIN, "5": [("mug", 1, 1, 160, 120), ("mug", 11, 11, 26, 26)]}
    result = audited(submission(tmp_path / "a" / "in", images), tmp_path / "store")
    found = value(result)
    assert found.classes == {"ball": 4, "mug": 5}
    assert {name: one.objects for name, one in found.objects.items()} == {"ball": 4, "mug": 6}
    mug = found.objects["mug"]
    assert mug.smallest == pytest.approx(15 * 15 / (160 * 120), abs=1e-4)
    assert mug.largest == pytest.approx(159 * 119 / (160 * 120), abs=1e-4), "pixels count from 1"
    assert set(found.samples) == {f"JPEGImages/{stem}.jpg" for stem in images}
    assert said(result) == {}, "nothing is wrong with this set"


def test_images_without_boxes_and_without_annotation_are_named_apart(tmp_path: Path):
    handed_in = submission(tmp_path / "a" / "in", {**PLAIN, "empty": []})
    noise(handed_in.root / "dataset" / "JPEGImages" / "bare.jpg")
    (handed_in.root / "dataset" / "Annotations" / "gone.xml").write_text(annotation([("mug", 1, 1, 9, 9)]))
    result = audited(handed_in, tmp_path / "store")
    assert value(result).not_annotated == ("JPEGImages/bare.jpg",)
    assert value(result).without_boxes == ("JPEGImages/empty.jpg",)
    words = said(result)
    assert "bare.jpg" in words["dataset-not-annotated"] and "empty.jpg" in words["dataset-without-boxes"]
    assert "gone.xml" in words["dataset-annotation-unreadable"]


def test_boxes_that_cannot_count_are_said_and_their_image_is_not_withheld(tmp_path: Path):
    images = {f"{n}": [("mug", 11, 11, 50, 50)] for n in range(12)}
    images |= {"reversed": [("mug", 50, 50, 11, 11)], "nameless": [("", 11, 11, 50, 50), ("mug", 61, 11, 90, 50)]}
    result = audited(submission(tmp_path / "a" / "in", images), tmp_path / "store", withholds=True)
    assert "left out: 2, on" in said(result)["dataset-boxes-left-out"]
    gone = {one.picture for one in value(result).withheld}
    assert gone and not gone & {"JPEGImages/reversed.jpg", "JPEGImages/nameless.jpg"}


def test_objects_that_fill_the_image_mean_that_the_camera_stood_near(tmp_path: Path):
    near = {f"{n}": [("mug", 11, 11, 150, 110), ("ball", 1, 1, 30, 30)] for n in range(8)}
    words = said(audited(submission(tmp_path / "a" / "in", near), tmp_path / "store"))
    assert "(mug)" in words["dataset-objects-near"] and "40%" in words["dataset-objects-near"]


@pytest.mark.parametrize(
    ("labels", "codes"),
    [
        ("ball\nmug\n", set()),
        ("BACKGROUND\nball\nmug\n", {"dataset-lists-background"}),
        ("ball\nmug\nlamp\n", {"dataset-never-drawn"}),
        ("ball\n", {"dataset-not-listed", "dataset-box-faults"}),
        ("ball\nMug\n", {"dataset-other-case", "dataset-box-faults"}),
        ("ball\nmug\nmug\n", {"dataset-listed-twice"}),
        ("ball\nmug\nvoid\n", {"dataset-class-void", "dataset-never-drawn"}),
    ],
)
def test_labels_txt_against_what_is_drawn(labels: str, codes: set[str], tmp_path: Path):
    assert set(said(audited(submission(tmp_path / "a" / "in", PLAIN, labels), tmp_path / "store"))) == codes


def test_a_list_with_a_byte_order_mark_is_read_and_said(tmp_path: Path):
    marked = {"labels.txt": "ball\nmug\n".encode("utf-8-sig")}
    words = said(audited(submission(tmp_path / "a" / "in", PLAIN, files=marked), tmp_path / "store"))
    assert set(words) == {"dataset-not-utf8"} and "labels.txt" in words["dataset-not-utf8"]


def test_annotations_in_windows_latin_are_read_and_said(tmp_path: Path):
    images = {f"{n}": [("mug", 11, 11, 50, 50)] for n in range(2)}
    files = {"Annotations/latin.xml": annotation([("Löffel", 11, 11, 50, 50)]).encode("cp1252")}
    handed_in = submission(tmp_path / "a" / "in", images, files=files)
    noise(handed_in.root / "dataset" / "JPEGImages" / "latin.jpg")
    result = audited(handed_in, tmp_path / "store")
    assert value(result).classes == {"Löffel": 1, "mug": 2}
    assert "latin.xml" in said(result)["dataset-not-utf8"]


def test_polygons_count_as_the_boxes_around_them_and_it_is_said(tmp_path: Path):
    root = tmp_path / "a" / "in"
    for stem in "ab":
        noise(root / "dataset" / f"{stem}.jpg")
    polygon = [16, 12, 80, 12, 80, 60, 40, 70, 16, 60]
    document = {
        "images": [{"id": 1, "file_name": "a.jpg"}, {"id": 2, "file_name": "b.jpg"}],
        "annotations": [
            {"id": 1, "image_id": 1, "category_id": 7, "segmentation": [polygon]},
            {"id": 2, "image_id": 2, "category_id": 7, "bbox": [16, 12, 32, 24], "segmentation": []},
        ],
        "categories": [{"id": 7, "name": "mug"}],
    }
    result = audited(
        submission(root, {}, files={"instances.json": json.dumps(document).encode("utf-16")}), tmp_path / "store"
    )
    assert value(result).layout == "coco" and value(result).objects["mug"].objects == 2
    assert value(result).objects["mug"].largest == pytest.approx(64 * 58 / (160 * 120), abs=1e-4)
    words = said(result)
    assert "masks: 1." in words["dataset-outlines"] and "instances.json" in words["dataset-not-utf8"]


def test_photographs_without_any_box_are_no_data_set_for_detection(tmp_path: Path):
    root = tmp_path / "a" / "in"
    for label in ("mug", "ball"):
        noise(root / "dataset" / label / "1.jpg")
    result = audited(submission(root, {}), tmp_path / "store", withholds=True)
    assert value(result).classes == {}
    assert {"dataset-no-boxes", "withheld-impossible"} <= set(said(result))


def test_an_entity_bomb_is_named_and_the_rest_is_read(tmp_path: Path):
    bomb = b'<!DOCTYPE a [<!ENTITY b "x"><!ENTITY c "&b;&b;&b;">]><annotation>&c;</annotation>'
    handed_in = submission(tmp_path / "a" / "in", PLAIN, files={"Annotations/bomb.xml": bomb})
    noise(handed_in.root / "dataset" / "JPEGImages" / "bomb.jpg")
    result = audited(handed_in, tmp_path / "store")
    assert value(result).objects["mug"].objects == 4
    assert {"dataset-annotation-unreadable", "dataset-not-annotated"} <= set(said(result))


def test_images_to_search_are_small_and_drawn_evenly_over_the_classes(tmp_path: Path):
    images = {f"mug{n}": [("mug", 11, 11, 50, 50)] for n in range(70)} | {"ball": [("ball", 11, 11, 50, 50)]}
    handed_in = submission(tmp_path / "a" / "in", {**images, "empty": [], "nameless": [("", 11, 11, 50, 50)]})
    noise(handed_in.root / "dataset" / "JPEGImages" / "bare.jpg")
    noise(handed_in.root / "dataset" / "JPEGImages" / "ball.jpg", (1024, 768))
    found = value(audited(handed_in, tmp_path / "store", searches=True))
    names = [one.picture for one in found.searched]
    assert len(names) == 60 and {"JPEGImages/ball.jpg", "JPEGImages/empty.jpg"} <= set(names)
    assert not {"JPEGImages/bare.jpg", "JPEGImages/nameless.jpg"} & set(names), "of these it is said already"
    assert set(names) <= set(found.shown), "the report can show each of them"
    (ball,) = (one for one in found.searched if one.picture == "JPEGImages/ball.jpg")
    assert (ball.width, ball.height) == (1024, 768) and [one.label for one in ball.objects] == ["ball"]
    with Image.open(Store(tmp_path / "store").path(ball.file)) as small:
        assert small.size == (512, 384)
