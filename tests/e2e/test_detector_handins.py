"""Detectors as students hand them in: from their folder through intake and a real sandbox to boxes of classes."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from harness.agent.ssd.detector import Detector
from harness.agent.ssd.networks import NETWORKS
from harness.inputs.assignment import Assignment
from harness.inputs.assignment.limits import ResourceLimits
from harness.inputs.given_weights import GivenWeights
from harness.inputs.images import HeldOutSet, ImageObjects, LabelledBox, StagedImages
from harness.inputs.images.training import NO_TRAINING_IMAGES
from harness.inputs.submissions.collect import collect
from harness.sandbox.bubblewrap import Bubblewrap
from harness.stages.context import StageContext
from harness.stages.detection.detect import DETECT, DetectRequest
from harness.stages.evidence.stage_result import Done, Failed, Skipped
from harness.stages.model_selection import to_grade
from harness.stages.store import Store

CLASSES = ("red", "green", "blue")
BOX = (0.1, 0.2, 0.6, 0.7)
COURSE = Assignment.model_validate(
    {
        "title": "Objects",
        "task": "detection",
        "held_out": {"path": "held_out"},
        "dataset": {"path": "train"},
        "criteria": [{"kind": "model_predicts", "points": 10}],
    }
)
# Finds the colour of an image, with a helper of its own and a file beside it.
PREDICT = """
import json, pathlib
from tools.colours import strongest

BOX = json.loads(pathlib.Path("weights/box.json").read_text())

def predict(images):
    return [([BOX], [0.9], [strongest(image)]) for image in images]
"""
TOOLS = "def strongest(image):\n    return int(image.mean(axis=(0, 1)).argmax())\n"


def coloured_ssd() -> bytes:
    """An ONNX file with scores and boxes like jetson-inference's: one box, whose class is the image's colour."""
    weights = [
        numpy_helper.from_array(np.array([1, 1, 3], np.int64), "shape"),
        numpy_helper.from_array(np.full((1, 1, 1), -2, np.float32), "background"),
        numpy_helper.from_array(np.full((1, 1, 1), 5, np.float32), "sharp"),
        numpy_helper.from_array(np.array([[BOX]], np.float32), "box"),
    ]
    nodes = [
        helper.make_node("GlobalAveragePool", ["input_0"], ["pooled"]),
        helper.make_node("Reshape", ["pooled", "shape"], ["means"]),
        helper.make_node("Mul", ["means", "sharp"], ["logits"]),
        helper.make_node("Concat", ["background", "logits"], ["all"], axis=2),
        helper.make_node("Softmax", ["all"], ["scores"], axis=2),
        helper.make_node("Identity", ["box"], ["boxes"]),
    ]
    given = helper.make_tensor_value_info("input_0", TensorProto.FLOAT, (1, 3, 300, 300))
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, (1, 1, 4)) for name in ("scores", "boxes")]
    graph = helper.make_graph(nodes, "detector", [given], ends, weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


class Class:
    """A course with images of one colour each, and one submission."""

    def __init__(self, folder: Path, context: StageContext) -> None:
        self.folder, self.context = folder, context
        (folder / "images").mkdir()
        names = tuple(f"{number}.png" for number in range(15))
        for number, name in enumerate(names):
            colour = [30, 30, 30]
            colour[number % 3] = 220
            Image.new("RGB", (80, 60), tuple(colour)).save(folder / "images" / name)
        self.staged = StagedImages(folder / "images", names, "5eed")
        objects = tuple(ImageObjects(80, 60, (LabelledBox(number % 3, *BOX),)) for number in range(15))
        self.known = HeldOutSet(CLASSES, (), (), "5eed", objects=objects)

    def hands_in(self, files: dict[str, bytes | str], zipped: bool = False) -> Any:
        """What the stage says of a submission with these files."""
        root = self.folder / "class" / "anna"
        root.mkdir(parents=True)
        for name, content in files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(content.encode() if isinstance(content, str) else content)
        if zipped:
            with zipfile.ZipFile(self.folder / "class" / "ben.zip", "w") as archive:
                for name in files:
                    archive.write(root / name, f"jetson/{name}")
            submissions = {one.id: one for one in collect(self.folder / "class", self.folder / "taken")}
            submission = submissions["ben"]
        else:
            (submission,) = collect(self.folder / "class", self.folder / "taken")
        models = to_grade(submission, Skipped(reason="not run"), COURSE, self.context.store)
        request = DetectRequest(
            models, False, CLASSES, self.known, self.staged, NO_TRAINING_IMAGES, GivenWeights(None, {}, {}), self.staged
        )
        return DETECT.work(request, self.context)

    def classes(self, result: Any) -> list[int]:
        """The class of each image's surest box, by what is graded."""
        value = result.value
        labels, images, scores = (
            np.load(self.context.store.path(getattr(value.every, part))) for part in ("labels", "images", "scores")
        )
        best = [np.flatnonzero(images == image)[scores[images == image].argmax()] for image in range(value.images)]
        return [value.meaning.taken[labels[row]] for row in best]


