"""The stage `detect` through a real sandbox: a graph in the agent's process, and a student's own code in its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from harness.inputs.assignment.limits import ResourceLimits
from harness.inputs.images import StagedImages
from harness.sandbox import Sandbox
from harness.stages.context import StageContext
from harness.stages.detection.asking import Asking, detect
from harness.stages.detection.handed_in import HandedDetector
from harness.stages.evidence.detections import Boxes
from harness.stages.evidence.stage_result import Done, Failed
from harness.stages.store import Store

# Sees the mean colour of an image in the score, keeps nothing from the course, and tries to.
OWN = """
import os, pathlib
import numpy as np

THRESHOLD = float(pathlib.Path("settings.txt").read_text())

def predict(images):
    assert len(images) == 1 and not list(pathlib.Path("/in").glob("**/*.png"))
    sure = images[0].mean() / 255
    return [{"boxes": [[0, 0, 0.5, 1], [float("nan")] * 4], "scores": [sure, THRESHOLD], "labels": [1, 2]}]
"""
FORGETFUL = "import random\ndef predict(images):\n    return [([[0, 0, 1, 1]], [random.random()], [0])]\n"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> StageContext:
    from harness.sandbox.bubblewrap import Bubblewrap

    engine: Sandbox = Bubblewrap()
    limits = ResourceLimits(wall_seconds=120, cell_seconds=60, idle_seconds=60, memory=2 * 10**9)
    return StageContext(engine, Store(tmp_path_factory.mktemp("store")), limits)


@pytest.fixture(scope="module")
def staged(tmp_path_factory: pytest.TempPathFactory) -> StagedImages:
    """Six images, each brighter than the one before, of different sizes."""
    folder = tmp_path_factory.mktemp("images")
    names = tuple(f"{number}.png" for number in range(6))
    for number, name in enumerate(names):
        Image.new("RGB", (60 + 10 * number, 40), (40 * number,) * 3).save(folder / name)
    return StagedImages(folder, names, "5eed")


def detected(
    place: StageContext, staged: StagedImages, folder: Path, files: dict[str, bytes], model: str | None = None
) -> Any:
    blobs = {}
    for name, content in files.items():
        (folder / name).write_bytes(content)
        blobs[name] = place.store.put(folder / name, name)
    detector = HandedDetector(blobs[model]) if model else HandedDetector(None, tuple(blobs.items()))
    return detect(Asking(detector), staged, place)


def graph(**outputs: np.ndarray) -> bytes:
    """An ONNX file with these outputs for every image of 64 x 64."""
    nodes = [helper.make_node("Identity", [f"{name}_"], [name]) for name in outputs]
    weights = [numpy_helper.from_array(array, f"{name}_") for name, array in outputs.items()]
    given = helper.make_tensor_value_info("input_0", TensorProto.FLOAT, (1, 3, 64, 64))
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, array.shape) for name, array in outputs.items()]
    made = helper.make_graph(nodes, "detector", [given], ends, weights)
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def read(place: StageContext, boxes: Boxes, part: str) -> np.ndarray:
    return np.load(place.store.path(getattr(boxes, part)))


def test_a_graphs_boxes_come_out_at_both_operating_points(place: StageContext, staged: StagedImages, tmp_path: Path):
    scores = np.array([[[0.1, 0.8, 0.1, 0.0], [0.1, 0.7, 0.1, 0.1], [0.6, 0.0, 0.1, 0.3]]], np.float32)
    boxes = np.array([[[0.1, 0.1, 0.5, 0.5], [0.12, 0.1, 0.5, 0.5], [0.6, 0.6, 1.2, 0.9]]], np.float32)
    file = {"ssd-mobilenet.onnx": graph(scores=scores, boxes=boxes)}
    result = detected(place, staged, tmp_path, file, "ssd-mobilenet.onnx")
    assert isinstance(result, Done), result
    value = result.value
    assert (value.description.family, value.images, value.asked_twice) == ("ssd_onnx", 6, 6)
    assert (value.largest_difference, value.depends_on_order) == (0.0, False)
    assert read(place, value.every, "images").tolist() == [image for image in range(6) for _ in range(5)]
    assert read(place, value.every, "labels")[:5].tolist() == [1, 3, 2, 2, 3]
    assert read(place, value.board, "boxes")[0].tolist() == pytest.approx([0.1, 0.1, 0.5, 0.5])
    assert value.board.count == 6


def test_own_code_gets_pixels_and_its_files_and_nothing_else(place: StageContext, staged: StagedImages, tmp_path: Path):
    files = {"predict.py": OWN.encode(), "settings.txt": b"0.25"}
    result = detected(place, staged, tmp_path, files)
    assert isinstance(result, Done), result
    value = result.value
    assert [one.code for one in result.findings] == ["detector-faulty-boxes"] and value.faults.no_box == 6
    assert value.description.family == "own_code" and not value.depends_on_order
    scores, labels = (read(place, value.every, part) for part in ("scores", "labels"))
    assert scores[labels == 1] == pytest.approx([40 * number / 255 for number in range(6)], abs=1e-6)
    assert not read(place, value.every, "boxes")[labels == 2].any(), "a false alarm that hits nothing"


def test_own_code_that_answers_by_chance_is_noticed(place: StageContext, staged: StagedImages, tmp_path: Path):
    result = detected(place, staged, tmp_path, {"predict.py": FORGETFUL.encode()})
    assert isinstance(result, Done) and result.value.depends_on_order
    assert [one.code for one in result.findings] == ["detector-depends-on-order"]


def test_own_code_that_sees_nothing_is_a_detector_that_sees_nothing(
    place: StageContext, staged: StagedImages, tmp_path: Path
):
    result = detected(place, staged, tmp_path, {"predict.py": b"def predict(images): return [([], [], [])]"})
    assert isinstance(result, Done) and result.value.every.count == 0, result
    assert [one.code for one in result.findings] == ["detector-sees-nothing"]


def test_what_own_code_lacks_is_said(place: StageContext, staged: StagedImages, tmp_path: Path):
    result = detected(place, staged, tmp_path, {"predict.py": b"def answer(images): return []"})
    assert isinstance(result, Failed) and "predict(images)" in result.detail
