"""Public images with boxes are written anew as Pascal VOC and mean the same; nothing held out is among them."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image
from voc_course import InProcess, noise, runner, voc

from harness.errors import AssignmentError
from harness.grading.detection.context import read_folder
from harness.grading.detection.object_sets import ObjectFolder
from harness.grading.release.annotated_images import write_annotated
from harness.grading.release.leaks import leaks
from harness.grading.release.public_assignment import public_toml
from harness.grading.release.words import readme
from harness.inputs.assignment import load

CUP, PLATE = ("cup", 11, 21, 51, 61), ("plate", 61, 1, 121, 81, True)
ASSIGNMENT = """\
title = "Crockery"
task = "detection"
[execution]
mode = "as-handed-in"
[dataset]
path = "train"
[held_out]
path = "held-out"
[[criteria]]
kind = "ap_vs_reference"
points = 10
"""


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> InProcess:
    (tmp_path / "engine").mkdir()
    return InProcess(monkeypatch, tmp_path / "engine")


def read(folder: Path, engine: InProcess, tmp_path: Path) -> ObjectFolder:
    return read_folder(folder, runner(engine, tmp_path), lambda _: None)


def test_voc_comes_back_as_it_was(tmp_path: Path, engine: InProcess):
    voc(tmp_path / "set", [[CUP, PLATE], [CUP, ("plate", 1, 1, 30, 40)], []], labels="plate\ncup\n")
    before = read(tmp_path / "set", engine, tmp_path)
    assert write_annotated(before, tmp_path / "out") == 3
    after = read(tmp_path / "out", engine, tmp_path)
    assert [one.boxes for one in after.reading.images] == [one.boxes for one in before.reading.images]
    assert after.reading.labels == ("plate", "cup") and not after.reading.faults
    names = sorted(file.name for file in (tmp_path / "out" / "JPEGImages").iterdir())
    assert names == ["0001.jpg", "0002.jpg", "0003.jpg"]
    assert (tmp_path / "out" / "ImageSets" / "Main" / "trainval.txt").read_text() == "0001\n0002\n0003\n"


def test_yolo_becomes_voc_and_keeps_its_parts_and_no_metadata(tmp_path: Path, engine: InProcess):
    for part, stem in (("train", "a"), ("valid", "b"), ("test", "c")):
        file = noise(tmp_path / "set" / part / "images" / f"{stem}.jpg", 7, exif=_exif())
        (file.parents[1] / "labels").mkdir()
        (file.parents[1] / "labels" / f"{stem}.txt").write_text("0 0.5 0.5 0.5 0.5\n")
    (tmp_path / "set" / "data.yaml").write_text("names: [cup]\n")
    write_annotated(read(tmp_path / "set", engine, tmp_path), tmp_path / "out")
    lists = {file.stem: file.read_text().split() for file in (tmp_path / "out" / "ImageSets" / "Main").iterdir()}
    assert sorted(map(len, (lists["train"], lists["val"], lists["test"], lists["trainval"]))) == [1, 1, 1, 2]
    (box,) = read(tmp_path / "out", engine, tmp_path).reading.images[0].boxes
    assert (box.label, box.left, box.top, box.right, box.bottom) == ("cup", 0.25, 0.25, 0.75, 0.75)
    with Image.open(tmp_path / "out" / "JPEGImages" / "0001.jpg") as image:
        assert not image.getexif()


def _exif() -> Image.Exif:
    exif = Image.Exif()
    exif[0x013B] = "Somebody"
    return exif


def test_an_image_that_does_not_decode_is_named(tmp_path: Path, engine: InProcess):
    voc(tmp_path / "set", [[CUP], [CUP]])
    one = read(tmp_path / "set", engine, tmp_path)
    file = tmp_path / "set" / "JPEGImages" / "001.jpg"
    file.write_bytes(file.read_bytes()[:300])
    with pytest.raises(AssignmentError, match=r"001\.jpg: does not decode"):
        write_annotated(one, tmp_path / "out")


@pytest.mark.parametrize(
    ("planted", "said"),
    [("JPEGImages/001.jpg", "is the held-out image"), ("Annotations/001.xml", "is the held-out annotation")],
)
def test_what_is_held_out_is_found_in_a_package(tmp_path: Path, engine: InProcess, planted: str, said: str):
    voc(tmp_path / "train", [[CUP], [CUP]], seed=1)
    voc(tmp_path / "held-out", [[CUP], [("cup", 5, 6, 70, 71)]], seed=100)
    (tmp_path / "assignment.toml").write_text(ASSIGNMENT)
    assignment = load(tmp_path / "assignment.toml")
    package = tmp_path / "package"
    write_annotated(read(tmp_path / "train", engine, tmp_path), package / "images")
    (package / "README.md").write_text(readme(assignment, 2, None, trains_on_images=True))
    (package / "assignment.toml").write_text(public_toml(assignment, trains_on_images=True))
    assert leaks(package, assignment) == []
    (package / "images" / planted).write_bytes((tmp_path / "held-out" / planted).read_bytes())
    assert any(said in one for one in leaks(package, assignment))


def test_the_readme_says_what_a_detector_needs(tmp_path: Path):
    for part in ("train", "held-out"):
        voc(tmp_path / part, [[CUP]])
    (tmp_path / "assignment.toml").write_text(ASSIGNMENT)
    words = readme(load(tmp_path / "assignment.toml"), 1, None, trains_on_images=True)
    assert "`BACKGROUND`" in words and "ssd-mobilenet.onnx" in words and "not run again" in words
    assert "folder for each class" not in words
