"""`harness check` as a student calls it, on a machine that has neither a sandbox nor what only Linux has."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import pytest
from small_course import RUBRIC_POINTS, Course, hand_in, notebook

from harness.inputs import images
from harness.inputs.student_package import ReferenceScores, name_of
from harness.inputs.submissions import collect
from harness.inputs.submissions.manifest import MANIFEST


@pytest.fixture(scope="module")
def package(small_course: Course, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A student's package, whose public images the reference answers rightly, and the student works in it."""
    folder = tmp_path_factory.mktemp("package")
    course = small_course.folder / "course"
    text = (course / "assignment.toml").read_text()
    without = text.replace('[held_out]\npath = "heldout"\n[reference]\ncode = "transfer.py"\n', "")
    (folder / "assignment.toml").write_text(without.replace('[dataset]\npath = "train"\n', ""))
    (folder / "images").symlink_to(course / "heldout")
    public = images.load(folder / "images")
    right = {name_of(file, folder / "images"): True for file in public.files}
    scores = ReferenceScores(
        backbone="mobilenet_v2",
        images_sha256=public.sha256,
        accuracy=1.0,
        accuracy_interval=(0.86, 1.0),
        right=right,
    )
    (folder / "reference_scores.json").write_text(scores.model_dump_json())
    hand_in(folder, "mine", small_course.reference, my__ipynb=notebook("1 + 1"))
    return folder


def test_a_whole_check_without_a_sandbox_and_without_linux(
    package: Path, without_linux, small_course: Course, tmp_path
):
    environment = {**without_linux, "HARNESS_CACHE": str(small_course.folder / "cache"), "GITHUB_ACTIONS": "true"}
    arguments = ["check", package / "mine", "--sandbox", "none", "--json", "--junit", tmp_path / "junit.xml"]
    done = subprocess.run(
        [sys.executable, "-m", "harness", *map(str, arguments)],
        capture_output=True,
        text=True,
        env=environment,
        timeout=900,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert [step["state"] for step in found["steps"] if step["state"] == "mend this"] == []
    points = {line["kind"]: (line["state"], line["points"]) for line in found["criteria"]}
    assert points == {
        "notebook_runs": ("expected", 20),
        "model_predicts": ("expected", 20),
        "accuracy_vs_reference": ("expected", 40),
        "manual": ("marked by hand", None),
    }
    assert not [line["reason"] for line in found["criteria"] if "held-out" in line["reason"]]
    assert (found["expected"], found["open_points"], found["max_points"]) == (80, 20, RUBRIC_POINTS)
    assert (found["images_from"], found["accuracy"], found["reference_accuracy"]) == ("public", 1.0, 1.0)
    assert found["sandbox"] == "none" and "submissions run as you" in found["sandbox_says"]
    suite = ElementTree.parse(tmp_path / "junit.xml").getroot()
    assert suite.get("failures") == "0" and suite.get("skipped") == "1"

    zipped = package / "mine" / "handin.zip"
    assert zipfile.ZipFile(zipped).namelist()[0] == MANIFEST
    (one,) = collect(zipped, tmp_path / "taken")
    assert (one.notebook, one.model, one.findings) == (Path("my.ipynb"), Path("model.onnx"), ())
