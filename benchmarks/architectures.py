"""Write harness/bench/boards/architectures.csv: the kernels of the networks that published.csv names.

    python benchmarks/architectures.py harness/bench/boards/architectures.csv [NAME ...]

The networks have random weights, because only counts of operations and elements are kept. Besides the extra `torch` it
needs what `_SOURCES` imports: timm, ultralytics, pixeltable-yolox and sas-yolov7, each installed with
`pip install --no-deps` into a separate environment. None of them is a dependency of the harness.

A row is a kernel, or `count` equal ones, for one image of `side` x `side` pixels. Its operations and elements grow
with the image's area to the power `order`; weights do not grow.
"""

from __future__ import annotations

import csv
import io
import sys
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
import torch

from harness.agent.phases.kernels import listed
from harness.agent.torchvision_ops import declare_missing

declare_missing()

COLUMNS = (
    "architecture", "side", "kind", "shape", "operations", "inputs", "weights", "outputs", "nodes", "order", "count",
)  # fmt: skip

_TORCHVISION = [
    "alexnet", "vgg11", "vgg13", "vgg16", "vgg19", "vgg11_bn", "vgg13_bn", "vgg16_bn", "vgg19_bn", "squeezenet1_0",
    "squeezenet1_1", "resnet18", "resnet34", "resnet50", "resnet101", "resnet152", "resnext50_32x4d", "densenet121",
    "densenet161", "densenet169", "densenet201", "googlenet", "mobilenet_v2", "mobilenet_v3_small",
    "mobilenet_v3_large", "mnasnet0_5", "mnasnet0_75", "mnasnet1_0", "mnasnet1_3", "shufflenet_v2_x0_5",
    "shufflenet_v2_x1_0", "shufflenet_v2_x1_5", "shufflenet_v2_x2_0", "efficientnet_b0", "efficientnet_b1",
    "regnet_y_400mf", "regnet_x_400mf",
]  # fmt: skip
_TIMM = {  # name here -> timm's
    "inception_v4": "inception_v4", "inception_resnet_v2": "inception_resnet_v2", "xception": "legacy_xception",
    "efficientnet_lite0": "efficientnet_lite0", "resnet50_vd": "resnet50d", "mobilenet_v1": "mobilenetv1_100",
    "resnet_v2_50": "resnetv2_50",
    "resnet_v2_101": "resnetv2_101", "resnet_v2_152": "resnetv2_152", "efficientnetv2_b0": "tf_efficientnetv2_b0",
}  # fmt: skip
_SIDES = {"inception": 299, "xception": 299, "yolo": 640, "ssd_mobilenet": 300}


def _torchvision(name: str) -> Any:
    from torchvision import models

    extra = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
    model = getattr(models, name)(weights=None, **extra)
    if hasattr(model, "aux_logits"):
        model.aux_logits = False
    return model


def _timm(name: str) -> Any:
    import timm

    return timm.create_model(_TIMM[name], pretrained=False, exportable=True)


def _mobilenet_v1(name: str) -> Any:
    """MobileNet v1 with another width: `mobilenet_v1_0p25` for a quarter."""
    width = float(name.rsplit("_", 1)[1].replace("p", "."))
    return torch.nn.Sequential(
        *_mobilenet_v1_layers(width),
        torch.nn.AdaptiveAvgPool2d(1),
        torch.nn.Flatten(),
        torch.nn.Linear(int(1024 * width), 1001),
    )


def _block(inputs: int, outputs: int, kernel: int, stride: int, groups: int = 1) -> Any:
    convolution = torch.nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups)
    return torch.nn.Sequential(convolution, torch.nn.ReLU6())


def _mobilenet_v1_layers(width: float) -> list[Any]:
    plan = [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1)]
    before = int(32 * width)
    layers = [_block(3, before, 3, 2)]
    for outputs, stride in plan:
        after = int(outputs * width)
        layers += [_block(before, before, 3, stride, groups=before), _block(before, after, 1, 1)]
        before = after
    return layers


class _SsdMobilenet(torch.nn.Module):
    """SSD on MobileNet v1, 300 x 300, as the TensorFlow detection zoo and jetson-inference have it."""

    def __init__(self, classes: int = 91) -> None:
        super().__init__()
        layers = _mobilenet_v1_layers(1.0)
        self.early, self.late = torch.nn.Sequential(*layers[:23]), torch.nn.Sequential(*layers[23:])
        narrow = [(1024, 256, 512), (512, 128, 256), (256, 128, 256), (256, 64, 128)]
        self.extra = torch.nn.ModuleList(
            torch.nn.Sequential(_block(a, b, 1, 1), _block(b, c, 3, 2)) for a, b, c in narrow
        )
        anchors = [(512, 3), (1024, 6), (512, 6), (256, 6), (256, 6), (128, 6)]
        self.boxes = torch.nn.ModuleList(torch.nn.Conv2d(c, 4 * n, 1) for c, n in anchors)
        self.scores = torch.nn.ModuleList(torch.nn.Conv2d(c, classes * n, 1) for c, n in anchors)

    def forward(self, x: Any) -> Any:
        maps = [self.early(x)]
        maps.append(self.late(maps[0]))
        for layer in self.extra:
            maps.append(layer(maps[-1]))
        heads = zip(maps, self.boxes, self.scores, strict=True)
        return [head(m).flatten(2) for m, boxes, scores in heads for head in (boxes, scores)]


