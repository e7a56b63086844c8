"""What `make demo-detection` takes: rendered images with boxes, and the detectors that its class hands in."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import onnx
import pytest

from harness.agent.dataset import open_tree, read
from harness.agent.detectors.registry import family_of
from harness.inputs.assignment import load

REPOSITORY = Path(__file__).resolve().parents[2]
EXAMPLE, CLASS = REPOSITORY / "reference_solution" / "detection", REPOSITORY / "submissions_detection"
WITH_BACKGROUND = ("Noor Jansen s2031145", "SofiaR", "l.chen", "team-lynx")


def module(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A script of the repository as a module."""
    monkeypatch.syspath_prepend(str(folder))
    __import__(name)
    return sys.modules[name]


@pytest.fixture
def images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The example's sets, with three and two images."""
    script = module("render_images", EXAMPLE, monkeypatch)
    few = {"train": (script.TRAINING, 3), "held_out": (script.HELD_OUT, 2)}
    monkeypatch.setattr(script, "SETS", few)
    assert script.render_all(tmp_path / "data", 1) and not script.render_all(tmp_path / "data", 1)
    yield tmp_path / "data"
    del sys.modules["render_images"]


def test_the_class_hands_in_what_its_readme_says(
    images: Path, fetched_weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    for part, count in (("train", 3), ("held_out", 2)):
        reading = read(open_tree(images / part, tmp_path))
        assert reading.layout == "voc" and len(reading.images) == count and not reading.faults
        assert all(2 <= len(image.boxes) <= 5 for image in reading.images)
    script = module("make_models", CLASS, monkeypatch)
    whole = script.Lesson.detector
    monkeypatch.setattr(
        script.Lesson,
        "detector",
        lambda of, seed, head_steps, steps: whole(of, seed, min(2, head_steps), min(1, steps)),
    )
    weights = next((fetched_weights / "weights").glob("mobilenet_v2*"))
    lesson = script.lesson(images / "train", weights, views=8)
    script.make(lesson, tmp_path / "class")
    handed_in = {file.parent.name: file for file in (tmp_path / "class").glob("*/*.onnx")}
    assert set(handed_in) == {*WITH_BACKGROUND, "pieter_de_wit", "kim-yolo"}
    for name, file in handed_in.items():
        assert family_of(file)[0] == ("yolo_onnx" if name == "kim-yolo" else "ssd_onnx")
        labels = file.with_name("labels.txt")
        first = labels.read_text().splitlines()[0] if labels.is_file() else None
        assert first == ("BACKGROUND" if name in WITH_BACKGROUND else "ball" if name == "pieter_de_wit" else None)
    original, copied = (onnx.load(handed_in[name]) for name in ("Noor Jansen s2031145", "SofiaR"))
    assert original.graph == copied.graph and original.producer_name != copied.producer_name


def test_its_assignment_asks_for_what_a_detector_has(images: Path, tmp_path: Path):
    folder = tmp_path / "course"
    folder.mkdir()
    (folder / "assignment.toml").write_text((EXAMPLE / "assignment.toml").read_text())
    (folder / "data").symlink_to(images)
    assignment = load(folder / "assignment.toml")
    assert assignment.task == "detection" and assignment.points == assignment.max_points == 100
    kinds = {criterion.kind for criterion in assignment.criteria}
    assert {"ap_vs_reference", "counts_right", "latency_vs_reference", "model_predicts"} <= kinds
