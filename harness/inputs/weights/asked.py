"""Translates a notebook's calls into what they make libraries load, in the manifest's form `asked_as`.

torchvision.models.alexnet(IMAGENET1K_V1)            a member of the enumeration, DEFAULT, or `pretrained`
torchvision.models.detection.ssd300_vgg16(backbone)  what it loads without weights of its own
keras.applications.VGG16(include_top=False)          and what else chooses the file: alpha, rows, minimalistic
keras.datasets.cifar10, torchvision.datasets.CIFAR10
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

_KERAS = ("tensorflow.keras.", "tensorflow.python.keras.", "tf_keras.", "keras.")
# Calls that load weights or images that the manifest lacks: named, so that a person can provide them.
_ELSEWHERE = ("timm.create_model", "tensorflow_datasets.load", "tensorflow_hub.load", "tensorflow_hub.KerasLayer")
_LOCAL = ("ImageFolder", "DatasetFolder", "FakeData", "VisionDataset")  # torchvision's that load nothing
_ROWS = {"MobileNet": (128, 160, 192, 224), "MobileNetV2": (96, 128, 160, 192, 224)}
_ROWS_BY_DEFAULT = 224
# Positions of include_top and weights among the arguments, if not first and second.
_POSITIONS = {
    "MobileNet": (4, 5),
    "MobileNetV2": (2, 3),
    "MobileNetV3": (3, 4),
    "NASNet": (1, 2),
    "ConvNeXt": (0, 2),
    "RegNet": (1, 3),
}


class Call(BaseModel):
    """A call as the separate process read it. A student wrote it, so nothing in it is trusted."""

    model_config = ConfigDict(frozen=True)

    name: str = Field(max_length=1000)
    values: tuple[Any, ...]
    options: dict[str, Any]

    def given(self, option: str, position: int, default: Any = None) -> Any:
        """The argument by name or position; `{"name": ...}` if it was not a constant."""
        if option in self.options:
            return self.options[option]
        return self.values[position] if 0 <= position < len(self.values) else default


def asks(call: Call) -> list[str]:
    """What the call makes its library load; empty if it loads nothing."""
    name = call.name
    if name in _ELSEWHERE:
        first = call.values[0] if call.values and isinstance(call.values[0], str) else "..."
        loads = name != "timm.create_model" or bool(call.given("pretrained", 1, False))
        return [f"{name}({first})"] if loads else []
    if name == "torch.hub.load":
        return _from_hub(call)
    if name.startswith("torchvision.models."):
        return _torchvision(call)
    if name.startswith("torchvision.datasets."):
        images = name.rpartition(".")[2]
        return [f"torchvision.datasets.{images}"] if images[:1].isupper() and images not in _LOCAL else []
    for prefix in _KERAS:
        if name.startswith(prefix):
            return _keras(name.removeprefix(prefix), call)
    return []


def _from_hub(call: Call) -> list[str]:
    repository, model = call.given("repo_or_dir", 0), call.given("model", 1)
    if not isinstance(repository, str) or not isinstance(model, str):
        return []
    if repository.split(":")[0] != "pytorch/vision":
        return [f"torch.hub.load({repository}, {model})"]
    options = {"pretrained": call.values[2]} if len(call.values) > 2 else {}
    return _torchvision(Call(name=f"torchvision.models.{model}", values=(), options=options | call.options))


def _torchvision(call: Call) -> list[str]:
    parts = call.name.split(".")[2:]
    builder = parts[-1]
    if builder == "get_model":
        named = call.given("name", 0)
        if not isinstance(named, str):
            return []
        group, builder = ([], named) if not named.startswith("quantized_") else (["quantization"], named[10:])
        call = Call(name=named, values=(), options=call.options)
    else:
        group = [part for part in parts[:-1] if part in ("detection", "quantization", "segmentation", "video")]
    model = ".".join(["torchvision.models", *group, builder])
    by_position = call.given("pretrained", 0)
    member = _member(call.options.get("weights", by_position if by_position is True else None))
    if member:
        return [f"{model}({member})"]
    backbone = call.given("weights_backbone", -1, call.given("pretrained_backbone", -1, True))
    return [f"{model}(backbone)"] if backbone not in (None, False) and "detection" in group else []


def _member(weights: Any) -> str:
    """DEFAULT, IMAGENET1K_V1, `pretrained`; empty for none."""
    if weights is True:
        return "pretrained"
    if isinstance(weights, dict):  # a variable: most often the newest weights
        weights = weights.get("name") or "DEFAULT"
    return weights.rpartition(".")[2] if isinstance(weights, str) else ""


def _keras(name: str, call: Call) -> list[str]:
    parts = name.split(".")
    if parts[0] == "datasets" and parts[-1] == "load_data":
        return [f"keras.datasets.{'.'.join(parts[1:-1])}"]
    model = parts[-1]
    if parts[0] != "applications" or not model[:1].isupper():
        return []
    fixed_sizes = model in _ROWS
    family = (
        model
        if fixed_sizes
        else next((name for name in _POSITIONS if name not in _ROWS and model.startswith(name)), "")
    )
    at_top, at_weights = _POSITIONS.get(family, (0, 1))
    weights = call.given("weights", at_weights, "imagenet")
    if not isinstance(weights, str) or not weights.startswith("imagenet"):
        return []
    chosen = [f"include_top={bool(call.given('include_top', at_top, True))}"]
    if fixed_sizes or model.startswith("MobileNetV3"):
        alpha = call.given("alpha", 1, 1.0)
        chosen.append(f"alpha={float(alpha) if isinstance(alpha, int | float) else 1.0}")
    if fixed_sizes:
        chosen.append(f"rows={_rows(call.given('input_shape', 0), _ROWS[model])}")
    if model.startswith("MobileNetV3"):
        chosen.append(f"minimalistic={call.given('minimalistic', 2, False) is True}")
    if weights != "imagenet":
        chosen.append(weights)
    return [f"keras.applications.{model}({', '.join(chosen)})"]


def _rows(shape: Any, published: Sequence[int]) -> int:
    """The image size whose weights Keras loads: that of the images, if it is square and published."""
    if isinstance(shape, list) and len(shape) == 3:
        sides = [side for side in shape if side != 3] if shape[0] == 3 else shape[:2]
        if len(sides) == 2 and sides[0] == sides[1] and sides[0] in published:
            return int(sides[0])
    return _ROWS_BY_DEFAULT
