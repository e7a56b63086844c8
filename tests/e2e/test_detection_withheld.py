"""Detectors of a student's own objects: a part of the images is withheld, and the rerun's detector is graded on it."""

from __future__ import annotations

import hashlib
import html
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from command_line import run_harness
from detection_course import ASSIGNMENT, CLASSES, REFERENCE, make_course, write_set
from readable import readable_to_the_sandbox
from small_course import hand_in, notebook, with_weights

IMAGES, WITHHELD = 30, 6  # each shows both classes
OWN = f"""\
[own_dataset]
min_classes = 2
min_images_per_class = 12
withhold_per_class = {WITHHELD}
seed = 81723645012
"""
_WEIGHTS = "[-9.0, 0, 9.0], [9.0, 0, -9.0]"  # of the reference
BETTER = REFERENCE.replace(_WEIGHTS, "[-9.5, 0, 9.5], [9.5, 0.1, -9.5]")
BLIND_FOR_RED = REFERENCE.replace(_WEIGHTS, "[-9.5, 0, 9.5], [0, 0.1, 0]")
assert REFERENCE not in (BETTER, BLIND_FOR_RED)

# Says what it finds, and "trains" a detector of the classes that are drawn there.
LOOKS = """
import hashlib, json
from pathlib import Path
from xml.etree import ElementTree
drawn = {path.stem: sorted(name.text for name in ElementTree.parse(path).iter("name"))
         for path in sorted(Path("dataset/Annotations").iterdir())}
print("SEEN" + json.dumps(sorted(path.stem for path in Path("dataset/JPEGImages").iterdir())))
print("DRAWN" + json.dumps(drawn))
files = [p for top in (Path("/in"), Path.cwd(), Path("/tmp")) for p in top.rglob("*") if p.is_file()]
print("EVERYWHERE" + json.dumps(sorted({hashlib.sha256(p.read_bytes()).hexdigest() for p in files})))
Path("names").mkdir()
Path("names/labels.txt").write_text("\\n".join(sorted({name for names in drawn.values() for name in names})))
"""
TRAINS = """
train(Path("names"), Path("."), backbone="", weights="", seed=1)
"""


def _submissions(folder: Path) -> Path:
    """`trains`: the run makes a good detector; `lazy`: a blind one, where a good one was handed in; `idle`: none."""
    trains = hand_in(folder, "trains", notebook__ipynb=notebook(LOOKS, BETTER + TRAINS))
    write_set(trains / "dataset", IMAGES, 2)
    lazy = hand_in(folder, "lazy", notebook__ipynb=notebook(LOOKS, BLIND_FOR_RED + TRAINS))
    write_set(lazy / "dataset", IMAGES, 3)
    space: dict[str, Any] = {}
    exec(BETTER, space)  # the test's own text
    (lazy / "names").mkdir()
    (lazy / "names" / "labels.txt").write_text("\n".join(CLASSES))
    space["train"](lazy / "names", lazy, backbone="", weights="", seed=1)
    shutil.rmtree(lazy / "names")
    idle = hand_in(folder, "idle", notebook__ipynb=notebook("print(1)"))
    write_set(idle / "dataset", IMAGES, 4)
    hand_in(folder, "no-data-set", notebook__ipynb=notebook("print(1)"))
    return folder


def _graded(folder: Path, mode: str, weights: Path) -> Path:
    """The folder with the submissions and `out`."""
    assignment = make_course(folder / "course")
    text = ASSIGNMENT.replace("[held_out]", f'[held_out]\nmode = "{mode}"')
    text = text.replace('[execution]\nmode = "as-handed-in"\n', "").replace("[reference]", OWN + "[reference]")
    if mode == "withhold":
        text = text.replace('path = "heldout"\n', "").replace('path = "train"\n', "")
    text = text.replace("[robustness]", "[benchmark]\nmin_seconds = 0\nwarm_up_seconds = 0.05\n[robustness]")
    assignment.write_text(text.replace('model = "required"', 'dataset = "required"'))
    options = ("--assignment", assignment, "--out", folder / "out", "--sandbox", "bubblewrap")
    cache = with_weights(weights, folder / "cache")
    done = run_harness("grade", _submissions(folder / "submissions"), *options, cache=cache)
    assert done.returncode in (0, 1), done.stderr
    return folder


@pytest.fixture(scope="module")
def withheld(tmp_path_factory: pytest.TempPathFactory, fetched_weights: Path) -> Path:
    return _graded(readable_to_the_sandbox(tmp_path_factory.mktemp("withheld")), "withhold", fetched_weights)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory, fetched_weights: Path) -> Path:
    return _graded(readable_to_the_sandbox(tmp_path_factory.mktemp("both")), "both", fetched_weights)


def _row(folder: Path, name: str) -> dict[str, Any]:
    rows = json.loads((folder / "out" / "results.json").read_text())["submissions"]
    (row,) = [row for row in rows if row["id"] == name]
    return row


