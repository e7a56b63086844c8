"""The course's sets with boxes: what is graded on, what is known, and what no detector can be graded on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from voc_course import InProcess, Object, annotation, noise, runner, voc

from harness.errors import AssignmentError, MachineError
from harness.grading.detection.context import ObjectImages, object_images, read_folder
from harness.grading.detection.object_sets import classes_of, in_turn
from harness.grading.materials import readable_tree
from harness.inputs.assignment import load
from harness.inputs.images import stage
from harness.sandbox.engine import Job, Outcome
from harness.stages.evidence.box_reading import AnnotatedImage, BoxReading, ReadBox

TOML = """\
title = "Cups"
task = "detection"
[dataset]
path = "train"
[held_out]
path = "held out"
[[criteria]]
kind = "manual"
points = 10
"""
CUP, PLATE = ("cup", 13, 9, 61, 49), ("plate", 61, 41, 121, 81)


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> InProcess:
    return InProcess(monkeypatch, tmp_path)


@pytest.fixture
def prepare(tmp_path: Path, engine: InProcess) -> Any:
    (tmp_path / "assignment.toml").write_text(TOML)

    def images() -> ObjectImages:
        return object_images(load(tmp_path / "assignment.toml"), runner(engine, tmp_path), lambda _: None)

    return images


def course(folder: Path, labels: str = "") -> None:
    voc(folder / "train", [[CUP], [PLATE], [CUP, PLATE], [CUP], []], labels=labels)
    voc(folder / "held out", [[CUP], [], None, [PLATE, (*CUP, True)]], seed=50)


def test_every_image_of_the_folder_is_graded_on_and_splits_do_not_matter(tmp_path: Path, prepare: Any):
    course(tmp_path)
    (tmp_path / "held out" / "ImageSets" / "Main").mkdir(parents=True)
    (tmp_path / "held out" / "ImageSets" / "Main" / "trainval.txt").write_text("000\n")
    found = prepare().held_out
    assert found.classes == ("cup", "plate") and found.truth == () and len(found.files) == 4
    assert [[(box.label, box.ignored) for box in one.boxes] for one in found.objects] == [
        [(0, False)], [], [], [(1, False), (0, True)],
    ]  # fmt: skip
    first = found.objects[0]
    assert (first.width, first.height, first.boxes[0].left, first.boxes[0].bottom) == (120, 80, 0.1, 0.6)
    assert found.files[0].is_file() and (tmp_path / "held out") in found.files[0].parents


def test_the_order_of_classes_is_that_of_labels_txt_without_background(tmp_path: Path, prepare: Any):
    course(tmp_path)
    (tmp_path / "held out" / "labels.txt").write_text("BACKGROUND\nplate\ncup\n")
    found = prepare()
    assert found.held_out.classes == found.known.classes == ("plate", "cup")
    (tmp_path / "held out" / "labels.txt").write_text("plate\n")
    assert prepare().held_out.classes == ("cup", "plate"), "a list that does not name every class gives no order"


def test_the_hash_follows_images_and_boxes_and_not_names(tmp_path: Path, prepare: Any):
    course(tmp_path)
    first = prepare().held_out
    for file in sorted((tmp_path / "held out").rglob("00*")):
        file.rename(file.with_stem(f"a{file.stem}"))
    assert prepare().held_out.sha256 == first.sha256
    annotations = tmp_path / "held out" / "Annotations"
    (annotations / "a000.xml").write_text(annotation([("cup", 13, 9, 61, 50)]))
    assert prepare().held_out.sha256 != first.sha256


def test_known_images_are_the_same_whatever_they_are_called_and_staged_like_others(tmp_path: Path, prepare: Any):
    course(tmp_path)
    (tmp_path / "train" / "JPEGImages" / "000.jpg").write_bytes(b"\xff\xd8\xff no image")
    found = prepare()
    known = found.known
    assert [len(one.boxes) > 0 for one in known.objects] == [True] * 3
    staged = stage(known, tmp_path / "staged")
    assert len(staged.names) == 3 and staged.sha256 == known.sha256
    assert len(found.training.check_images()) == 3
    shown = found.training.by_class()
    assert {name: [file.stem for file in files] for name, files in shown.items()} == {
        "cup": ["002", "003"], "plate": ["001", "002"],
    }  # fmt: skip


def image(name: str, *labels: str) -> AnnotatedImage:
    boxes = tuple(ReadBox(label=one, left=0, top=0, right=1, bottom=1, ignored=False) for one in labels)
    return AnnotatedImage(name=name, width=9, height=9, split="", boxes=boxes, left_out=0)


def test_known_images_are_balanced_over_the_classes(tmp_path: Path, engine: InProcess):
    voc(tmp_path / "set", [[CUP, CUP]] * 30 + [[PLATE]] * 5)
    one = read_folder(tmp_path / "set", runner(engine, tmp_path), lambda _: None)
    chosen = [image for _, image in zip(range(9), in_turn(one, ("cup", "plate")), strict=False)]
    seen = [box.label for image in chosen for box in image.boxes]
    assert (seen.count("plate"), seen.count("cup")) == (5, 8)
    every = [image.name for image in in_turn(one, ("cup", "plate"))]
    assert len(every) == len(set(every)) == 35


def _empty(folder: Path) -> None:
    for file in (folder / "held out" / "JPEGImages").iterdir():
        file.write_bytes(b"no image")


def _objects(folder: Path, part: str, *objects: Object) -> None:
    for file in (folder / part / "Annotations").iterdir():
        file.write_text(annotation(objects))


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (_empty, "no images that can be read"),
        (lambda f: _objects(f, "held out"), "and no boxes"),
        (lambda f: _objects(f, "train"), "and no boxes"),
        (lambda f: _objects(f, "held out", CUP), "the held-out images have objects of cup; the training images of"),
        (lambda f: _objects(f, "held out", CUP, ("Plate", 1, 1, 30, 30)), "objects of Plate, cup"),
        (lambda f: _objects(f, "held out", CUP, (*PLATE, True)), "no objects of plate"),
        (lambda f: (f / "held out" / "labels.txt").write_text("cup\nplate\nfork"), "no objects of fork"),
        (lambda f: (f / "held out" / "JPEGImages" / "002.jpg").write_bytes(b""), "1 images cannot be read: JPEGIm"),
        (lambda f: _objects(f, "train", CUP, PLATE, ("", 1, 1, 30, 30)), "boxes without a class on 5 images"),
        (lambda f: (f / "held out" / "Annotations" / "9.xml").write_text("<annotation/>"), "cannot be used: 9.xml"),
        (lambda f: (f / "held out" / "Annotations" / "001.xml").write_text("<!DOCTYPE a>"), "001.xml: it declares a"),
    ],
)
def test_what_no_detector_can_be_graded_on(tmp_path: Path, prepare: Any, spoil: Any, expected: str):
    course(tmp_path)
    spoil(tmp_path)
    with pytest.raises(AssignmentError) as caught:
        prepare()
    assert expected in str(caught.value) and caught.value.do


def test_one_class_is_a_course_too(tmp_path: Path, prepare: Any):
    voc(tmp_path / "train", [[CUP], [CUP]])
    voc(tmp_path / "held out", [[CUP]], seed=9)
    assert prepare().held_out.classes == ("cup",)


def test_labels_of_the_training_set_may_lack_what_its_boxes_have():
    reading = BoxReading(layout="voc", images=(image("a", "cup"), image("b", "plate")), labels=("BACKGROUND", "plate"))
    assert classes_of(reading) == ("cup", "plate")


def test_an_engine_that_broke_is_no_fault_of_the_course(tmp_path: Path):
    class Broken(InProcess):
        def run(self, job: Job, outputs: Path) -> Outcome:
            raise RuntimeError("broken")

    voc(tmp_path / "set", [[CUP]])
    with pytest.raises(MachineError, match="not read"):
        read_folder(tmp_path / "set", runner(Broken(None, tmp_path), tmp_path), lambda _: None)  # type: ignore[arg-type]


def test_links_are_followed_and_private_files_are_copied_for_the_sandbox(tmp_path: Path, engine: InProcess):
    folder = voc(tmp_path / "set", [[CUP]])
    assert readable_tree(folder, tmp_path / "first") == folder
    moved = (folder / "JPEGImages" / "000.jpg").rename(tmp_path / "of a colleague.jpg")
    moved.chmod(0o600)
    (folder / "JPEGImages" / "000.jpg").symlink_to(moved)
    copy = readable_tree(folder, tmp_path / "second")
    there = copy / "JPEGImages" / "000.jpg"
    assert there.is_file() and not there.is_symlink() and there.stat().st_mode & 0o044 == 0o044
    found = read_folder(folder, runner(engine, tmp_path), lambda _: None)
    assert found.folder == folder and found.reading.objects() == {"cup": 1}
    assert not any(path.name.startswith("harness-boxes-") for path in (tmp_path / "store").iterdir())
    (folder / "gone.jpg").symlink_to("nowhere")
    with pytest.raises(AssignmentError, match="cannot be followed"):
        readable_tree(folder, tmp_path / "third")


def test_a_set_is_read_once(tmp_path: Path, engine: InProcess):
    voc(tmp_path / "set", [[CUP]])
    said: list[str] = []
    for _ in range(2):
        read_folder(tmp_path / "set", runner(engine, tmp_path), said.append)
    assert len(said) == 1
    noise(tmp_path / "set" / "JPEGImages" / "1.jpg", 7)
    read_folder(tmp_path / "set", runner(engine, tmp_path), said.append)
    assert len(said) == 2
