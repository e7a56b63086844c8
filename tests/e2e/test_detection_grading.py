"""A class of detectors, graded by `harness grade`: from the folder of submissions to the pages."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from command_line import run_harness
from detection_course import CLASSES, REFERENCE, make_course, write_set
from PIL import Image
from readable import readable_to_the_sandbox
from small_course import with_weights

OWN_CODE = """
import numpy as np

def predict(images):
    found = []
    for image in images:
        cells = np.asarray(image, np.float32)[..., :3]
        height, width = cells.shape[:2]
        boxes, labels = [], []
        for row in range(3):
            for column in range(3):
                part = cells[row * height // 3:(row + 1) * height // 3, column * width // 3:(column + 1) * width // 3]
                red, _, blue = part.reshape(-1, 3).mean(0)
                if abs(red - blue) > 90:
                    boxes.append([column / 3, row / 3, (column + 1) / 3, (row + 1) / 3])
                    labels.append(int(red > blue))
        found.append({"boxes": boxes, "scores": [0.9] * len(boxes), "labels": labels})
    return found
"""
MORE = """
[[criteria]]
kind = "latency_vs_reference"
points = 10
full_at = 50
zero_at = 1000
"""


def _model(folder: Path, tilt: float) -> None:
    """A detector like the reference with other weights; `tilt` makes it blind for red at -9."""
    changed = REFERENCE.replace("[-9.0, 0, 9.0], [9.0, 0, -9.0]", f"[-9.5, 0, 9.5], [{9 + tilt}, 0.1, {-9 - tilt}]")
    assert changed != REFERENCE
    space: dict[str, Any] = {}
    exec(changed, space)  # the test's own text
    (folder / "train").mkdir(parents=True)
    (folder / "train" / "labels.txt").write_text("\n".join(CLASSES))
    space["train"](folder / "train", folder, backbone="", weights="", seed=1)
    shutil.rmtree(folder / "train")
    (folder / "model.onnx").rename(folder / "ssd-mobilenet.onnx")


def _data_set_without_one_box(folder: Path) -> None:
    """Images with two objects each; of `0.jpg` the red one has no box."""
    write_set(folder, 6, seed=8)
    for image in folder.rglob("*.png"):
        Image.open(image).save(image.with_suffix(".jpg"), quality=95)
        image.unlink()
    file = folder / "Annotations" / "0.xml"
    root = ElementTree.fromstring(file.read_text())
    (red,) = (item for item in root.findall("object") if item.findtext("name") == "red")
    root.remove(red)
    file.write_text(ElementTree.tostring(root, "unicode"))


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory, fetched_weights: Path) -> Path:
    """A folder with `submissions`, and `out` with what grading them wrote."""
    folder = readable_to_the_sandbox(tmp_path_factory.mktemp("detectors"))
    with_weights(fetched_weights, folder / "cache")
    assignment = make_course(folder / "course")
    text = assignment.read_text().replace("points = 100", "points = 110").replace("enabled = false", "images = 4")
    text = text.replace(
        "[robustness]", "[benchmark]\nmin_seconds = 0\nwarm_up_seconds = 0.05\n[robustness]\nseverities = [5]"
    )
    assignment.write_text(text + MORE)
    submissions = folder / "submissions"
    _model(submissions / "good", 0.5)
    _model(submissions / "shifted", 1.0)
    (submissions / "shifted" / "labels.txt").write_text("\n".join(CLASSES))
    _model(submissions / "blind", -9.0)
    _data_set_without_one_box(submissions / "blind" / "dataset")
    shutil.copytree(submissions / "good", submissions / "copied")
    (submissions / "own").mkdir()
    (submissions / "own" / "predict.py").write_text(OWN_CODE)
    (submissions / "own" / "labels.txt").write_text("\n".join(CLASSES))
    (submissions / "empty").mkdir()
    (submissions / "empty" / "readme.txt").write_text("sorry")
    done = grade(folder)
    assert done.returncode in (0, 1), done.stderr
    return folder


def grade(folder: Path) -> Any:
    arguments = ("grade", folder / "submissions", "--assignment", folder / "course" / "assignment.toml")
    return run_harness(*arguments, "--out", folder / "out", "--sandbox", "bubblewrap", cache=folder / "cache")


def results(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "out" / "results.json").read_text())


def marks(folder: Path, name: str) -> dict[str, float | None]:
    (row,) = [row for row in results(folder)["submissions"] if row["id"] == name]
    return {mark["criterion"]: mark["points"] for mark in row["marks"]}


def codes(folder: Path, name: str) -> set[str]:
    (row,) = [row for row in results(folder)["submissions"] if row["id"] == name]
    return {found["code"] for found in row["findings"]}


def test_each_detector_gets_what_it_is_worth(graded: Path):
    good = marks(graded, "good")
    assert good == {
        "model_predicts": 20, "ap_vs_reference": 40, "counts_right": 20, "manual": None, "latency_vs_reference": 10,
    }  # fmt: skip
    own = marks(graded, "own")
    assert (own["model_predicts"], own["ap_vs_reference"], own["counts_right"]) == (20, 40, 20)
    shifted, blind = marks(graded, "shifted"), marks(graded, "blind")
    assert shifted["model_predicts"] == 20 and shifted["ap_vs_reference"] == 0
    assert blind["model_predicts"] == 20 and 0 <= (blind["ap_vs_reference"] or 0) < 20
    assert marks(graded, "empty")["ap_vs_reference"] == 0


def test_what_answers_without_a_graph_says_why_it_is_not_timed(graded: Path):
    (own,) = [row for row in results(graded)["submissions"] if row["id"] == "own"]
    assert {own["stages"][name]["reason"] for name in ("convert", "inspect", "benchmark")} == {
        "The student's own code answers, so there is no model to look into or to time."
    }
    assert marks(graded, "own")["latency_vs_reference"] is None


def test_what_is_wrong_is_said(graded: Path):
    assert "labels-without-background" in codes(graded, "shifted")
    assert {"model-copied"} <= codes(graded, "copied") & codes(graded, "good")
    assert "no-model" in codes(graded, "empty")
    said = {code for code in codes(graded, "good") if code.startswith(("detector-", "labels-"))}
    assert said <= {"detector-graph-disagrees"}  # its last operators are those of no exporter


def test_results_and_tables_speak_of_average_precision(graded: Path):
    found = results(graded)
    assert found["assignment"]["task"] == "detection" and found["reference"]["ap50"] == 1.0
    assert found["reference"]["latency"]["p50_ms"] > 0
    (good,) = [row for row in found["submissions"] if row["id"] == "good"]
    assert good["evaluation"] is None and good["detection"]["scores"]["ap50"] == 1.0
    assert list(good["stages"]) == [
        *("read", "audit", "execute", "detect", "convert", "inspect", "detect_worse", "score_boxes", "boards"),
        "benchmark",
    ]
    assert good["benchmark"]["ratio"] > 0 and good["detection"]["corrupted"]["images"] == 4
    with (graded / "out" / "grades.csv").open(newline="") as stream:
        rows = {row["submission"]: row for row in csv.DictReader(stream)}
    assert float(rows["good"]["ap50"]) == 1.0 and rows["empty"]["ap50"] == ""


def test_no_page_of_a_student_shows_held_out_images_or_another_student(graded: Path):
    pages = {page.parent.name: page.read_text() for page in (graded / "out" / "students").rglob("index.html")}
    assert set(pages) == {"good", "shifted", "blind", "copied", "own", "empty"}
    for name, page in pages.items():
        assert "heldout" not in page and ".png" not in page
        assert not [other for other in pages if other != name and f">{other}<" in page]
    assert "AP50" in (graded / "out" / "index.html").read_text()


def test_a_second_run_asks_no_detector_again(graded: Path):
    before = results(graded)
    done = grade(graded)
    assert done.returncode in (0, 1), done.stderr
    after = results(graded)
    for row, again in zip(before["submissions"], after["submissions"], strict=True):
        assert again["detection"] == row["detection"] and again["marks"] == row["marks"]
        assert all(stage["cached"] for stage in again["stages"].values() if stage["status"] in ("ok", "cached"))


def test_the_reference_finds_the_object_that_has_no_box_and_no_point_depends_on_it(graded: Path):
    rows = {row["id"]: row for row in results(graded)["submissions"]}
    found = rows["blind"]["dataset"]
    (missing,) = found["unboxed"]
    assert found["looked_at"] == 6 and missing["label"] == "red" and missing["picture"].endswith("0.jpg")
    assert "dataset-unboxed-objects" in {one["code"] for one in rows["blind"]["findings"]}
    for top in ("students", "submissions"):
        (page,) = (file.read_text("utf-8") for file in (graded / "out" / top).rglob("blind/index.html"))
        assert "class=suspected" in page, top
