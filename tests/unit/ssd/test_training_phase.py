"""The phase `train_detector`: from a folder of Pascal VOC to the files that it sends."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import starting_weights
from PIL import Image

from harness.agent.dataset import Box, DatasetImage, Reading
from harness.agent.phases import train_detector
from harness.agent.ssd.examples import annotated

ANNOTATION = (
    "<annotation><size><width>120</width><height>80</height></size><object><name>{name}</name><bndbox><xmin>13</xmin>"
    "<ymin>9</ymin><xmax>61</xmax><ymax>49</ymax></bndbox></object></annotation>"
)


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """Four images of a cup and one of something else, as `camera-capture` writes them."""
    top = tmp_path / "in" / "dataset"
    for folder in ("Annotations", "JPEGImages"):
        (top / folder).mkdir(parents=True)
    for number, name in enumerate(["cup", "cup", "cup", "cup", "plate"]):
        Image.effect_noise((120, 80), 40).convert("RGB").save(top / "JPEGImages" / f"{number}.jpg")
        (top / "Annotations" / f"{number}.xml").write_text(ANNOTATION.format(name=name))
    (top / "labels.txt").write_text("cup\n")
    return top


@pytest.mark.parametrize(
    ("backbone", "priors"), [("mobilenet_v2", 3000), ("ssd_mobilenet", 3000), ("vgg16_notop_caffe", 8732)]
)
def test_it_sends_a_detector_in_both_forms(
    backbone: str, priors: int, dataset: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    starting_weights.write(backbone, tmp_path / "in" / "weights")
    monkeypatch.setattr(train_detector, "IN", tmp_path / "in")
    monkeypatch.setattr(train_detector, "WORK", tmp_path)
    sent: dict[str, bytes] = {}
    request = {"backbone": backbone, "weights": "weights", "classes": ["cup"], "seed": 1, "budget": "tiny"}
    train_detector.run(request, lambda name, of: sent.update({name: of if isinstance(of, bytes) else of.read_bytes()}))
    assert sent["labels.txt"] == b"BACKGROUND\ncup\n"
    assert json.loads(sent["training.json"]).keys() == {"images", "boxes", "losses", "cpu_seconds"}
    assert (json.loads(sent["training.json"])["images"], json.loads(sent["training.json"])["boxes"]) == (4, 4)
    image = np.zeros((1, 3, 300, 300), np.float32)
    scores, boxes = onnxruntime.InferenceSession(sent["model.onnx"]).run(None, {"input_0": image})
    assert (scores.shape, boxes.shape) == ((1, priors, 2), (1, priors, 4))
    found, labels, _ = onnxruntime.InferenceSession(sent["model_nms.onnx"]).run(None, {"input_0": image})
    assert set(labels.tolist()) <= {1}
    assert len(found) == len(labels)


def test_voc_counts_from_one_and_what_is_no_box_is_left_out(dataset: Path):
    file = dataset / "JPEGImages" / "0.jpg"
    boxes = (
        Box("cup", 13, 9, 61, 49),
        Box("plate", 13, 9, 61, 49),
        Box("cup", 70, 10, float("nan"), 20),
        Box("cup", 50, 10, 40, 20),
        Box("cup", 200, 10, 240, 20),
        Box("cup", -20, 41, 31, 200),
    )
    reading = Reading("voc", (DatasetImage(file, "cup", "", boxes), DatasetImage(file, None)), ())
    (one,) = annotated(reading, ("cup",))
    np.testing.assert_allclose(one.boxes * (120, 80, 120, 80), [[12, 8, 60, 48], [0, 40, 30, 80]], atol=1e-4)
    assert one.labels.tolist() == [1, 1]
    (other,) = annotated(Reading("coco", reading.images, ()), ("cup",))
    np.testing.assert_allclose(other.boxes[0] * (120, 80, 120, 80), [13, 9, 61, 49], atol=1e-4)
