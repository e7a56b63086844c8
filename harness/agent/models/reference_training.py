"""The packaged reference solution: a frozen pre-trained backbone, a new head, and optional fine-tuning.

The phase `train` calls `train` where the assignment names no code of its own. It needs numpy, Pillow, torch and, for
torchvision's backbones, torchvision. The file also stands alone: the example's notebook imports it, so it imports
nothing that is beside it but where torchvision lacks its operators.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageOps
from torch import Tensor, nn

SIZE = 224  # pixels, both sides
BATCH = 16
FOLDS = 4
# L2 penalties that are tried: of the sum of squared weights, beside the mean loss of an image.
PENALTIES = (1.0, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001)
FINE_TUNING_RATE = 1e-5  # a hundredth of what a new layer would get
_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp")


@dataclass(frozen=True)
class Backbone:
    """Convolutions with pre-trained weights, and the pixels that they were trained on.

    x = (pixel * scale - mean) / std, with `mean` and `std` in the order of `colour`.
    """

    layers: nn.Module
    colour: str
    scale: float
    mean: tuple[float, float, float]
    std: tuple[float, float, float]

    def input(self, pixels: NDArray[np.uint8]) -> Tensor:
        """Pictures (n, height, width, 3), RGB, as the layers want them: (n, 3, height, width)."""
        ordered = pixels[..., ::-1] if self.colour == "BGR" else pixels
        scaled = ordered.astype(np.float32) * np.float32(self.scale) - np.asarray(self.mean, np.float32)
        return torch.from_numpy(np.moveaxis(scaled / np.asarray(self.std, np.float32), -1, 1).copy())


class Classifier(nn.Module):
    """The backbone's `features`, their mean over the picture, and one new layer; gives probabilities."""

    def __init__(self, features: nn.Module, head: nn.Linear) -> None:
        super().__init__()
        self.features = features
        self.head = head

    def scores(self, image: Tensor) -> Tensor:
        scores: Tensor = self.head(self.features(image).mean(dim=(2, 3)))
        return scores

    def forward(self, image: Tensor) -> Tensor:
        return torch.softmax(self.scores(image), dim=1)


def train(
    train_dir: Path, out_dir: Path, *, backbone: str, weights: Path, seed: int, fine_tune_epochs: int = 0
) -> dict[str, Any]:
    """Train on the class folders in `train_dir`; write model.onnx, labels.txt, handin.json, training.json.

    Returns what training.json holds: `images`, `penalty`, `cross_validated_accuracy` and `seconds`, a dict
    of seconds by step. Raises `ValueError` for an unknown backbone and for less than two classes.
    """
    started = time.perf_counter()
    out_dir.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(seed)
    torch.use_deterministic_algorithms(True)
    classes, files, labels = _pictures(train_dir)
    base = BACKBONES[_known(backbone)](weights)
    base.layers.eval().requires_grad_(False)
    pixels = np.stack([read_pixels(file) for file in files])
    read = time.perf_counter()
    features = extract_features(base, pixels)
    seen = time.perf_counter()
    target = torch.tensor(labels)
    penalty, accuracy = _best_penalty(features, target, len(classes))
    model = Classifier(base.layers, fit_head(features, target, len(classes), (penalty,))[0])
    fitted = time.perf_counter()
    if fine_tune_epochs:
        _fine_tune(model, base, pixels, target, fine_tune_epochs, seed)
    tuned = time.perf_counter()
    _write(model, base, classes, out_dir)
    seconds = {
        "read": read - started,
        "features": seen - read,
        "head": fitted - seen,
        "fine_tuning": tuned - fitted,
        "write": time.perf_counter() - tuned,
    }
    training = {
        "images": len(files),
        "penalty": penalty,
        "cross_validated_accuracy": accuracy,
        "seconds": {step: round(taken, 2) for step, taken in seconds.items()},
    }
    (out_dir / "training.json").write_text(json.dumps(training, indent=1))
    return training


