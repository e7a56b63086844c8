"""Real networks as students hand them in: quantised, halved, pruned, cut, or with another network beside them."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from model_files import CLASSES, torch_model, write_images, write_torch
from onnxruntime import quantization
from torch import nn
from torch.nn.utils import prune

from harness.agent.torchvision_ops import declare_missing
from harness.inputs.assignment.limits import ResourceLimits
from harness.inputs.images import StagedImages
from harness.sandbox.bubblewrap import Bubblewrap
from harness.stages.context import StageContext
from harness.stages.convert import HandedModel, convert
from harness.stages.evidence.inspection import Inspection
from harness.stages.evidence.stage_result import Done
from harness.stages.inspect import inspect
from harness.stages.store import Store

declare_missing()
SIDE = 224
HEAD = 1280 * len(CLASSES) + len(CLASSES)


class Looked:
    """A place to hand in models, and what `inspect` says of them."""

    def __init__(self, folder: Path) -> None:
        limits = ResourceLimits(wall_seconds=300, cell_seconds=60, memory=4 * 10**9, cpus=1)
        self._folder, self._context = folder, StageContext(Bubblewrap(), Store(folder / "store"), limits)
        (folder / "images").mkdir()
        names = tuple(file.name for file in write_images(folder / "images", 12))
        self._staged = StagedImages(folder / "images", names, "0" * 64)
        self._backbone = folder / "mobilenet_v2.pth"
        write_torch(torch_model("mobilenet_v2"), "state_dict", self._backbone)

    def at(self, model: Path) -> tuple[Inspection, list[str]]:
        labels = self._folder / "labels.txt"
        labels.write_text("\n".join(CLASSES))
        images = [self._staged.folder / name for name in self._staged.names]
        converted = convert(HandedModel(model, {"labels.txt": labels}), CLASSES, images, None, self._context)
        assert isinstance(converted, Done), converted
        backbones = {"mobilenet_v2": self._backbone}
        result = inspect(converted.value, backbones, self._staged, len(CLASSES), self._context)
        assert isinstance(result, Done), result
        return result.value, [f.code for f in result.findings]


@pytest.fixture(scope="module")
def looked(tmp_path_factory: pytest.TempPathFactory) -> Looked:
    return Looked(tmp_path_factory.mktemp("compressed"))


class Calibration(quantization.CalibrationDataReader):  # type: ignore[misc]
    def __init__(self) -> None:
        coarse = torch.randn(4, 3, 4, 5, generator=torch.Generator().manual_seed(3))
        self._images: Iterator[Any] = iter(nn.functional.interpolate(coarse, size=(SIDE, SIDE), mode="bicubic"))

    def get_next(self) -> dict[str, Any] | None:
        image = next(self._images, None)
        return None if image is None else {"x": image[None].numpy()}


def exported(model: Any, folder: Path, *, fold: bool = True) -> Path:
    file = folder / "model.onnx"
    options = {} if fold else {"training": torch.onnx.TrainingMode.PRESERVE}
    torch.onnx.export(
        model.eval(), (torch.zeros(1, 3, SIDE, SIDE),), str(file), dynamo=False, input_names=["x"],
        dynamic_axes={"x": {0: "n"}}, do_constant_folding=fold, **options,
    )  # fmt: skip
    return file


def convolutions(model: Any) -> list[Any]:
    return [layer for layer in model.features.modules() if isinstance(layer, nn.Conv2d)]


def network(change: float = 0.0) -> Any:
    """A MobileNetV2 with a new head, each convolution moved by `change` of its size."""
    model = copy.deepcopy(torch_model("mobilenet_v2"))
    torch.manual_seed(7)
    with torch.no_grad():
        model.classifier[1].weight.normal_(0, 0.1)
        for layer in convolutions(model) if change else ():
            step = torch.randn_like(layer.weight)
            layer.weight.add_(step * (change * layer.weight.norm() / step.norm()))
    return model


def pruned(model: Any, share: float) -> Any:
    for layer in convolutions(model):
        prune.l1_unstructured(layer, "weight", share)
        prune.remove(layer, "weight")
    return model


# --- quantised -----------------------------------------------------------------------------------

QUANTISED: dict[str, tuple[str, dict[str, Any]]] = {
    "dynamic": ("dynamic", {}),
    "dynamic, uint8": ("dynamic", {"weight_type": quantization.QuantType.QUInt8}),
    "QDQ": ("static", {}),
    "QDQ by channel": ("static", {"per_channel": True}),
    "QDQ, 7 bits": ("static", {"per_channel": True, "reduce_range": True}),
    "operators of integers": (
        "static", {"quant_format": quantization.QuantFormat.QOperator, "op_types_to_quantize": ["Conv", "MatMul"]},
    ),
}  # fmt: skip


def quantised(file: Path, way: str) -> Path:
    kind, options = QUANTISED[way]
    out = file.with_name("quantised.onnx")
    if kind == "dynamic":
        quantization.quantize_dynamic(file, out, **options)
    else:
        quantization.quantize_static(file, out, Calibration(), **options)
    return out


@pytest.mark.parametrize("way", QUANTISED)
def test_a_frozen_network_that_was_quantised_is_called_that(way: str, looked: Looked, tmp_path: Path) -> None:
    """It was called trained from scratch, with 17,061 parameters."""
    seen, codes = looked.at(quantised(exported(network(), tmp_path), way))
    assert (seen.weights_say, seen.frozen_layers, seen.quantised_layers) == ("feature-extraction", 52, 52)
    assert (seen.trainable_parameters, seen.new_parameters, seen.new_layers) == (HEAD, HEAD, 1)
    assert seen.total_parameters > 2_200_000 and codes == ["backbone-quantised"]


@pytest.mark.parametrize("way", ["dynamic", "QDQ by channel"])
def test_a_fine_tuned_network_that_was_quantised_is_fine_tuned(way: str, looked: Looked, tmp_path: Path) -> None:
    seen, _ = looked.at(quantised(exported(network(0.1), tmp_path), way))
    assert (seen.weights_say, seen.frozen_layers) == ("fine-tuned", 0)


# --- half precision and pruning -------------------------------------------------------------------


@pytest.mark.parametrize("fold", [False, True])
@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16])
def test_a_frozen_network_in_half_precision_is_frozen(kind: Any, fold: bool, looked: Looked, tmp_path: Path) -> None:
    """Cast and cast back, before the exporter folds BatchNorm or does not."""
    seen, codes = looked.at(exported(network().to(kind).float(), tmp_path, fold=fold))
    assert (seen.weights_say, seen.frozen_layers, seen.half_layers) == ("feature-extraction", 52, 52)
    assert seen.trainable_parameters == HEAD and codes == ["backbone-in-half-precision"]


@pytest.mark.parametrize("kind", [onnx.TensorProto.FLOAT16, onnx.TensorProto.BFLOAT16])
def test_weights_that_are_stored_in_half_precision_are_read(kind: int, looked: Looked, tmp_path: Path) -> None:
    model = onnx.load(exported(network(), tmp_path))
    nodes = []
    dtype = onnx.helper.tensor_dtype_to_np_dtype(kind)
    for tensor in model.graph.initializer:
        if tensor.data_type == onnx.TensorProto.FLOAT and tensor.dims:
            name, numbers = tensor.name, onnx.numpy_helper.to_array(tensor).astype(dtype)
            tensor.CopyFrom(onnx.numpy_helper.from_array(numbers, f"{name} stored"))
            nodes.append(onnx.helper.make_node("Cast", [f"{name} stored"], [name], to=onnx.TensorProto.FLOAT))
    nodes += list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    onnx.save(model, tmp_path / "stored.onnx")
    seen, codes = looked.at(tmp_path / "stored.onnx")
    assert (seen.weights_say, seen.frozen_layers, seen.half_layers) == ("feature-extraction", 52, 52)
    assert codes == ["backbone-in-half-precision"]


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_a_frozen_network_that_was_pruned_is_called_that(share: float, looked: Looked, tmp_path: Path) -> None:
    seen, codes = looked.at(exported(pruned(network(), share), tmp_path))
    assert (seen.weights_say, seen.frozen_layers, seen.trainable_parameters) == ("feature-extraction", 52, HEAD)
    assert seen.zeros == pytest.approx(share, abs=0.01) and codes == ["backbone-pruned"]


def test_pruned_and_then_quantised_is_both(looked: Looked, tmp_path: Path) -> None:
    file = quantised(exported(pruned(network(), 0.3), tmp_path), "QDQ by channel")
    seen, codes = looked.at(file)
    assert (seen.weights_say, seen.frozen_layers) == ("feature-extraction", 52)
    assert codes == ["backbone-quantised", "backbone-pruned"]


# --- what stands beside it, and how much of it there is ---------------------------------------------


class Both(nn.Module):
    """The features of two networks side by side, and a head on both."""

    def __init__(self, one: Any, other: Any, numbers: int) -> None:
        super().__init__()
        self.one, self.other = one, other
        torch.manual_seed(1)
        self.head = nn.Linear(numbers, len(CLASSES))
        with torch.no_grad():
            self.head.weight.mul_(5)

    def forward(self, x: Any) -> Any:
        return self.head(torch.cat([self.one(x).mean((2, 3)), self.other(x).mean((2, 3))], 1))


def test_another_network_beside_the_backbone_is_mixed(looked: Looked, tmp_path: Path) -> None:
    """It was called feature extraction, and got all points; 11.2 of 13.4 M parameters are new."""
    import torchvision

    torch.manual_seed(4)
    other = nn.Sequential(*list(torchvision.models.resnet18(weights=None).children())[:-2])
    seen, codes = looked.at(exported(Both(network().features, other, 1280 + 512), tmp_path))
    assert (seen.weights_say, seen.beside_layers) == ("mixed", 20) and codes == ["network-beside"]
    assert seen.new_parameters == pytest.approx(11.18e6, rel=0.01)
    assert seen.total_parameters == pytest.approx(13.4e6, rel=0.01)


def test_a_fine_tuned_twin_beside_the_backbone_is_mixed(looked: Looked, tmp_path: Path) -> None:
    seen, codes = looked.at(exported(Both(network().features, network(0.1).features, 2560), tmp_path))
    assert (seen.weights_say, seen.frozen_layers, seen.beside_layers) == ("mixed", 52, 52)
    assert codes == ["network-beside"]


def test_a_head_with_more_parameters_than_the_backbone_is_a_head(looked: Looked, tmp_path: Path) -> None:
    """Flatten and Dense(256), as courses put on VGG16."""
    torch.manual_seed(2)
    model = nn.Sequential(
        network().features, nn.Flatten(), nn.Linear(1280 * 49, 256), nn.ReLU(), nn.Linear(256, len(CLASSES))
    )
    seen, codes = looked.at(exported(model, tmp_path))
    assert (seen.weights_say, seen.frozen_layers, seen.beside_layers) == ("feature-extraction", 52, 0)
    assert seen.new_parameters is not None and seen.new_parameters > 0.8 * seen.total_parameters and not codes


def test_the_first_blocks_alone_are_little_of_a_backbone(looked: Looked, tmp_path: Path) -> None:
    """3 of 52 layers were called feature extraction, and got all points."""
    torch.manual_seed(2)
    model = nn.Sequential(network().features[:2], nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, len(CLASSES)))
    seen, codes = looked.at(exported(model, tmp_path))
    assert (seen.weights_say, seen.reused_layers, len(seen.layers)) == ("little-reused", 3, 52)
    assert codes == ["backbone-little-reused"]


@pytest.mark.parametrize("fold", [False, True])
def test_statistics_that_moved_are_said_whatever_the_exporter(fold: bool, looked: Looked, tmp_path: Path) -> None:
    """It was silent, and 6,405 or 15,077 parameters counted as trained, by the exporter."""
    model = network().train()
    noise = torch.randn(8, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(8))
    with torch.no_grad():
        for _ in range(3):
            model(nn.functional.avg_pool2d(noise, 9, 1, 4) * 3)
    seen, codes = looked.at(exported(model, tmp_path, fold=fold))
    assert (seen.weights_say, seen.frozen_layers, seen.trainable_parameters) == ("feature-extraction", 52, HEAD)
    assert seen.normalisations == 52 and seen.moved_normalisations >= 50
    assert codes == ["batchnorm-moved"]


def test_untouched_statistics_are_not_said_to_have_moved(looked: Looked, tmp_path: Path) -> None:
    for fold in (False, True):
        seen, codes = looked.at(exported(network(), tmp_path, fold=fold))
        assert (seen.moved_normalisations, seen.normalisations) == (0, 52) and not codes


def test_noise_that_is_quantised_or_pruned_is_no_backbone(looked: Looked, tmp_path: Path) -> None:
    model = network()
    torch.manual_seed(11)
    with torch.no_grad():
        for layer in convolutions(model):
            layer.weight.copy_(torch.randn_like(layer.weight) * layer.weight.std())
            layer.weight.copy_(torch.from_numpy(np.round(layer.weight.numpy() / 0.2) * np.float32(0.2)))
    seen, _ = looked.at(exported(pruned(model, 0.6), tmp_path))
    assert seen.frozen_layers == 0 and seen.weights_say not in ("feature-extraction", "fine-tuned")
