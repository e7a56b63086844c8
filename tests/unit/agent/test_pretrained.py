"""Weights that stand in for a Keras file: written so that Keras takes them as its own."""

from __future__ import annotations

import os
from pathlib import Path

os.environ["KERAS_BACKEND"] = "torch"

import keras
import numpy as np
import pytest
from safetensors.numpy import save_file

from harness.agent.graph import backbones
from harness.agent.notebook.pretrained import read_safetensors, write_keras


@pytest.fixture
def tensors() -> dict[str, np.ndarray]:
    random = np.random.default_rng(0)
    return {
        "block1_conv1.weight": random.normal(size=(4, 3, 3, 3)).astype(np.float32),
        "block1_conv1.bias": random.normal(size=4).astype(np.float32),
        "block2_conv1.weight": random.normal(size=(5, 4, 3, 3)).astype(np.float32),
        "block2_conv1.bias": random.normal(size=5).astype(np.float32),
    }


@pytest.fixture
def written(tensors: dict[str, np.ndarray], tmp_path: Path) -> Path:
    save_file(tensors, tmp_path / "weights.safetensors", metadata={"layout": "OIHW"})
    file = tmp_path / "notop.h5"
    write_keras(read_safetensors(tmp_path / "weights.safetensors"), file)
    return file


def model() -> keras.Model:
    image = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(4, 3, name="block1_conv1")(image)
    x = keras.layers.MaxPooling2D(2, name="block1_pool")(x)
    return keras.Model(image, keras.layers.Conv2D(5, 3, name="block2_conv1")(x))


@pytest.mark.parametrize("by_name", [False, True])
def test_keras_loads_them_in_order_and_by_name(written: Path, tensors: dict[str, np.ndarray], by_name: bool) -> None:
    loaded = model()
    loaded.load_weights(written, by_name=by_name)
    kernel, bias = loaded.get_layer("block2_conv1").get_weights()
    assert np.array_equal(kernel.transpose(3, 2, 0, 1), tensors["block2_conv1.weight"])
    assert np.array_equal(bias, tensors["block2_conv1.bias"])


def test_the_convolution_is_torchs(written: Path, tensors: dict[str, np.ndarray]) -> None:
    """Not turned by 180 degrees, nor with its axes mixed up."""
    import torch

    loaded = model()
    loaded.load_weights(written)
    image = np.random.default_rng(1).normal(size=(1, 8, 8, 3)).astype(np.float32)
    inner = keras.Model(loaded.inputs, loaded.get_layer("block1_conv1").output)
    given = inner.predict(image, verbose=0)
    expected = torch.nn.functional.conv2d(
        torch.from_numpy(image.transpose(0, 3, 1, 2).copy()),
        torch.from_numpy(tensors["block1_conv1.weight"]),
        torch.from_numpy(tensors["block1_conv1.bias"]),
    ).numpy()
    assert np.abs(given.transpose(0, 3, 1, 2) - expected).max() < 1e-5


def test_a_keras_file_is_a_backbone_like_any_other(written: Path, tensors: dict[str, np.ndarray]) -> None:
    layers = backbones.compare(backbones.load(written).layers, {"renamed": tensors["block1_conv1.weight"]})
    assert [(layer.name, layer.identical) for layer in layers] == [("block1_conv1", True), ("block2_conv1", False)]


def test_other_numbers_than_float32_are_refused(tmp_path: Path) -> None:
    save_file({"a.weight": np.zeros((1, 1, 1, 1), np.float16)}, tmp_path / "half.safetensors")
    with pytest.raises(ValueError, match="float32"):
        read_safetensors(tmp_path / "half.safetensors")
