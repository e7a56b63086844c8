"""Model files of every accepted format, made from two small networks: what students would hand in."""

from __future__ import annotations

import copy
import functools
import os
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import __main__
from harness.agent.torchvision_ops import declare_missing

declare_missing()
os.environ["KERAS_BACKEND"] = "torch"
import torch  # noqa: E402
from torch import nn  # noqa: E402

CLASSES = ("ball", "bottle", "mug", "plate", "spoon")

TINY_PY = """
from torch import nn

class Tiny(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(3, 8, 3, stride=2, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.AdaptiveAvgPool2d(4), nn.Flatten()
        )
        self.drop = nn.Dropout(0.5)
        self.head = nn.Linear(128, classes)

    def forward(self, x):
        return self.head(self.drop(self.body(x)))

def build_model(num_classes):
    return Tiny(num_classes)
"""

MOBILENET_PY = """
import torchvision
from torch import nn

def build_model(num_classes):
    model = torchvision.models.mobilenet_v2(weights=None)
    model.classifier[1] = nn.Linear(1280, num_classes)
    return model
"""

FACTORIES = {"tiny": TINY_PY, "mobilenet_v2": MOBILENET_PY}


@functools.cache
def torch_model(name: str) -> Any:
    """The network `name`, with weights whose answers differ from image to image."""
    torch.manual_seed(0)
    exec(FACTORIES[name], vars(__main__))  # as a notebook does
    model = vars(__main__)["build_model"](len(CLASSES))
    model.train()
    for layer in model.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.momentum = None  # a plain average
    with torch.no_grad():
        for _ in range(4):  # settles BatchNorm's statistics, on images like those of write_images
            coarse = torch.randn(16, 3, 4, 5)
            model(nn.functional.interpolate(coarse, size=(224, 224), mode="bicubic"))
        head = model.head if name == "tiny" else model.classifier[1]
        head.weight.mul_(20)
    return model.eval()


def write_torch(model: Any, format: str, file: Path) -> None:
    """Save as a student would, in the given way."""
    batch = torch.export.Dim("batch")
    one, two = torch.zeros(1, 3, 224, 224), torch.zeros(2, 3, 224, 224)
    match format:
        case "state_dict":
            torch.save(model.state_dict(), file)
        case "checkpoint":
            torch.save({"epoch": 3, "model_state_dict": model.state_dict()}, file)
        case "legacy_state_dict":
            torch.save(model.state_dict(), file, _use_new_zipfile_serialization=False)
        case "safetensors":
            from safetensors.torch import save_file

            save_file(model.state_dict(), file)
        case "whole_module":
            torch.save(model, file)
        case "traced":
            torch.jit.trace(model, one).save(str(file))
        case "scripted":
            torch.jit.script(model).save(str(file))
        case "exported":
            program = torch.export.export(model, (two,), dynamic_shapes=({0: batch},))
            torch.export.save(program, file.with_suffix(".pt2"))
            file.with_suffix(".pt2").rename(file)
        case "exported_static":
            torch.export.save(torch.export.export(model, (one,)), file.with_suffix(".pt2"))
            file.with_suffix(".pt2").rename(file)
        case "onnx" | "onnx_batch_1" | "onnx_probabilities":
            whole = nn.Sequential(copy.deepcopy(model), nn.Softmax(1)).eval() if "prob" in format else model
            axes = {} if "batch_1" in format else {"image": {0: "batch"}, "answer": {0: "batch"}}
            torch.onnx.export(
                whole, (one,), str(file), dynamo=False, input_names=["image"], output_names=["answer"],
                dynamic_axes=axes,
            )  # fmt: skip
        case _:
            raise ValueError(format)
    file.chmod(0o644)


