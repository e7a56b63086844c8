"""Images withheld: the notebook sees the rest, the rerun's model is graded, the handed-in one is only shown."""

import hashlib
import html
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from command_line import run_harness
from PIL import Image
from small_course import CLASSES, REFERENCE, hand_in, notebook, with_weights

ASSIGNMENT = """\
title = "Own objects"
[held_out]
mode = "withhold"
[limits]
wall_seconds = 500
cell_seconds = 300
memory = "2 GB"
[dataset]
names = ["flowers/train"]
[own_dataset]
min_images_per_class = 20
[reference]
code = "transfer.py"
[benchmark]
min_seconds = 0.2
warm_up_seconds = 0.2
[[criteria]]
kind = "accuracy_vs_reference"
points = 60
[[criteria]]
kind = "dataset"
points = 40
"""
_COLOURS = {"red": (200, 40, 40), "green": (40, 180, 60), "blue": (40, 60, 200)}

# Counts what it sees, says so, and saves a model that knows the three colours.
TRAINS = """
import json, os
from pathlib import Path
seen = {p.name: sorted(f.name for f in p.iterdir()) for p in sorted(Path("dataset").iterdir()) if p.is_dir()}
also = {p.name: len(list(p.iterdir())) for p in sorted(Path("data/train").iterdir())}
print("SEEN" + json.dumps(seen)); print("ALSO" + json.dumps(also))
print("BESIDE" + json.dumps(sorted(os.listdir("."))))
import hashlib
files = [p for top in (Path("/in"), Path.cwd(), Path("/tmp")) for p in top.rglob("*") if p.is_file()]
everywhere = {hashlib.sha256(p.read_bytes()).hexdigest() for p in files}
print("EVERYWHERE" + json.dumps(sorted(everywhere)))
named = {p.name: len(list(p.iterdir())) for p in sorted(Path("/content/drive/MyDrive/flowers/train").iterdir())}
print("NAMED" + json.dumps(named))
"""
SAVES = (
    REFERENCE.replace("def train(", "def train(")
    + """
out = Path("model"); out.mkdir(exist_ok=True)
train(Path("data/train"), out, backbone="", weights=None, seed=1)
import shutil
for name in ("model.onnx", "labels.txt", "handin.json"): shutil.copy(out / name, name)
"""
)


