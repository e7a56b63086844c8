"""How a detector's pixels are scaled is measured in a real sandbox, and answers to held-out images follow from it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from harness.inputs.assignment.limits import ResourceLimits
from harness.inputs.given_weights import GivenWeights
from harness.inputs.images import HeldOutSet, ImageObjects, LabelledBox, StagedImages
from harness.inputs.images.training import NO_TRAINING_IMAGES
from harness.sandbox.bubblewrap import Bubblewrap
from harness.stages.context import StageContext
from harness.stages.convert import HandedModel
from harness.stages.detection.detect import DETECT, DetectRequest
from harness.stages.detection.score_boxes import SCORE_BOXES, ScoreBoxesRequest
from harness.stages.evidence.stage_result import Done
from harness.stages.store import Store

CLASSES, SIDE, CELL = ("blue", "red"), 300, 100
COLOURS = {0: (30, 30, 220), 1: (220, 30, 30)}
HANDIN = {
    "schema": 1, "width": SIDE, "height": SIDE, "colour": "RGB", "scale": 1.0, "mean": [127.0] * 3, "std": [128.0] * 3,
    "resize": "stretch",
}  # fmt: skip


class Bright(nn.Module):
    """Sees a cell as red or blue from 0.8 on: 220 of 255 is, and (220 - 127) / 128 is not."""

    def __init__(self) -> None:
        super().__init__()
        self.colours = nn.Conv2d(3, 3, 1)
        with torch.no_grad():
            self.colours.bias.copy_(torch.tensor([0.0, -160.0, -160.0]))
            rows = [[0.0, 0.0, 0.0], [0.0, 0.0, 200.0], [200.0, 0.0, 0.0]]
            self.colours.weight.copy_(torch.tensor(rows).reshape(3, 3, 1, 1))
        ends = [(x / 3, y / 3, (x + 1) / 3, (y + 1) / 3) for y in range(3) for x in range(3)]
        self.places = nn.Parameter(torch.tensor([ends]))

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        seen = self.colours(nn.functional.avg_pool2d(image, CELL))
        return torch.softmax(seen.flatten(2).transpose(1, 2), 2), self.places + 0 * seen.mean()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> StageContext:
    limits = ResourceLimits(wall_seconds=240, cell_seconds=60, idle_seconds=60, memory=2 * 10**9)
    return StageContext(Bubblewrap(), Store(tmp_path_factory.mktemp("store")), limits)


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> tuple[HeldOutSet, StagedImages]:
    """Twelve grey images with a red and a blue cell each."""
    folder, random = tmp_path_factory.mktemp("images"), np.random.default_rng(3)
    names, objects = tuple(f"{number}.png" for number in range(12)), []
    for name in names:
        pixels = np.full((SIDE, SIDE, 3), 120, np.uint8)
        boxes = []
        for label, cell in enumerate(random.permutation(9)[:2].tolist()):
            left, top = CELL * (cell % 3), CELL * (cell // 3)
            pixels[top : top + CELL, left : left + CELL] = COLOURS[label]
            corners = (left / SIDE, top / SIDE, (left + CELL) / SIDE, (top + CELL) / SIDE)
            boxes.append(LabelledBox(label, *corners))
        Image.fromarray(pixels).save(folder / name)
        objects.append(ImageObjects(SIDE, SIDE, tuple(boxes)))
    known = HeldOutSet(CLASSES, tuple(folder / name for name in names), (), "1" * 64, objects=tuple(objects))
    return known, StagedImages(folder, names, "5eed")


def detected(place: StageContext, images: tuple[HeldOutSet, StagedImages], folder: Path, *, declared: bool) -> Any:
    torch.onnx.export(
        Bright().eval(), (torch.zeros(1, 3, SIDE, SIDE),), str(folder / "m.onnx"), dynamo=False,
        input_names=["input_0"], output_names=["scores", "boxes"],
    )  # fmt: skip
    (folder / "labels.txt").write_text("BACKGROUND\nblue\nred\n")
    beside = {"labels.txt": folder / "labels.txt"}
    if declared:
        (folder / "handin.json").write_text(json.dumps(HANDIN))
        beside["handin.json"] = folder / "handin.json"
    known, staged = images
    request = DetectRequest(
        (HandedModel(folder / "m.onnx", beside, "ssd-mobilenet.onnx", "onnx"),), False, CLASSES, known, staged,
        NO_TRAINING_IMAGES, GivenWeights(None, {}, {}), staged,
    )  # fmt: skip
    result = DETECT.work(request, place)
    assert isinstance(result, Done), result
    scores = SCORE_BOXES.work(ScoreBoxesRequest(result.value, known, None), place).value
    return result, scores


def test_what_is_not_declared_is_graded_as_it_fits(place: Any, images: Any, tmp_path: Path) -> None:
    result, scores = detected(place, images, tmp_path, declared=False)
    assert "preprocessing-measured" in [one.code for one in result.findings]
    assert result.value.fit.own.startswith("(pixel - 127) / 128") and result.value.fit.found < 0.1
    assert (result.value.scaling.scale, scores.scores.ap50) == (1 / 255, 1.0)


def test_what_is_declared_is_graded_and_the_remedy_is_measured_on_held_out_images(
    place: Any, images: Any, tmp_path: Path
) -> None:
    result, scores = detected(place, images, tmp_path, declared=True)
    assert "preprocessing-mismatch" in [one.code for one in result.findings]
    assert scores.scores.ap50 < 0.1 and scores.scaling_remedy.would == 1.0
