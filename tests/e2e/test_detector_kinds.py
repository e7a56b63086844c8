"""Detectors of every kind, as their tools write them, graded by `harness grade` and read from the pages."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import torch
from command_line import grade
from detection_course import CLASSES, make_course
from detector_kinds import state_of_ssdlite, torchvisions, torchvisions_onnx, yolo
from readable import readable_to_the_sandbox
from small_course import fetch_weights

from harness.sandbox import KERAS
from harness.sandbox.virtual_environments import find

NO_BACKGROUND = "".join(f"{name}\n" for name in CLASSES)
WITH_BACKGROUND = f"BACKGROUND\n{NO_BACKGROUND}"
# Each of these finds every object. How its page calls it; whether it suppresses by itself; whether it has a graph.
RIGHT = {
    "tflite": ("a TFLite model", True, False),
    "tflite-uint8": ("a TFLite model", True, False),
    "saved-model": ("a SavedModel of the Object Detection API", True, False),
    "torchvision-onnx": ("a torchvision detector as ONNX", True, True),
    "torchvision-script": ("a torch model", True, None),
    "torchvision-module": ("a torch model", True, True),
    "yolo-rows": ("a YOLO as ONNX", False, True),
    "yolo-v5": ("a YOLO as ONNX", False, True),
    "yolo-v8": ("a YOLO as ONNX", False, True),
    "yolo-end-to-end": ("a YOLO as ONNX", True, True),
}


@pytest.fixture(scope="module")
def tensorflows(keras_built: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What TensorFlow writes, by the environment `keras` itself."""
    folder, python = tmp_path_factory.mktemp("tensorflow"), find(KERAS)
    assert python is not None
    script = Path(__file__).with_name("write_tensorflow_detectors.py")
    done = subprocess.run([python.python, script, folder], capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


@pytest.fixture(scope="module")
def graded(tensorflows: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `submissions`, and `out` with what grading them wrote."""
    folder = readable_to_the_sandbox(tmp_path_factory.mktemp("kinds"))
    fetch_weights(folder / "cache")
    environment = find(KERAS)
    assert environment is not None
    (folder / "cache" / "environments").symlink_to(environment.prefix.parents[1])
    assignment = make_course(folder / "course")
    quick = "[benchmark]\nmin_seconds = 0\nwarm_up_seconds = 0.05\n[robustness]"
    assignment.write_text(assignment.read_text().replace("[robustness]", quick))
    made = folder / "submissions"

    def place(name: str, labels: str = "") -> Path:
        (made / name).mkdir(parents=True)
        if labels:
            (made / name / "labels.txt").write_text(labels)
        return made / name

    for name, file in (
        ("tflite", "detect"),
        ("tflite-uint8", "detect_uint8"),
        ("unfinished", "without_post_processing"),
    ):
        shutil.copyfile(tensorflows / f"{file}.tflite", place(name, NO_BACKGROUND) / "detect.tflite")
    shutil.copytree(tensorflows / "exported", place("saved-model", NO_BACKGROUND) / "exported")
    torchvisions_onnx(place("torchvision-onnx", WITH_BACKGROUND) / "ssd.onnx")
    torch.jit.script(torchvisions()).save(str(place("torchvision-script", NO_BACKGROUND) / "ssd.pt"))
    torch.save(torchvisions(), place("torchvision-module", WITH_BACKGROUND) / "ssd.pth")
    torch.save(state_of_ssdlite(), place("untrained", WITH_BACKGROUND) / "ssdlite.pth")
    for form, anchors, named in (("rows", 8400, False), ("v5", 25200, False), ("v8", 8400, True)):
        yolo(place(f"yolo-{form}") / "best.onnx", form, anchors, named)
    yolo(place("yolo-end-to-end", NO_BACKGROUND) / "best.onnx", "end-to-end", 300, named=False)
    done = grade(made, assignment, folder / "out", folder / "cache")
    assert done.returncode in (0, 1), done.stderr
    return folder


def row(graded: Path, name: str) -> dict[str, Any]:
    found = json.loads((graded / "out" / "results.json").read_text())["submissions"]
    (one,) = [one for one in found if one["id"] == name]
    return one


def page(graded: Path, name: str) -> str:
    """The text of the instructor's page, without its tags."""
    text = (graded / "out" / "submissions" / name / "index.html").read_text()
    return html.unescape(" ".join(re.sub(r"<[^>]+>", " ", text).split()))


@pytest.mark.parametrize("name", RIGHT)
def test_it_is_read_as_its_tool_means_it(name: str, graded: Path) -> None:
    kind, suppresses, has_graph = RIGHT[name]
    one = row(graded, name)
    assert one["detection"]["scores"]["ap50"] == 1.0, [found["message"] for found in one["findings"]]
    assert not [found for found in one["findings"] if found["severity"] == "error"]
    text = page(graded, name)
    assert kind in text and ("are suppressed inside the model" in text) == suppresses
    if has_graph is not None:
        stages = {stage: one["stages"][stage]["status"] for stage in ("convert", "inspect", "benchmark")}
        assert stages == dict.fromkeys(stages, "ok") if has_graph else stages["benchmark"] == "skipped", one["stages"]


def test_a_detector_without_its_post_processing_is_told_how_to_export_it(graded: Path) -> None:
    (said,) = [found for found in row(graded, "unfinished")["findings"] if found["code"] == "prediction-failed"]
    assert "TFLite_Detection_PostProcess" in said["message"]


def test_an_untrained_detector_sees_nothing_and_nothing_stops(graded: Path) -> None:
    one = row(graded, "untrained")
    assert one["detection"]["scores"]["ap50"] < 0.3
    stages = {stage: one["stages"][stage] for stage in ("detect", "convert", "inspect")}
    assert {name: stage["status"] for name, stage in stages.items() if name != "inspect"} == {
        "detect": "ok",
        "convert": "ok",
    }, stages
    assert stages["inspect"]["status"] == "ok" or "not as ONNX" in stages["inspect"]["reason"], stages