def _images(folder: Path, per_class: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    for name in CLASSES:
        (folder / name).mkdir(parents=True)
        for number in range(per_class):
            coarse = Image.fromarray(np.clip(random.normal(128, 30, (12, 16)), 0, 255).astype(np.uint8))
            shade = np.asarray(coarse.resize((128, 96), Image.Resampling.BICUBIC), np.float64)[..., None] - 128
            pixels = np.clip(np.array(_COLOURS[name]) + shade + random.normal(0, 12, (96, 128, 3)), 0, 255)
            Image.fromarray(pixels.astype(np.uint8)).save(folder / name / f"{number:03}.png")


@pytest.fixture(scope="module")
def graded(tmp_path_factory, fetched_weights):
    folder = tmp_path_factory.mktemp("own")
    (folder / "transfer.py").write_text(REFERENCE)
    (folder / "assignment.toml").write_text(ASSIGNMENT)
    submissions = folder / "submissions"
    trains = hand_in(submissions, "trains", notebook__ipynb=notebook(TRAINS, SAVES))
    _images(trains / "dataset", 24, 1)
    (trains / "weights.npz").write_bytes(b"a cache of all images")
    none = hand_in(submissions, "no-data-set", notebook__ipynb=notebook("print(1)"))
    assert none.is_dir()
    lazy = hand_in(submissions, "trains-nothing", notebook__ipynb=notebook("print(1)"))
    shutil.copytree(trains / "dataset", lazy / "dataset")
    (lazy / "dataset" / "red" / "000.png").unlink()
    (folder / "transfer-out").mkdir()
    namespace: dict = {}
    exec(REFERENCE, namespace)
    namespace["train"](trains / "dataset", folder / "transfer-out", backbone="", weights=None, seed=1)
    for name in ("model.onnx", "labels.txt", "handin.json"):
        shutil.copy(folder / "transfer-out" / name, lazy / name)
    (trains / "dataset" / "cache.npy").write_bytes(b"another cache")
    out = folder / "out"
    options = ("--assignment", folder / "assignment.toml", "--out", out, "--sandbox", "bubblewrap")
    done = run_harness("grade", submissions, *options, cache=with_weights(fetched_weights, folder / "cache"))
    assert (out / "results.json").is_file(), done.stderr
    rows = {row["id"]: row for row in json.loads((out / "results.json").read_text())["submissions"]}
    return rows, out, folder


def _said(out: Path, what: str) -> object:
    """What the notebook printed after `what`."""
    page = (out / "students" / "trains" / "notebook.html").read_text()
    found = re.search(what + r"([\[{].*)", re.sub(r"<[^>]+>", "", page))
    assert found is not None
    return json.loads(html.unescape(found[1]))


def test_the_notebook_sees_the_rest_in_its_own_layout(graded):
    rows, out, _ = graded
    assert rows["trains"]["dataset"]["heldout"] == {"blue": 8, "green": 8, "red": 8}
    seen = _said(out, "SEEN")
    assert {name: len(files) for name, files in seen.items()} == {"blue": 16, "green": 16, "red": 16}
    assert _said(out, "ALSO") == _said(out, "NAMED") == {"blue": 16, "green": 16, "red": 16}


def test_the_withheld_images_are_nowhere_in_the_rerun(graded):
    _, out, folder = graded
    images = folder / "submissions" / "trains" / "dataset"
    digest = {file: hashlib.sha256(file.read_bytes()).hexdigest() for file in images.rglob("*.png")}
    seen = {images / name / file for name, files in _said(out, "SEEN").items() for file in files}
    there = set(_said(out, "EVERYWHERE"))
    withheld = set(digest) - seen
    assert len(withheld) == 24 and len(seen) == 48
    assert not set(digest.values()) & there, "and of the others not their bytes, but what they show, written anew"
    assert _said(out, "BESIDE") == ["data", "dataset", "flowers", "notebook.ipynb"], "no weights, no caches"


def test_the_reruns_model_is_graded_against_a_reference_on_the_same_data(graded):
    rows, _, _ = graded
    row = rows["trains"]
    assert row["evaluation"]["images"] == 24
    assert row["evaluation"]["accuracy"] > 0.9
    assert row["evaluation"]["difference_interval"] is not None
    assert row["own"]["rerun"]["accuracy"] == row["evaluation"]["accuracy"]
    codes = {finding["code"] for finding in row["findings"]}
    assert "rerun-files-left-out" in codes, "the cache beside the images"
    assert "embedded-data" not in codes and row["status"] == "graded", "an honest one waits for nobody"


def test_a_handed_in_model_is_shown_as_seen_and_never_graded(graded):
    rows, _, _ = graded
    row = rows["trains-nothing"]
    assert row["evaluation"] is None
    assert row["own"]["seen"]["accuracy"] > 0.9
    assert "rerun-without-model" in {finding["code"] for finding in row["findings"]}
    assert row["marks"][0]["points"] == 0


def test_photographs_of_another_hand_in_are_named_on_both_sides(graded):
    rows, out, _ = graded
    for one, other in (("trains", "trains-nothing"), ("trains-nothing", "trains")):
        shared = [f for f in rows[one]["findings"] if f["code"] == "dataset-shared-with-other"]
        assert len(shared) == 1 and other in shared[0]["detail"] and "another submission" in shared[0]["message"]
        assert rows[one]["dataset"]["shared"]
        assert "The same photographs as another submission" in (out / "students" / one / "index.html").read_text()
        assert "Left this data set" in (out / "submissions" / one / "index.html").read_text()


def test_a_student_s_page_shows_no_image_of_a_data_set_of_which_a_part_was_withheld(graded):
    """Those that are shown would tell which were withheld; the instructor sees all."""
    _, out, _ = graded
    assert "data:image/jpeg" in (out / "submissions" / "trains" / "index.html").read_text()
    assert "data:image/jpeg" not in (out / "students" / "trains" / "index.html").read_text()


def test_without_a_data_set_nothing_can_be_graded_and_it_is_said(graded):
    rows, _, _ = graded
    row = rows["no-data-set"]
    assert row["evaluation"] is None and row["status"] == "failed"
    assert "withheld" in row["stages"]["execute"]["reason"]