def _pictures(folder: Path) -> tuple[list[str], list[Path], list[int]]:
    """Classes in the order of their names, and each class's files in the order of theirs."""
    classes = sorted(path.name for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    if len(classes) < 2:
        raise ValueError(f"{folder} has {len(classes)} class folders; at least two are needed")
    files, labels = [], []
    for label, name in enumerate(classes):
        found = sorted(file for file in (folder / name).iterdir() if file.suffix.lower() in _SUFFIXES)
        files += found
        labels += [label] * len(found)
    return classes, files, labels


def read_pixels(file: Path) -> NDArray[np.uint8]:
    with Image.open(file) as opened:
        picture = ImageOps.exif_transpose(opened).convert("RGB")
    return np.asarray(picture.resize((SIZE, SIZE), Image.Resampling.BILINEAR))


def extract_features(base: Backbone, pixels: NDArray[np.uint8]) -> Tensor:
    """What the backbone sees in each picture: shape (pictures, channels)."""
    with torch.inference_mode():
        batches = (base.input(pixels[i : i + BATCH]) for i in range(0, len(pixels), BATCH))
        return torch.cat([base.layers(batch).mean(dim=(2, 3)) for batch in batches]).clone()


def _best_penalty(features: Tensor, target: Tensor, classes: int) -> tuple[float, float]:
    """The penalty with the lowest cross-validated loss, and its accuracy.

    `features`: shape (pictures, channels). A fold is a run of neighbouring files of each class:
    photographs taken one after another resemble each other, and must not lie on both sides.
    """
    fold = torch.zeros_like(target)
    for label in range(classes):
        mine = (target == label).nonzero().flatten()
        fold[mine] = torch.arange(len(mine)) * FOLDS // len(mine)
    loss, right = torch.zeros(len(PENALTIES)), torch.zeros(len(PENALTIES))
    for left_out in range(FOLDS):
        inside, outside = fold != left_out, fold == left_out
        heads = fit_head(features[inside], target[inside], classes, PENALTIES)
        for i, head in enumerate(heads):
            with torch.inference_mode():
                scores = head(features[outside])
            loss[i] += nn.functional.cross_entropy(scores, target[outside], reduction="sum")
            right[i] += (scores.argmax(dim=1) == target[outside]).sum()
    best = int(loss.argmin())
    return PENALTIES[best], float(right[best]) / len(target)


def fit_head(features: Tensor, target: Tensor, classes: int, penalties: Sequence[float]) -> list[nn.Linear]:
    """Logistic regression on standardised features, for each penalty; the standardisation is in its weights."""
    mean, spread = features.mean(dim=0), features.std(dim=0).clamp(min=1e-4)
    x = (features - mean) / spread
    weight = torch.zeros(classes, features.shape[1], requires_grad=True)
    bias = torch.zeros(classes, requires_grad=True)
    heads = []
    for penalty in penalties:  # from strong to weak: each starts where the last ended
        optimiser = torch.optim.LBFGS([weight, bias], max_iter=80, line_search_fn="strong_wolfe")

        def loss(optimiser: torch.optim.Optimizer = optimiser, penalty: float = penalty) -> Tensor:
            optimiser.zero_grad()
            wrong = nn.functional.cross_entropy(x @ weight.T + bias, target) + penalty / 2 * weight.square().sum()
            wrong.backward()
            return wrong

        optimiser.step(loss)
        head = nn.Linear(features.shape[1], classes)
        with torch.no_grad():
            head.weight.copy_(weight / spread)
            head.bias.copy_(bias - (weight / spread) @ mean)
        heads.append(head)
    return heads


def _fine_tune(
    model: Classifier, base: Backbone, pixels: NDArray[np.uint8], target: Tensor, epochs: int, seed: int
) -> None:
    """Train all weights a little; BatchNorm keeps ImageNet's statistics, as the pictures are few."""
    model.requires_grad_(True)
    optimiser = torch.optim.AdamW(model.parameters(), lr=FINE_TUNING_RATE, weight_decay=0.01)
    random = np.random.default_rng(seed)
    for _ in range(epochs):
        order = random.permutation(len(pixels))
        for start in range(0, len(order), BATCH):
            chosen = order[start : start + BATCH]
            view = pixels[chosen][:, :, :: random.choice([-1, 1])]
            optimiser.zero_grad()
            nn.functional.cross_entropy(model.scores(base.input(view)), target[chosen]).backward()
            optimiser.step()
    model.requires_grad_(False)


def _write(model: Classifier, base: Backbone, classes: list[str], out_dir: Path) -> None:
    model.eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that this exporter is deprecated; it keeps every weight's bits
        torch.onnx.export(
            model,
            (torch.zeros(2, 3, SIZE, SIZE),),
            str(out_dir / "model.onnx"),
            dynamo=False,
            opset_version=17,
            do_constant_folding=False,
            training=torch.onnx.TrainingMode.PRESERVE,
            input_names=["image"],
            output_names=["probs"],
            dynamic_axes={"image": {0: "batch"}, "probs": {0: "batch"}},
        )
    (out_dir / "labels.txt").write_text("".join(f"{name}\n" for name in classes))
    declared = {
        "schema": 1,
        "classes": classes,
        "width": SIZE,
        "height": SIZE,
        "colour": base.colour,
        "scale": base.scale,
        "mean": list(base.mean),
        "std": list(base.std),
        "resize": "stretch",
        "crop_fraction": 0.875,
        "layout": "NCHW",
        "output": "probabilities",
    }
    (out_dir / "handin.json").write_text(json.dumps(declared, indent=1))


def _known(backbone: str) -> str:
    if backbone not in BACKBONES:
        raise ValueError(f"unknown backbone {backbone!r}; choose one of {', '.join(BACKBONES)}")
    return backbone


def _torchvision_models() -> Any:
    """torchvision.models; where torchvision's compiled operators do not load, with stand-ins for them."""
    try:
        import torchvision.models
    except (RuntimeError, AttributeError):
        try:
            declare_missing = importlib.import_module("agent.torchvision_ops").declare_missing  # in the sandbox
        except ImportError:
            sys.path.append(str(Path(__file__).resolve().parents[3]))
            from harness.agent.torchvision_ops import declare_missing
        declare_missing()
        import torchvision.models
    return torchvision.models


def _torchvision_features(name: str, weights: Path) -> nn.Module:
    model = getattr(_torchvision_models(), name)()
    model.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
    if hasattr(model, "features"):
        features: nn.Module = model.features
        return features
    return nn.Sequential(*list(model.children())[:-2])  # a ResNet, less its pooling and its classifier


def _imagenet(name: str) -> Callable[[Path], Backbone]:
    mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    return lambda weights: Backbone(_torchvision_features(name, weights), "RGB", 1 / 255, mean, std)


def _caffe_vgg16(weights: Path) -> Backbone:
    """VGG16's convolutions from a safetensors file with Keras' names; blocks end in a pooling."""
    tensors = _safetensors(weights)
    layers: list[nn.Module] = []
    for block, convolutions in enumerate((2, 2, 3, 3, 3), 1):
        for number in range(1, convolutions + 1):
            weight, bias = (tensors[f"block{block}_conv{number}.{part}"] for part in ("weight", "bias"))
            convolution = nn.Conv2d(weight.shape[1], weight.shape[0], 3, padding=1)
            convolution.load_state_dict({"weight": weight, "bias": bias})
            layers += [convolution, nn.ReLU()]
        layers.append(nn.MaxPool2d(2))
    mean = (103.939, 116.779, 123.68)  # Keras' vgg16.preprocess_input
    return Backbone(nn.Sequential(*layers), "BGR", 1.0, mean, (1.0, 1.0, 1.0))


def _safetensors(file: Path) -> dict[str, Tensor]:
    """A safetensors file's float32 tensors: 8 bytes of header length, the header as JSON, then the numbers."""
    content = file.read_bytes()
    start = 8 + int.from_bytes(content[:8], "little")
    tensors = {}
    for name, entry in json.loads(content[8:start]).items():
        if name == "__metadata__":
            continue
        if entry["dtype"] != "F32":
            raise ValueError(f"{file.name}: {name} is {entry['dtype']}, not F32")
        first, end = entry["data_offsets"]
        numbers = np.frombuffer(content[start + first : start + end], "<f4").reshape(entry["shape"])
        tensors[name] = torch.from_numpy(numbers.copy())
    return tensors


BACKBONES: dict[str, Callable[[Path], Backbone]] = {
    "efficientnet_b0": _imagenet("efficientnet_b0"),
    "mobilenet_v2": _imagenet("mobilenet_v2"),
    "resnet18": _imagenet("resnet18"),
    "resnet50": _imagenet("resnet50"),
    "vgg16": _imagenet("vgg16"),
    "vgg16_notop_caffe": _caffe_vgg16,
}
