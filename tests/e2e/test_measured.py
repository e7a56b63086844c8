"""Models whose pre-processing or labels nobody declared, measured on training images for real."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from model_files import CLASSES
from PIL import Image

from harness.inputs.assignment.limits import ResourceLimits
from harness.inputs.given_weights import GivenWeights
from harness.inputs.images import TrainingImages
from harness.sandbox.bubblewrap import Bubblewrap
from harness.stages.context import StageContext
from harness.stages.convert import HandedModel
from harness.stages.convert_candidates import CONVERT, ConvertRequest
from harness.stages.evidence.stage_result import Done
from harness.stages.store import Store

# The mean colour of each class, RGB from 0 to 1: what the models below know.
COLOURS = np.array([[0.9, 0.2, 0.1], [0.9, 0.6, 0.1], [0.5, 0.5, 0.5], [0.2, 0.2, 0.15], [0.85, 0.85, 0.8]], np.float32)
MODEL_PY = """
from torch import nn

def build_model(num_classes):
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, num_classes))
"""
Images = Mapping[str, Sequence[Path]]


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> StageContext:
    limits = ResourceLimits(wall_seconds=240, cell_seconds=60, memory=4 * 10**9, cpus=2)
    return StageContext(Bubblewrap(), Store(tmp_path_factory.mktemp("store")), limits)


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Images:
    """Twelve noisy images of each class."""
    random, folder = np.random.default_rng(0), tmp_path_factory.mktemp("train")
    found: dict[str, list[Path]] = {}
    for name, colour in zip(CLASSES, COLOURS, strict=True):
        (folder / name).mkdir()
        for number in range(12):
            pixels = (colour + random.normal(0, 0.2, (40, 48, 3)) + random.normal(0, 0.03)).clip(0, 1) * 255
            file = folder / name / f"{number}.png"
            Image.fromarray(pixels.astype(np.uint8)).save(file)
            found.setdefault(name, []).append(file)
    return found


def layer(points: np.ndarray, sharpness: float = 60.0) -> tuple[np.ndarray, np.ndarray]:
    """Weights (3, classes) and bias of the nearest of the points to the mean pixel."""
    return 2 * sharpness * points.T, -sharpness * (points**2).sum(axis=1)


def torch_model(points: np.ndarray) -> Any:
    import torch

    weight, bias = layer(points)
    namespace: dict[str, Any] = {}
    exec(MODEL_PY, namespace)
    model = namespace["build_model"](len(points))
    model[2].weight.data, model[2].bias.data = torch.tensor(weight.T.copy()), torch.tensor(bias)
    return model.eval()


def converted(
    file: Path, images: Images, context: StageContext, classes: Sequence[str] = CLASSES, **companions: str
) -> Any:
    paths = {}
    for name, text in companions.items():
        paths[name.replace("_", ".")] = path = file.parent / name.replace("_", ".")
        path.write_text(text)
    training = TrainingImages(None, "x", tuple, lambda: images)
    request = ConvertRequest((HandedModel(file, paths),), False, tuple(classes), training, GivenWeights(None, {}, {}))
    result = CONVERT.work(request, context)
    assert isinstance(result, Done), result
    return result


def codes(result: Any) -> list[str]:
    return [found.code for found in result.findings]


def test_a_state_dict_trained_on_pixels_from_0_to_1(images: Images, context: StageContext, tmp_path: Path) -> None:
    import torch

    torch.save(torch_model(COLOURS).state_dict(), file := tmp_path / "model.pth")
    result = converted(file, images, context, labels_txt="\n".join(CLASSES), model_py=MODEL_PY)
    assert codes(result) == ["preprocessing-measured"]
    rule = result.value.preprocess
    assert (rule.colour, rule.scale, rule.mean, rule.std) == ("RGB", pytest.approx(1 / 255), (0, 0, 0), (1, 1, 1))


def test_a_keras_model_trained_on_pixels_from_minus_1_to_1(
    images: Images, context: StageContext, tmp_path: Path
) -> None:
    import keras

    image = keras.Input((64, 64, 3))
    mean = keras.layers.GlobalAveragePooling2D()(image)
    model = keras.Model(image, keras.layers.Dense(5, activation="softmax")(mean))
    model.layers[-1].set_weights(list(layer(2 * COLOURS - 1, 15.0)))
    model.save(file := tmp_path / "model.keras")
    result = converted(file, images, context, labels_txt="\n".join(CLASSES))
    assert codes(result) == ["preprocessing-measured"]
    assert "with RGB pixels -1 to 1" in result.findings[0].message
    assert (result.value.preprocess.mean, result.value.preprocess.std) == ((0.5,) * 3, (0.5,) * 3)


def test_colours_from_opencv_and_labels_in_the_order_of_a_dictionary(
    images: Images, context: StageContext, tmp_path: Path
) -> None:
    """No labels.txt, no handin.json: a traced module takes BGR from 0 to 255, and begins with the mug."""
    import torch

    order = [2, 0, 4, 1, 3]
    example = torch.zeros(2, 3, 224, 224)
    traced = torch.jit.trace(torch_model(255 * COLOURS[order][:, ::-1]), example)
    traced.save(str(file := tmp_path / "model.pt"))
    result = converted(file, images, context)
    assert sorted(codes(result)) == ["labels-measured", "preprocessing-measured"]
    assert result.value.labels == tuple(CLASSES[index] for index in order)
    assert (result.value.preprocess.colour, result.value.preprocess.scale) == ("BGR", 1.0)


def test_six_images_of_two_classes_do_not_settle_it(images: Images, context: StageContext, tmp_path: Path) -> None:
    import torch

    two = CLASSES[2:4]  # grey, and a darker grey: with ImageNet's mean both are the darker
    torch.save(torch_model(COLOURS[2:4]).state_dict(), file := tmp_path / "model.pth")
    few = {name: images[name][:6] for name in two}
    result = converted(file, few, context, two, labels_txt="\n".join(two), model_py=MODEL_PY)
    assert codes(result) == ["undeclared-unclear", "preprocessing-assumed"]
    assert result.value.unsettled and "12 training images do not show what is meant" in result.findings[0].message


def test_a_model_that_knows_nothing_stays_as_it_is(images: Images, context: StageContext, tmp_path: Path) -> None:
    """Its answers do not depend on the image: nothing depends on a guess."""
    import torch

    torch.save(torch_model(COLOURS * 0 + 1).state_dict(), file := tmp_path / "model.pth")
    result = converted(file, images, context, model_py=MODEL_PY)
    assert codes(result) == ["preprocessing-assumed", "labels-missing"] and not result.value.unsettled
