"""A detection assignment as a student has it: `harness release` and, with what that wrote, `harness check`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command_line import run_harness
from detection_course import CLASSES, make_course
from readable import readable_to_the_sandbox
from small_course import with_weights

from harness.inputs.student_package import read_package


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory, fetched_weights: Path) -> Path:
    """A folder with a course, its cache, its reference's files and the package that students get."""
    folder = readable_to_the_sandbox(tmp_path_factory.mktemp("detection"))
    with_weights(fetched_weights, folder / "cache")
    assignment = make_course(folder / "course")
    for command, out in ((("reference", "train"), "reference"), (("release",), "package")):
        arguments = (*command, assignment, "--out", folder / out, "--sandbox", "bubblewrap")
        done = run_harness(*arguments, cache=folder / "cache")
        assert done.returncode == 0, done.stderr
    return folder


def check(course: Path, folder: Path) -> dict[str, object]:
    """What `harness check --json` says."""
    arguments = ("check", folder, "--assignment", course / "package", "--sandbox", "bubblewrap", "--json")
    done = run_harness(*arguments, cache=course / "cache")
    assert done.returncode in (0, 1), done.stderr
    return json.loads(done.stdout)


def hand_in(course: Path, folder: Path, labels: tuple[str, ...]) -> Path:
    folder.mkdir()
    (folder / "ssd-mobilenet.onnx").write_bytes((course / "reference" / "model.onnx").read_bytes())
    (folder / "labels.txt").write_text("".join(f"{name}\n" for name in labels))
    return folder


def test_the_package_has_boxes_and_scores_and_nothing_of_the_reference_or_the_held_out_set(course: Path):
    package = course / "package"
    read = read_package(package)
    assert read.detector is not None and read.scores is None
    assert (read.detector.images, read.detector.ap50, read.detector.exact_share) == (12, 1.0, 1.0)
    assert (package / "images" / "labels.txt").read_text().split() == list(CLASSES)
    names = {file.relative_to(package).as_posix() for file in package.rglob("*") if file.is_file()}
    expected = {f"images/{part}/{n:04}.{kind}" for n in range(1, 13) for part, kind in _PARTS}
    assert expected < names and len([name for name in names if name.startswith("images/JPEGImages")]) == 12
    assert not [name for name in names if name.endswith((".onnx", ".py"))]


_PARTS = (("JPEGImages", "png"), ("Annotations", "xml"))


def test_a_held_out_image_among_the_public_ones_stops_the_release(course: Path, tmp_path: Path):
    assignment = make_course(readable_to_the_sandbox(tmp_path) / "course")
    held_out, train = (assignment.parent / name for name in ("heldout", "train"))
    for below, suffix in _PARTS:
        (train / below / f"planted.{suffix}").write_bytes((held_out / below / f"3.{suffix}").read_bytes())
    arguments = ("release", assignment, "--out", tmp_path / "out", "--sandbox", "bubblewrap")
    done = run_harness(*arguments, cache=course / "cache")
    assert done.returncode == 2 and "held-out image" in done.stderr, done.stderr
    assert not (tmp_path / "out").exists()


def test_a_good_detector_is_told_so(course: Path, tmp_path: Path):
    found = check(course, hand_in(course, tmp_path / "mine", ("BACKGROUND", *CLASSES)))
    points = {line["kind"]: (line["state"], line["points"]) for line in found["criteria"]}
    assert points == {
        "model_predicts": ("expected", 20),
        "ap_vs_reference": ("expected", 40),
        "counts_right": ("expected", 20),
        "manual": ("marked by hand", None),
    }
    assert (found["images_from"], found["images"], found["ap50"], found["reference_ap50"]) == ("public", 12, 1.0, 1.0)
    states = {step["name"]: step["state"] for step in found["steps"]}
    assert [states[name] for name in ("files", "detect", "convert", "score_boxes")] == ["fine"] * 4
    assert not [line["reason"] for line in found["criteria"] if "held-out" in line["reason"]]
    assert (tmp_path / "mine" / "handin.zip").is_file()


def test_the_labels_of_the_data_set_beside_the_model_are_named(course: Path, tmp_path: Path):
    found = check(course, hand_in(course, tmp_path / "mine", CLASSES))
    said = " ".join(text for step in found["steps"] for text in (step["what"], *step["mend"], *step["notes"]))
    assert "BACKGROUND" in said


def test_a_folder_without_a_detector_says_what_to_mend(course: Path, tmp_path: Path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "labels.txt").write_text("BACKGROUND\nblue\n")
    found = check(course, tmp_path / "mine")
    assert "detect" in [step["name"] for step in found["steps"] if step["state"] == "mend this"]