def _inception_v3(_: str) -> Any:
    return _torchvision("inception_v3")


def _ultralytics(name: str) -> Any:
    from ultralytics import YOLO

    model = YOLO(f"{name}.yaml").model.fuse()
    head = model.model[-1]
    head.export, head.format = True, "onnx"
    return model


def _yolox(name: str) -> Any:
    from yolox.models import YoloPafpn, YoloxHead, YoloxModule

    depth, width = {"n": (0.33, 0.25), "t": (0.33, 0.375), "s": (0.33, 0.5), "m": (0.67, 0.75)}[name[-1]]
    separable = name.endswith("n")
    backbone = YoloPafpn(depth, width, depthwise=separable)
    head = YoloxHead(80, width, depthwise=separable)
    head.decode_in_inference = False
    return YoloxModule(backbone, head)


def _yolov7(name: str) -> Any:
    import sas_yolov7
    from sas_yolov7.models.yolo import Model

    file = {"t": "yolov7-tiny.yaml", "m": "yolov7.yaml"}[name[-1]]
    model = Model(str(Path(sas_yolov7.__file__).parent / "cfg" / "deploy" / file)).eval().fuse()
    model.model[-1].export = True
    return model


_SOURCES: dict[str, Callable[[str], Any]] = {
    **dict.fromkeys(_TORCHVISION, _torchvision),
    **dict.fromkeys(_TIMM, _timm),
    "inception_v3": _inception_v3,
    "mobilenet_v1_0p25": _mobilenet_v1,
    "mobilenet_v1_0p5": _mobilenet_v1,
    "ssd_mobilenet_v1": lambda _: _SsdMobilenet(),
    **dict.fromkeys([f"yolov8{size}" for size in "nsml"], _ultralytics),
    **dict.fromkeys([f"yolov9{size}" for size in "tsm"], _ultralytics),
    **dict.fromkeys([f"yolov10{size}" for size in "nsm"], _ultralytics),
    **dict.fromkeys([f"yolo11{size}" for size in "nsmlx"], _ultralytics),
    **dict.fromkeys([f"yolox{size}" for size in "ntsm"], _yolox),
    "yolov7t": _yolov7,
    "yolov7m": _yolov7,
}


def kernels(model: Any, side: int) -> list[dict[str, Any]]:
    """The kernels for one image of `side` x `side`."""
    buffer = io.BytesIO()
    image = torch.zeros(1, 3, side, side)
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(model.eval(), (image,), buffer, dynamo=False, opset_version=17)
    found = listed(onnx.load_from_string(buffer.getvalue()), side, side)
    if found["unknown"]:
        print(f"  not known: {found['unknown']}", file=sys.stderr)
    return list(found["kernels"])


def table(name: str) -> list[dict[str, Any]]:
    """The rows of one architecture."""
    torch.manual_seed(0)
    side = next((value for start, value in _SIDES.items() if name.startswith(start)), 224)
    rows: Counter[tuple[Any, ...]] = Counter()
    for kernel in kernels(_SOURCES[name](name), side):
        values = [kernel[column] for column in ("operations", "inputs", "weights", "outputs", "nodes")]
        rows[(kernel["kind"], "x".join(map(str, kernel["shape"])), *values, order(kernel))] += 1
    return [dict(zip(COLUMNS, (name, side, *row, count), strict=True)) for row, count in rows.items()]


def order(kernel: dict[str, Any]) -> int:
    """The power of the area: 2 for attention; 0 for layers with one output for the whole image; else 1."""
    if kernel["kind"] == "product":
        return 2
    return 0 if kernel["shape"] and kernel["outputs"] in (kernel["shape"][0], kernel["shape"][-1]) else 1


def main(file: Path, names: list[str]) -> None:
    """Write the rows of `names`, or of all networks; existing rows of other networks are kept."""
    torch.set_num_threads(1)
    kept: list[dict[str, Any]] = []
    if names and file.is_file():
        with file.open(encoding="utf-8", newline="") as stream:
            kept = [row for row in csv.DictReader(stream) if row["architecture"] not in names]
    for name in names or list(_SOURCES):
        rows = table(name)
        operations = sum(row["operations"] * row["count"] for row in rows)
        print(
            f"{name}: {sum(row['count'] for row in rows)} kernels, {operations / 2e9:.3f} G multiply-adds", flush=True
        )
        kept += rows
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(sorted(kept, key=lambda row: row["architecture"]))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