def write_detector(file: Path) -> None:
    """A single-shot detector as jetson-inference's onnx_export.py writes it: scores with background, and corners."""

    class Detector(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = nn.Sequential(nn.Conv2d(3, 16, 3, stride=4), nn.ReLU(), nn.MaxPool2d(2))
            self.scores, self.boxes = nn.Conv2d(16, 4, 1), nn.Conv2d(16, 4, 1)

        def forward(self, x: Any) -> Any:
            seen = self.body(x)
            scores = self.scores(seen).flatten(2).transpose(1, 2).softmax(2)
            return scores, self.boxes(seen).flatten(2).transpose(1, 2).sigmoid()

    _write_onnx(Detector, file, "input_0", ["scores", "boxes"])


def write_yolo(file: Path) -> None:
    """A YOLO as Ultralytics exports it: one output, (4 + classes, anchors), boxes in pixels as centre and size."""

    class Yolo(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = nn.Sequential(nn.Conv2d(3, 16, 3, stride=4), nn.SiLU(), nn.MaxPool2d(2))
            self.scores, self.boxes = nn.Conv2d(16, 3, 1), nn.Conv2d(16, 4, 1)

        def forward(self, x: Any) -> Any:
            seen = self.body(x)
            return torch.cat([self.boxes(seen).flatten(2).sigmoid() * 96, self.scores(seen).flatten(2).sigmoid()], 1)

    _write_onnx(Yolo, file, "images", ["output0"])


def _write_onnx(network: type[nn.Module], file: Path, given: str, answers: list[str]) -> None:
    """With weights that are the same each time, for one image of 96 x 96 pixels."""
    torch.manual_seed(0)
    torch.onnx.export(
        network().eval(), (torch.zeros(1, 3, 96, 96),), str(file), dynamo=False, input_names=[given],
        output_names=answers,
    )  # fmt: skip
    file.chmod(0o644)


def keras_model(name: str, *, augment: bool = False) -> Any:
    """The Keras network `name`, with weights whose answers differ from image to image."""
    import keras

    keras.utils.set_random_seed(0)
    layers = keras.layers
    image = keras.Input((96, 96, 3))
    x = layers.RandomRotation(0.2)(layers.RandomFlip()(image)) if augment else image
    if name == "tiny":
        x = layers.Conv2D(8, 3, strides=2, activation="relu")(x)
        x = layers.Flatten()(layers.MaxPooling2D(4)(x))
    else:
        x = layers.Rescaling(1 / 127.5, offset=-1)(x)
        whole = {"weights": None, "include_top": False, "input_shape": (96, 96, 3), "pooling": "avg"}
        backbone = _keras_backbone(keras) if name == "nested" else keras.applications.MobileNetV2(**whole)
        x = backbone(x)
    model = keras.Model(image, layers.Dense(len(CLASSES), activation="softmax")(x))
    images = np.random.default_rng(0).uniform(0, 255, (32, 96, 96, 3)).astype(np.float32)
    scale = 0.05 if name == "tiny" else 20.0
    if name != "tiny":
        for _ in range(8):
            model(images, training=True)  # settles BatchNorm's statistics
    kernel, bias = model.layers[-1].get_weights()
    model.layers[-1].set_weights([kernel * scale, bias])
    return model


def _keras_backbone(keras: Any) -> Any:
    """A model of MobileNetV2's kinds of layers: a stem, a block with a stride, one with a shortcut, and a pool."""
    layers = keras.layers

    def settled(x: Any) -> Any:
        return layers.ReLU(6.0)(layers.BatchNormalization()(x))

    def block(x: Any, stride: int) -> Any:
        inside = settled(layers.Conv2D(48, 1, use_bias=False)(x))
        if stride == 2:
            inside = layers.ZeroPadding2D(((0, 1), (0, 1)))(inside)
        inside = layers.DepthwiseConv2D(3, strides=stride, padding="valid" if stride == 2 else "same", use_bias=False)(
            inside
        )
        projected = layers.BatchNormalization()(layers.Conv2D(8, 1, use_bias=False)(settled(inside)))
        return layers.Add()([x, projected]) if stride == 1 else projected

    image = keras.Input((96, 96, 3))
    stem = settled(layers.Conv2D(8, 3, strides=2, padding="same", use_bias=False)(image))
    features = settled(layers.Conv2D(64, 1, use_bias=False)(block(block(stem, 2), 1)))
    return keras.Model(image, layers.GlobalAveragePooling2D()(features), name="backbone")


def write_keras2(file: Path) -> Any:
    """An .h5 as Keras 2.15 wrote it: a backbone nested in a model; the Keras 3 model with its weights.

    The weights' layout is Keras 3's own .h5, which is the same; the configuration is Keras 2's.
    """
    import json

    import h5py
    import keras

    keras.utils.set_random_seed(0)
    inner = keras.Input((64, 64, 3), name="input_1")
    x = keras.layers.Conv2D(8, 3, activation="relu", name="block1_conv1")(inner)
    base = keras.Model(inner, keras.layers.MaxPooling2D(4, name="block1_pool")(x), name="vgg")
    outer = keras.Input((64, 64, 3), name="input_2")
    x = keras.layers.Flatten(name="flatten")(base(outer))
    answer = keras.layers.Dense(len(CLASSES), activation="softmax", name="dense")(x)
    model = keras.Model(outer, answer, name="model")
    kernel, bias = model.layers[-1].get_weights()
    model.layers[-1].set_weights([kernel * 0.05, bias])
    model.save(file)

    def entry(name: str, kind: str, config: dict[str, Any], inbound: list[Any]) -> dict[str, Any]:
        called = [[[*inbound, {}]]] if inbound else []
        plain = {"name": name, "trainable": True, "dtype": "float32"}
        return {"class_name": kind, "config": plain | config, "name": name, "inbound_nodes": called}

    def image(name: str) -> dict[str, Any]:
        shape = {"batch_input_shape": [None, 64, 64, 3], "sparse": False, "ragged": False}
        given = entry(name, "InputLayer", shape, [])
        given["config"].pop("trainable")
        return given

    conv = {"filters": 8, "kernel_size": [3, 3], "groups": 1, "activation": "relu"}
    pool = {"pool_size": [4, 4], "strides": [4, 4], "padding": "valid", "data_format": "channels_last"}
    dense = {"units": len(CLASSES), "activation": "softmax", "use_bias": True}
    nested = {
        "name": "vgg",
        "trainable": True,
        "layers": [
            image("input_1"),
            entry("block1_conv1", "Conv2D", conv, ["input_1", 0, 0]),
            entry("block1_pool", "MaxPooling2D", pool, ["block1_conv1", 0, 0]),
        ],
        "input_layers": [["input_1", 0, 0]],
        "output_layers": [["block1_pool", 0, 0]],
    }
    config = {
        "name": "model",
        "trainable": True,
        "layers": [
            image("input_2"),
            {
                "class_name": "Functional",
                "config": nested,
                "name": "vgg",
                "inbound_nodes": [[["input_2", 0, 0, {}]]],
            },
            entry("flatten", "Flatten", {"data_format": "channels_last"}, ["vgg", 1, 0]),
            entry("dense", "Dense", dense, ["flatten", 0, 0]),
        ],
        "input_layers": [["input_2", 0, 0]],
        "output_layers": [["dense", 0, 0]],
    }
    with h5py.File(file, "r+") as stored:
        stored.attrs["model_config"] = json.dumps({"class_name": "Functional", "config": config})
        stored.attrs["keras_version"] = "2.15.0"
    return model


def write_images(folder: Path, count: int, seed: int = 0) -> list[Path]:
    """Images of blobs of colour, of different sizes, no two alike."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)  # the sandbox's own user reads it
    random = np.random.default_rng(seed)
    files = []
    for index in range(count):
        coarse = random.integers(0, 256, (4, 5, 3), dtype=np.uint8)
        size = (int(random.integers(100, 320)), int(random.integers(100, 320)))
        file = folder / f"{index:02}.png"
        Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC).save(file)
        files.append(file)
    return files