def _points(row: dict[str, Any]) -> dict[str, float | None]:
    return {mark["criterion"]: mark["points"] for mark in row["marks"]}


def _codes(row: dict[str, Any]) -> set[str]:
    return {found["code"] for found in row["findings"]}


def _said(folder: Path, what: str) -> Any:
    """What the notebook of `trains` printed after `what`."""
    page = (folder / "out" / "students" / "trains" / "notebook.html").read_text()
    found = re.search(what + r"([\[{].*)", re.sub(r"<[^>]+>", "", page))
    assert found is not None
    return json.loads(html.unescape(found[1]))


def test_the_notebook_sees_the_rest_with_its_boxes_and_the_withheld_images_are_nowhere(withheld: Path):
    seen = _said(withheld, "SEEN")
    assert len(seen) == IMAGES - WITHHELD
    assert _said(withheld, "DRAWN") == dict.fromkeys(seen, sorted(CLASSES))
    images = (withheld / "submissions" / "trains" / "dataset").rglob("*.png")
    assert not {hashlib.sha256(file.read_bytes()).hexdigest() for file in images} & set(_said(withheld, "EVERYWHERE"))


def test_the_rerun_s_detector_is_graded_against_a_reference_on_the_same_images(withheld: Path):
    row = _row(withheld, "trains")
    assert row["dataset"]["heldout"] == {"blue": WITHHELD, "red": WITHHELD}
    assert row["detection"]["images"] == WITHHELD and row["detection"]["objects"] == 2 * WITHHELD
    assert row["detection"]["scores"]["ap50"] == row["detection"]["reference_ap50"] == 1.0
    assert _points(row) == {"model_predicts": 20, "ap_vs_reference": 40, "counts_right": 20, "manual": None}
    assert row["own_boxes"]["rerun"]["scores"] == row["detection"]["scores"] and row["own_boxes"]["seen"] is None
    assert row["benchmark"]["ratio"] > 0, "the reference of this data set is timed beside it"
    assert "harness-defect" not in _codes(row)


def test_a_handed_in_detector_is_shown_as_seen_and_never_graded(withheld: Path):
    row = _row(withheld, "lazy")
    assert row["own_boxes"]["seen"]["ap50"] == 1.0 and row["own_boxes"]["seen"]["difference"] > 0.2
    assert row["detection"]["scores"]["ap50"] < 0.7 and row["detection"]["reference_ap50"] == 1.0
    assert (_points(row)["ap_vs_reference"] or 0) < 20
    assert "seen-finds-more-than-rerun" in _codes(row)


def test_without_a_detector_or_a_data_set_nothing_is_graded_and_it_is_said(withheld: Path):
    idle, none = _row(withheld, "idle"), _row(withheld, "no-data-set")
    assert idle["detection"] is None and none["detection"] is None
    assert "rerun-without-model" in _codes(idle) and _points(idle)["ap_vs_reference"] == 0
    assert idle["own_boxes"]["reference_ap50"] == 1.0 and idle["own_boxes"]["rerun"] is None
    assert "withheld" in none["stages"]["execute"]["reason"] and none["own_boxes"] is None
    assert not {"harness-defect"} & (_codes(idle) | _codes(none))


def test_with_the_course_s_images_too_the_rerun_is_graded_on_these_and_scored_on_both(both: Path):
    for name in ("trains", "lazy"):
        row = _row(both, name)
        assert row["detection"]["images"] == 10, "the course's"
        assert row["own_boxes"]["rerun"]["images"] == WITHHELD and row["own_boxes"]["reference_ap50"] == 1.0
        assert "harness-defect" not in _codes(row)
    good, blind = _row(both, "trains"), _row(both, "lazy")
    assert good["detection"]["scores"]["ap50"] == good["own_boxes"]["rerun"]["scores"]["ap50"] == 1.0
    assert _points(good)["ap_vs_reference"] == 40
    assert blind["detection"]["scores"]["ap50"] < 0.7 and blind["own_boxes"]["rerun"]["scores"]["ap50"] < 0.7
    assert blind["own_boxes"]["seen"]["ap50"] == 1.0 and "seen-finds-more-than-rerun" in _codes(blind)


@pytest.mark.parametrize("mode", ["withheld", "both"])
def test_the_pages_show_these_scores_and_a_student_s_shows_no_image(mode: str, request: pytest.FixtureRequest):
    out = request.getfixturevalue(mode) / "out"
    for page in (out / "submissions" / "lazy" / "index.html", out / "students" / "lazy" / "index.html"):
        assert "Trained by the rerun" in page.read_text() and "<b>seen</b>" in page.read_text()
    assert "The reference: mobilenet_v2, AP50 1.00" in (out / "students" / "lazy" / "index.html").read_text()
    assert "data:image/jpeg" not in (out / "students" / "lazy" / "index.html").read_text()
