"""Saves a model for handing in. A notebook calls:

    from harness.handin import save
    save(model, classes=["ball", "mug"], preprocess="torchvision-imagenet")

This writes `model.onnx` (or the native file), `labels.txt` and `handin.json`. The module imports nothing of the
harness, because it runs on a student's laptop and in the sandbox.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

# Pixels are 0..255; the model's input is (pixel * scale - mean) / std, channel by channel in `colour` order.
PREPROCESSINGS: dict[str, dict[str, Any]] = {
    "torchvision-imagenet": {  # torchvision's ImageNet weights: ImageClassification(crop_size=224, resize_size=256)
        "colour": "RGB",
        "scale": 1 / 255,
        "mean": [0.485, 0.456, 0.406],
        "std": [0.229, 0.224, 0.225],
        "resize": "shorter-side-crop",
        "crop_fraction": 0.875,
    },
    "keras-vgg16-caffe": {  # keras.applications.vgg16.preprocess_input
        "colour": "BGR",
        "scale": 1.0,
        "mean": [103.939, 116.779, 123.68],
        "std": [1.0, 1.0, 1.0],
        "resize": "stretch",
    },
    "zero-one": {
        "colour": "RGB",
        "scale": 1 / 255,
        "mean": [0.0, 0.0, 0.0],
        "std": [1.0, 1.0, 1.0],
        "resize": "stretch",
    },
    "minus-one-one": {  # keras.applications.mobilenet_v2.preprocess_input
        "colour": "RGB",
        "scale": 1 / 127.5,
        "mean": [1.0, 1.0, 1.0],
        "std": [1.0, 1.0, 1.0],
        "resize": "stretch",
    },
    "none": {  # the model scales its own input: a Rescaling layer, for example
        "colour": "RGB",
        "scale": 1.0,
        "mean": [0.0, 0.0, 0.0],
        "std": [1.0, 1.0, 1.0],
        "resize": "stretch",
    },
}


def save(
    model: Any,
    classes: Sequence[str],
    preprocess: str | Mapping[str, Any] = "torchvision-imagenet",
    folder: str | Path = ".",
    input_size: tuple[int, int] = (224, 224),
) -> Path:
    """Write the model, its labels and its pre-processing to `folder`; return the model's file.

    `model`: a torch module or a Keras model. `classes`: the names in the order of the outputs.
    `preprocess`: a name in `PREPROCESSINGS`, or its fields. `input_size`: height and width in pixels.
    Raises `ValueError` when the number of outputs differs from the number of classes, or a name is not valid.
    """
    names = [str(name) for name in classes]
    if len(set(names)) != len(names) or not all(name.strip() for name in names):
        raise ValueError(f"classes must be different names, none of them empty; found {names}")
    rule = _rule(preprocess)
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    if _is_keras(model):
        file, layout, output, size = _save_keras(model, names, target, input_size)
    else:
        file, layout, output, size = _save_torch(model, names, target, input_size)
    (target / "labels.txt").write_text("\n".join(names) + "\n", encoding="utf-8")
    declared = {
        "schema": 1,
        "classes": names,
        "height": size[0],
        "width": size[1],
        **rule,
        "layout": layout,
        "output": output,
    }
    (target / "handin.json").write_text(json.dumps(declared, indent=2) + "\n", encoding="utf-8")
    print(f"Saved {file.name}, labels.txt and handin.json ({len(names)} classes, {output}).")
    return file


def _rule(preprocess: str | Mapping[str, Any]) -> dict[str, Any]:
    if isinstance(preprocess, str):
        if preprocess not in PREPROCESSINGS:
            raise ValueError(f"no pre-processing {preprocess!r}; one of {', '.join(PREPROCESSINGS)}, or its fields")
        return dict(PREPROCESSINGS[preprocess])
    given = dict(preprocess)
    needed = {"colour", "scale", "mean", "std", "resize"}
    if missing := needed - set(given):
        raise ValueError(f"the pre-processing lacks {', '.join(sorted(missing))}")
    if unknown := set(given) - needed - {"crop_fraction"}:
        raise ValueError(f"the pre-processing has unknown fields {', '.join(sorted(unknown))}")
    return given


def _is_keras(model: Any) -> bool:
    return any(base.__module__.partition(".")[0] in ("keras", "tf_keras") for base in type(model).__mro__)


def _checked(outputs: Any, names: list[str]) -> str:
    """`probabilities` or `logits`, from answers to two images, shape (2, classes)."""
    if outputs.ndim != 2 or outputs.shape[1] != len(names):
        raise ValueError(f"the model gives outputs of shape {outputs.shape[1:]} for {len(names)} classes: {names}")
    sums_to_one = bool((abs(outputs.sum(axis=1) - 1) < 1e-3).all() and (outputs >= 0).all())
    return "probabilities" if sums_to_one else "logits"


def _save_keras(
    model: Any, names: list[str], target: Path, input_size: tuple[int, int]
) -> tuple[Path, str, str, tuple[int, int]]:
    import numpy as np

    height, width = (given or asked for given, asked in zip(model.input_shape[1:3], input_size, strict=True))
    images = np.random.default_rng(0).uniform(0, 255, (2, height, width, 3)).astype("float32")
    output = _checked(np.asarray(model.predict(images, verbose=0)), names)
    file = target / "model.keras"
    model.save(file)
    return file, "NHWC", output, (height, width)


def _save_torch(
    model: Any, names: list[str], target: Path, input_size: tuple[int, int]
) -> tuple[Path, str, str, tuple[int, int]]:
    import torch

    training = {module: module.training for module in model.modules()}
    device = next((parameter.device for parameter in model.parameters()), torch.device("cpu"))
    model.eval()
    try:
        images = torch.rand((2, 3, *input_size), generator=torch.Generator().manual_seed(0)).to(device)
        with torch.no_grad():
            output = _checked(model(images).detach().cpu().numpy(), names)
        file = target / "model.onnx"
        try:
            _export(model, images, file)
        except Exception as error:  # exporters raise many kinds; the model is then saved in its own format
            file.unlink(missing_ok=True)
            file = target / "model.pt"
            print(f"No ONNX form ({type(error).__name__}): saving the torch module itself.")
            torch.save(model.cpu(), file)
            model.to(device)
    finally:
        for module, was_training in training.items():
            module.training = was_training
    return file, "NCHW", output, input_size


def _export(model: Any, images: Any, file: Path) -> None:
    """One ONNX file, batch dynamic, BatchNorm kept, so that pre-trained layers can be recognised."""
    import torch

    batch = {"image": {0: "batch"}, "output": {0: "batch"}}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model,
            (images,),
            str(file),
            dynamo=False,
            opset_version=18,
            input_names=["image"],
            output_names=["output"],
            dynamic_axes=batch,
            do_constant_folding=False,
            training=torch.onnx.TrainingMode.PRESERVE,
        )
