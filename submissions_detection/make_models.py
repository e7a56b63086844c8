"""Trains the detectors that the example submissions carry, and puts them there.

    python submissions_detection/make_models.py [--data reference_solution/detection/data/train]

The models are tens of megabytes, so they are made, not committed. They share what the frozen half of MobileNetV2 makes
of the images, and differ in seed and in how long they are trained. A second run finds the stamp of the first.
"""

from __future__ import annotations

import argparse
import copy
import hashlib
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import torch
from torch import Tensor, nn

from harness.agent.dataset import open_tree, read
from harness.agent.models.reference_training import BACKBONES
from harness.agent.ssd import export
from harness.agent.ssd.examples import annotated
from harness.agent.ssd.mobilenet_v2_ssd import PIXEL_MEAN, PIXEL_SPREAD, MobileNetV2Ssd
from harness.agent.ssd.reference_ssd import SIDE
from harness.agent.ssd.training import Budget, fit
from harness.agent.ssd.views import Views, seen
from harness.inputs import weights

HERE = Path(__file__).resolve().parent
DATA = HERE.parent / "reference_solution" / "detection" / "data" / "train"
VIEWS = 900  # of all images together
_YOLO_SIDE = 640
_STAMP = ".made"


@dataclass(frozen=True, slots=True)
class Lesson:
    """What all models are trained from."""

    classes: tuple[str, ...]
    base: nn.Module
    views: Views

    def detector(self, seed: int, head_steps: int, steps: int) -> MobileNetV2Ssd:
        torch.manual_seed(seed)
        model = MobileNetV2Ssd(copy.deepcopy(self.base), len(self.classes))
        fit(model, self.views, Budget(len(self.views), head_steps, steps), np.random.default_rng(seed))
        return model.eval()


class _FromZeroToOne(nn.Module):
    """The detector for pixels from 0 to 1, which the course's boards do not give it."""

    def __init__(self, detector: nn.Module) -> None:
        super().__init__()
        self.detector = detector

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        found: tuple[Tensor, Tensor] = self.detector((images * 255 - PIXEL_MEAN) / PIXEL_SPREAD)
        return found


class _AsYolo(nn.Module):
    """The detector with the input and the output of a YOLO: boxes in pixels by centre and size, and class scores."""

    def __init__(self, detector: nn.Module) -> None:
        super().__init__()
        self.detector = _FromZeroToOne(detector)

    def forward(self, images: Tensor) -> Tensor:
        small = nn.functional.interpolate(images, size=(SIDE, SIDE), mode="bilinear", antialias=False)
        scores, corners = self.detector(small)
        low, high = corners[..., :2] * _YOLO_SIDE, corners[..., 2:] * _YOLO_SIDE
        return torch.cat([(low + high) / 2, high - low, scores[..., 1:]], dim=-1).transpose(1, 2)


def lesson(data: Path, weights_file: Path, views: int = VIEWS) -> Lesson:
    """The training images as the frozen layers see them."""
    classes = tuple((data / "labels.txt").read_text(encoding="utf-8").split())
    base = BACKBONES["mobilenet_v2"](weights_file).layers
    with tempfile.TemporaryDirectory() as scratch:
        examples = annotated(read(open_tree(data, Path(scratch))), classes)
    torch.manual_seed(0)
    looking = MobileNetV2Ssd(copy.deepcopy(base), len(classes))
    return Lesson(classes, base, seen(looking, examples, views, np.random.default_rng(0)))


def make(of: Lesson, out: Path = HERE) -> None:
    """All models, each with its labels.txt."""
    torch.use_deterministic_algorithms(True)
    noor = of.detector(seed=11, head_steps=80, steps=120)
    _ssd(noor, out / "Noor Jansen s2031145", of.classes)
    _ssd(noor, out / "SofiaR", of.classes, producer="handed on")  # the same weights in a file with other bytes
    _ssd(of.detector(seed=12, head_steps=60, steps=50), out / "pieter_de_wit", of.classes, background=False)
    _ssd(of.detector(seed=13, head_steps=8, steps=0), out / "team-lynx", of.classes)
    _ssd(_FromZeroToOne(of.detector(seed=14, head_steps=60, steps=50)), out / "l.chen", of.classes)
    _yolo(of.detector(seed=15, head_steps=60, steps=50), out / "kim-yolo", of.classes)


def _ssd(
    model: nn.Module, folder: Path, classes: tuple[str, ...], *, background: bool = True, producer: str = ""
) -> None:
    """As jetson-inference's exporter writes it; its labels.txt begins with BACKGROUND."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "ssd-mobilenet.onnx"
    export.write(model, SIDE, file)
    if producer:
        graph = onnx.load(file)
        graph.producer_name = producer
        onnx.save(graph, file)
    names = ("BACKGROUND", *classes) if background else classes
    (folder / "labels.txt").write_text("".join(f"{name}\n" for name in names), encoding="utf-8")


def _yolo(model: nn.Module, folder: Path, classes: tuple[str, ...]) -> None:
    """As Ultralytics' exporter writes it, with the names in its metadata."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "best.onnx"
    torch.onnx.export(
        _AsYolo(model).eval(),
        (torch.zeros(1, 3, _YOLO_SIDE, _YOLO_SIDE),),
        str(file),
        dynamo=False,
        opset_version=18,
        input_names=["images"],
        output_names=["output0"],
    )
    graph = onnx.load(file)
    onnx.helper.set_model_props(
        graph, {"names": str(dict(enumerate(classes))), "imgsz": f"[{_YOLO_SIDE}, {_YOLO_SIDE}]"}
    )
    onnx.save(graph, file)


def _stamp(data: Path, weights_file: Path) -> str:
    digest = hashlib.sha256(Path(__file__).read_bytes())
    for file in (weights_file, *sorted(one for one in data.rglob("*") if one.is_file())):
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return f"{digest.hexdigest()}\n"


def main() -> None:
    """Parse, train, say where."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=DATA, help="training images in Pascal VOC's layout")
    data = parser.parse_args().data
    weights_file = weights.path("mobilenet_v2")
    if weights_file is None:
        sys.exit("The weights of mobilenet_v2 are not here: harness weights fetch mobilenet_v2")
    stamp, wanted = HERE / _STAMP, _stamp(data, weights_file)
    if stamp.is_file() and stamp.read_text() == wanted:
        print(f"{HERE}: already there")
        return
    torch.set_num_threads(1)  # a machine with more cores makes the same, and `make` trains the reference beside it
    make(lesson(data, weights_file))
    stamp.write_text(wanted)
    print(f"{HERE}: made")


if __name__ == "__main__":
    main()
