"""The stage `train_detector` through a real sandbox: an instructor's own code, and packaged code that cannot train."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest
import starting_weights
import torch
from PIL import Image

from harness.agent.models import reference_training
from harness.files.hashing import HashedFile
from harness.inputs.assignment.limits import ResourceLimits
from harness.inputs.assignment.sections import Dataset, ReferenceSolution
from harness.inputs.images import TrainingImages
from harness.sandbox.bubblewrap import Bubblewrap
from harness.stages.context import StageContext
from harness.stages.detection.train_detector import TRAIN_DETECTOR, TrainDetectorRequest
from harness.stages.evidence.stage_result import Done, Failed
from harness.stages.store import Store

OWN = """
import torch

def train(train_dir, out_dir, *, backbone, weights, seed, fine_tune_epochs):
    names = (train_dir / "labels.txt").read_text().split()
    said = f"{backbone} {seed} {fine_tune_epochs} {len(torch.load(weights))} {len(list(train_dir.rglob('*.jpg')))}"
    (out_dir / "model.onnx").write_text(said)
    (out_dir / "labels.txt").write_text("\\n".join(["BACKGROUND", *names]))
"""
ANNOTATION = (
    "<annotation><object><name>cup</name><bndbox><xmin>5</xmin><ymin>5</ymin><xmax>30</xmax><ymax>30</ymax></bndbox>"
    "</object></annotation>"
)


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> StageContext:
    limits = ResourceLimits(wall_seconds=120, cell_seconds=60, idle_seconds=60, memory=4 * 10**9, cpus=1)
    return StageContext(Bubblewrap(), Store(tmp_path_factory.mktemp("store")), limits)


@pytest.fixture
def request_of(tmp_path: Path) -> TrainDetectorRequest:
    """Two images of cups, as `camera-capture` saves them, and the weights of a MobileNetV2."""
    top = tmp_path / "train"
    for folder in ("Annotations", "JPEGImages"):
        (top / folder).mkdir(parents=True)
    for name in ("a", "b"):
        Image.new("RGB", (64, 48), "teal").save(top / "JPEGImages" / f"{name}.jpg")
        (top / "Annotations" / f"{name}.xml").write_text(ANNOTATION)
    (top / "labels.txt").write_text("cup\nplate\n")
    torch.save(reference_training._torchvision_models().mobilenet_v2().state_dict(), tmp_path / "mobilenet_v2.pth")
    return TrainDetectorRequest(
        ReferenceSolution(seed=7, wall_seconds=100),
        None,
        TrainingImages(Dataset(path=top), "1", lambda: ()),
        HashedFile(tmp_path / "mobilenet_v2.pth"),
        ("cup", "plate"),
    )


def test_an_instructors_code_is_given_what_the_assignment_says(
    context: StageContext, request_of: TrainDetectorRequest, tmp_path: Path
) -> None:
    code = tmp_path / "mine.py"
    code.write_text(OWN)
    spec = request_of.reference.model_copy(update={"code": code, "fine_tune_epochs": 3})
    asked = TrainDetectorRequest(spec, HashedFile(code), request_of.training, request_of.weights, request_of.classes)
    result = TRAIN_DETECTOR.work(asked, context)
    assert isinstance(result, Done), result
    assert context.store.path(result.value.model).read_text() == "mobilenet_v2 7 3 314 2"
    assert context.store.path(result.value.labels).read_text() == "BACKGROUND\ncup\nplate"
    assert (result.value.suppressed, result.value.handin) == (None, None)


@pytest.mark.parametrize("backbone", ["mobilenet_v2", "ssd_mobilenet", "vgg16_notop_caffe"])
def test_every_start_gives_a_detector(
    backbone: str, context: StageContext, request_of: TrainDetectorRequest, tmp_path: Path
) -> None:
    suffix = ".safetensors" if backbone.endswith("caffe") else ".pth"
    asked = TrainDetectorRequest(
        request_of.reference.model_copy(update={"backbone": backbone, "wall_seconds": 900}),
        None,
        request_of.training,
        HashedFile(starting_weights.write(backbone, tmp_path / f"start{suffix}")),
        request_of.classes,
        "tiny",
    )
    result = TRAIN_DETECTOR.work(asked, context)
    assert isinstance(result, Done), result
    made = result.value
    assert (made.images, made.boxes) == (2, 2)
    assert context.store.path(made.labels).read_text() == "BACKGROUND\ncup\nplate\n"
    assert made.suppressed is not None
    for blob, ends in (
        (made.model, {"scores", "boxes"}),
        (made.suppressed, {"found_boxes", "found_labels", "found_scores"}),
    ):
        assert {one.name for one in onnx.load(context.store.path(blob)).graph.output} == ends


def test_images_without_a_box_of_these_classes_end_it_with_the_reason(
    context: StageContext, request_of: TrainDetectorRequest
) -> None:
    asked = TrainDetectorRequest(
        request_of.reference, None, request_of.training, request_of.weights, ("fork", "spoon"), "tiny"
    )
    result = TRAIN_DETECTOR.work(asked, context)
    assert isinstance(result, Failed)
    assert "no training image has a box" in result.usage.log