@pytest.fixture
def course(tmp_path: Path) -> Class:
    limits = ResourceLimits(wall_seconds=120, cell_seconds=60, idle_seconds=60, memory=3 * 10**9)
    return Class(tmp_path, StageContext(Bubblewrap(), Store(tmp_path / "store"), limits))


def codes(result: Any) -> list[str]:
    return [one.code for one in result.findings]


TRAINED = "python/training/detection/ssd/models/cards"
DATA = "python/training/detection/ssd/data/cards"
VOC = {f"{DATA}/Annotations/1.xml": "<annotation/>", f"{DATA}/ImageSets/Main/train.txt": "1\n"}


@pytest.mark.parametrize("zipped", [False, True])
def test_jetson_inferences_own_folder(zipped: bool, course: Class) -> None:
    files: dict[str, bytes | str] = {
        f"{TRAINED}/ssd-mobilenet.onnx": coloured_ssd(),
        f"{TRAINED}/labels.txt": "BACKGROUND\nred\ngreen\nblue\n",
        f"{TRAINED}/ssd-mobilenet.onnx.1.1.8201.GPU.FP16.engine": b"ftrt engine",
        f"{TRAINED}/mb1-ssd-Epoch-1-Loss-2.5.pth": b"PK\x03\x04 damaged",
        f"{DATA}/labels.txt": "red\ngreen\nblue\n",
        **VOC,
    }
    result = course.hands_in(files, zipped)
    assert isinstance(result, Done), result
    assert result.value.name.endswith("ssd-mobilenet.onnx") and result.value.description.family == "ssd_onnx"
    assert course.classes(result) == [image % 3 for image in range(15)]
    assert "detector-labels-misfit" not in codes(result) and result.value.meaning.seen == 15


def test_the_data_sets_labels_beside_the_model_shift_every_class(course: Class) -> None:
    result = course.hands_in({"model/ssd-mobilenet.onnx": coloured_ssd(), "model/labels.txt": "red\ngreen\nblue\n"})
    assert course.classes(result) == [(image % 3) + 1 if image % 3 < 2 else -1 for image in range(15)]
    assert {"labels-without-background", "detector-labels-misfit"} <= set(codes(result))
    assert result.value.meaning.measured == (-1, 0, 1, 2)


def test_the_data_sets_labels_in_its_own_folder_say_nothing_of_the_models(course: Class) -> None:
    result = course.hands_in({"m/ssd-mobilenet.onnx": coloured_ssd(), f"{DATA}/labels.txt": "red\ngreen\nblue", **VOC})
    assert course.classes(result) == [image % 3 for image in range(15)] and "labels-missing" in codes(result)
    assert not {"labels-without-background", "detector-labels-misfit"} & set(codes(result))


def test_a_predict_py_with_its_package_where_the_model_is_of_no_kind_that_is_read(course: Class) -> None:
    files: dict[str, bytes | str] = {
        "jetson/predict.py": PREDICT,
        "jetson/tools/colours.py": TOOLS,
        "jetson/weights/box.json": str(list(BOX)),
        "jetson/labels.txt": "red\ngreen\nblue",
        "jetson/odd.onnx": b"\x08\x08\x3a\x00",
    }
    result = course.hands_in(files)
    assert isinstance(result, Done), result
    assert result.value.description.family == "own_code" and not result.value.depends_on_order
    assert course.classes(result) == [image % 3 for image in range(15)]
    assert "odd.onnx" in next(one.message for one in result.findings if one.code == "several-models")


def test_a_checkpoint_of_train_ssd_needs_no_code(course: Class, tmp_path: Path) -> None:
    torch.manual_seed(0)
    state = Detector(NETWORKS["sq-ssd-lite"], classes=3).state_dict()
    for loss in ("2.5", "1.25"):
        torch.save(state, tmp_path / f"sq-ssd-lite-Epoch-3-Loss-{loss}.pth")
    torch.save(state, tmp_path / "mobilenet-v1-ssd-mp-0_675.pth")
    named = {f"models/cards/{file.name}": file.read_bytes() for file in tmp_path.glob("sq*.pth")}
    start = {"models/mobilenet-v1-ssd-mp-0_675.pth": (tmp_path / "mobilenet-v1-ssd-mp-0_675.pth").read_bytes()}
    labels = {"models/cards/labels.txt": "BACKGROUND\nred\ngreen\nblue\n"}
    result = course.hands_in({**named, **start, **labels})
    assert isinstance(result, Done), result
    assert result.value.name == "cards/sq-ssd-lite-Epoch-3-Loss-1.25.pth"
    assert result.value.description.family == "ssd_checkpoint" and "checkpoint-taken" in codes(result)


def test_what_is_no_detector_is_told_to_the_student(course: Class, tmp_path: Path) -> None:
    torch.save(torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(12, 3)), tmp_path / "classifier.pt")
    result = course.hands_in({"classifier.pt": (tmp_path / "classifier.pt").read_bytes()})
    assert isinstance(result, Failed) and not result.detail and "prediction-failed" in codes(result), result
