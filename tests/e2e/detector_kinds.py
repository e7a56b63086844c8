"""The detector of `detection_course.py` in the forms of other tools: the mean colour of nine cells, a box for each."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import onnx
import torch
from detection_course import CELL, CLASSES, SIDE
from torch import nn

from harness.agent.torchvision_ops import declare_missing

declare_missing()
from torchvision.models.detection.anchor_utils import DefaultBoxGenerator  # noqa: E402
from torchvision.models.detection.ssd import SSD, SSDHead  # noqa: E402

YOLO_SIDE = 640  # pixels
_CELLS = SIDE // CELL
_MEAN, _STD = 0.5, 0.5  # of torchvision's transform, so that pixels become -1 to 1


def colours(cell: int) -> nn.Sequential:
    """Of an image of -1 to 1 what speaks for nothing, blue and red in each cell, (images, 3, 3, 3)."""
    weigh = nn.Conv2d(3, 3, 1)
    with torch.no_grad():
        weigh.bias.copy_(torch.tensor([4.0, 0.0, 0.0]))  # type: ignore[union-attr]
        weigh.weight.copy_(torch.tensor([[0, 0, 0], [-4.5, 0, 4.5], [4.5, 0, -4.5]]).reshape(3, 3, 1, 1))
    return nn.Sequential(nn.AvgPool2d(cell), weigh)


def torchvisions() -> SSD:
    """torchvision's own SSD on such a backbone, whose heads pass on what it says; suppression is inside."""
    backbone = colours(CELL)
    boxes = DefaultBoxGenerator([[]], scales=[1 / _CELLS, 1 / _CELLS])
    anchors = boxes.num_anchors_per_location()
    head = SSDHead([3], anchors, len(CLASSES) + 1)
    with torch.no_grad():
        for parameter in head.parameters():
            parameter.zero_()
        weight = head.classification_head.module_list[0].weight  # (anchors * columns, 3, 3, 3)
        for column in range(3):
            weight[column::3, column, 1, 1] = 1.0
    return SSD(
        backbone, boxes, (SIDE, SIDE), len(CLASSES) + 1, head=head, image_mean=[_MEAN] * 3, image_std=[_STD] * 3
    ).eval()


def torchvisions_onnx(file: Path) -> None:
    """The same as ONNX, for images of the course's size."""
    _export(torchvisions(), [torch.rand(3, SIDE, SIDE)], file, [], {})


class Yolo(nn.Module):
    """Boxes in pixels of a letterboxed image and a score for each class, in one of the forms that YOLOs have.

    `form`: `v8` (1, 4 + classes, anchors), `rows` the same turned round, `v5` with an objectness,
    `end-to-end` (1, 300, 6).
    """

    def __init__(self, form: str, anchors: int) -> None:
        super().__init__()
        self.form, self.empty = form, anchors - _CELLS**2
        self.colours = colours(YOLO_SIDE // _CELLS)
        side = YOLO_SIDE / _CELLS
        places = [((x + 0.5) * side, (y + 0.5) * side, side, side) for y in range(_CELLS) for x in range(_CELLS)]
        self.register_buffer("places", torch.tensor([places]))

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        scores = torch.softmax(self.colours(2 * image - 1).flatten(2).transpose(1, 2), 2)[..., 1:]
        places, (sure, best) = self.places + 0 * scores.mean(), scores.max(2, keepdim=True)
        parts = [places, scores]
        if self.form == "v5":
            parts = [places, sure, scores / sure]
        elif self.form == "end-to-end":
            half = places[..., 2:] / 2
            parts = [places[..., :2] - half, places[..., :2] + half, sure, best.float()]
        rows = torch.cat(parts, 2)
        rows = nn.functional.pad(rows, (0, 0, 0, self.empty))
        return rows.transpose(1, 2) if self.form == "v8" else rows


def yolo(file: Path, form: str, anchors: int, named: bool) -> None:
    """A YOLO as ONNX; `named`: whether the file's metadata hold the classes, as Ultralytics writes them."""
    names = {"names": str(dict(enumerate(CLASSES))), "task": "detect", "stride": "32"} if named else {}
    _export(Yolo(form, anchors), torch.rand(1, 3, YOLO_SIDE, YOLO_SIDE), file, ["output0"], names)


def _export(module: nn.Module, given: Any, file: Path, outputs: list[str], metadata: dict[str, str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module.eval(), (given,), str(file), dynamo=False, opset_version=17, input_names=["images"],
            output_names=outputs or None,
        )  # fmt: skip
    model = onnx.load(str(file))
    onnx.helper.set_model_props(model, metadata)
    file.write_bytes(model.SerializeToString())


def state_of_ssdlite() -> dict[str, torch.Tensor]:
    """The weights of torchvision's ssdlite as it is before any training."""
    from torchvision.models.detection import ssdlite320_mobilenet_v3_large

    torch.manual_seed(0)
    built = ssdlite320_mobilenet_v3_large(weights=None, weights_backbone=None, num_classes=len(CLASSES) + 1)
    return dict(built.state_dict())
