"""What `harness validate` says of data sets with boxes."""

from __future__ import annotations

from pathlib import Path

import pytest
from voc_course import InProcess, annotation, runner, voc

from harness.grading import sample_size
from harness.grading.detection.context import read_folder
from harness.grading.rubric.criterion import kinds, tasks_of
from harness.grading.rubric.rubric import problems_of
from harness.grading.validation.contents import listed
from harness.grading.validation.file import of_file
from harness.grading.validation.folders import image_folder
from harness.grading.validation.objects import of_objects
from harness.grading.validation.verdicts import Verdict
from harness.inputs.assignment.schema import CriterionSpec

CUP, PLATE = ("cup", 13, 9, 61, 49), ("plate", 61, 41, 121, 81)
PLACES = {"held_out": "held_out.path", "dataset": "dataset.path"}


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    voc(tmp_path / "held_out", [[CUP, PLATE]] * 2, seed=50)
    voc(tmp_path / "dataset", [[CUP, PLATE]] * 10)
    return tmp_path


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> InProcess:
    return InProcess(monkeypatch, tmp_path)


def verdicts(course: Path, engine: InProcess) -> list[Verdict]:
    run = runner(engine, course)
    return of_objects({key: read_folder(course / key, run, lambda _: None) for key in PLACES}, PLACES)


def said(course: Path, engine: InProcess) -> list[tuple[str, str]]:
    return [(one.level, f"{one.place}: {one.what}") for one in verdicts(course, engine)]


def test_of_a_good_course_only_few_objects_are_doubtful(course: Path, engine: InProcess):
    (few, *counts) = said(course, engine)
    assert few[0] == "doubt" and "few objects of cup (2), plate (2)" in few[1]
    assert counts == [
        ("fine", "held_out.path: voc, objects: cup 2, plate 2"),
        ("fine", "dataset.path: voc, objects: cup 10, plate 10"),
    ]


def test_the_number_of_objects_that_is_asked_for_is_the_fewest_that_does():
    needed = sample_size.objects_needed()
    assert sample_size.recall_margin(needed) <= sample_size.RECALL_MARGIN < sample_size.recall_margin(needed - 1)


SPOILT = [
    (lambda d: d.write_text(annotation([CUP, ("plate", 30, 30, 20, 40)])), "1 boxes without an area", True),
    (lambda d: d.write_text(annotation([CUP, ("plate", 1, "x", 20, 40)])), "1 boxes whose sides are no numbers", True),
    (lambda d: d.write_text(annotation([CUP, PLATE, ("cup", 1, 1, 300, 40)])), "1 boxes beyond the image", False),
    (lambda d: d.write_text(annotation([CUP, PLATE, PLATE])), "1 boxes that lie on another", False),
    (lambda d: d.write_text(annotation([CUP, PLATE], (600, 400))), "1 image of another size", False),
    (lambda d: d.unlink(), "1 image without objects", False),
]


@pytest.mark.parametrize(("spoil", "expected", "is_lost"), SPOILT)
@pytest.mark.parametrize("key", PLACES)
def test_what_is_wrong_with_boxes(course: Path, engine: InProcess, spoil, expected: str, is_lost: bool, key: str):
    spoil(course / key / "Annotations" / "001.xml")
    found = [level for level, what in said(course, engine) if what.startswith(f"{key}.path: {expected}")]
    assert found == ["error" if is_lost and key == "held_out" else "doubt"]


def test_files_that_cannot_be_read_stop_a_grading_only_among_the_held_out(course: Path, engine: InProcess):
    for key in PLACES:
        (course / key / "JPEGImages" / "000.jpg").write_bytes(b"no image")
        (course / key / "Annotations" / "x.xml").write_text("<!DOCTYPE a>")
    levels = {
        (level, place) for level, what in said(course, engine) for place in PLACES.values()
        if what.startswith(place) and ("cannot be" in what)
    }  # fmt: skip
    assert levels == {("error", "held_out.path"), ("doubt", "dataset.path")}


def test_classes_that_differ_and_names_that_are_alike(course: Path, engine: InProcess):
    (course / "dataset" / "Annotations" / "001.xml").write_text(annotation([CUP, PLATE, ("Cup", 70, 1, 100, 30)]))
    errors = [what for level, what in said(course, engine) if level == "error"]
    assert any("objects of cup, plate; the training images of Cup, cup, plate" in what for what in errors)
    assert any("'Cup' and 'cup' differ only by case" in what for what in errors)


def test_lists_of_a_held_out_folder_do_not_matter_and_merge_sets_is_named_once(course: Path, engine: InProcess):
    for key in PLACES:
        (course / key / "ImageSets" / "Main").mkdir(parents=True)
        for split in ("train", "test"):
            (course / key / "ImageSets" / "Main" / f"{split}.txt").write_text("000\n001\n")
    (course / "held_out" / "ImageSets" / "Main" / "test.txt").write_text("001\n")
    (course / "held_out" / "ImageSets" / "Main" / "train.txt").write_text("000\n")
    doubts = [what for level, what in said(course, engine) if level == "doubt"]
    assert any("divide the images (train 1, test 1); all 2 are graded on" in what for what in doubts)
    assert sum("2 images stand in several" in what and "Merge Sets" in what for what in doubts) == 1


def test_all_images_with_boxes_are_compared_wherever_they_lie(course: Path):
    sets = {key: image_folder(key, place, course / key, boxes=True) for key, place in PLACES.items()}
    sets["unseen"] = image_folder("unseen", "unseen.path", course / "held_out")
    labels = {(one.key, one.label) for one in listed(sets)}
    assert labels == {("held_out", ""), ("dataset", ""), ("unseen", None)}
    assert len(listed(sets)) == 2 + 10 + 2


def test_a_criterion_of_another_task_is_an_error(tmp_path: Path):
    wrong = {0: CriterionSpec(kind="accuracy_vs_reference", points=10), 1: CriterionSpec(kind="manual", points=1)}
    (found,) = problems_of(wrong, tmp_path / "a.toml", "", (), "detection")
    assert "accuracy_vs_reference marks nothing" in found.what
    assert problems_of(wrong, tmp_path / "a.toml", "", (), "classification") == []
    assert problems_of(wrong, tmp_path / "a.toml", "", ()) == []
    assert all(set(tasks_of(module)) <= {"classification", "detection"} for module in kinds().values())


def test_paths_of_a_detection_assignment_need_images_and_no_class_folders(course: Path):
    lines = ['title = "Cups"', 'task = "detection"', "[held_out]", 'path = "held_out"', "[dataset]", 'path = "dataset"']
    text = "\n".join([*lines, "[[criteria]]", 'kind = "manual"', "points = 10"])
    (course / "assignment.toml").write_text(text)
    assignment, found = of_file(course / "assignment.toml")
    assert assignment is not None and [one.level for one in found] == ["fine"]
    (course / "empty").mkdir()
    for path, expected in (("empty", "no images in the folder"), ("held_out/JPEGImages", "lies inside")):
        (course / "assignment.toml").write_text(text.replace('path = "dataset"', f'path = "{path}"'))
        assert expected in "\n".join(one.what for one in of_file(course / "assignment.toml")[1])
