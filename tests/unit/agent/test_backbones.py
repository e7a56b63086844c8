"""Which pre-trained layers a model still has, whatever names and axes the exporter gave them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from harness.agent.graph.backbones import Layer, compare, load, unrelated

RANDOM = np.random.default_rng(0)
CONV = RANDOM.normal(0, 0.05, (64, 32, 3, 3)).astype(np.float32)
OTHER = RANDOM.normal(0, 0.05, (64, 32, 3, 3)).astype(np.float32)
DEPTHWISE = RANDOM.normal(0, 0.3, (64, 1, 3, 3)).astype(np.float32)


def only(original: np.ndarray, *tensors: np.ndarray) -> Layer:
    (layer,) = compare({"conv": original}, {f"onnx::Conv_{i}": tensor for i, tensor in enumerate(tensors)})
    return layer


def test_an_unchanged_layer_is_identical_under_another_name() -> None:
    assert only(CONV, OTHER, CONV.copy()) == Layer("conv", CONV.size, True, 0.0, "onnx::Conv_1")


@pytest.mark.parametrize("order", [(2, 3, 1, 0), (1, 0, 3, 2), (0, 2, 3, 1)])
def test_an_unchanged_layer_is_identical_with_its_axes_in_another_order(order: tuple[int, ...]) -> None:
    assert only(CONV, CONV.transpose(order).copy()).identical
    assert only(DEPTHWISE, DEPTHWISE.transpose(order).copy()).identical


def test_one_number_changed_is_not_identical() -> None:
    changed = CONV.copy()
    changed[3, 3, 1, 1] = np.nextafter(changed[3, 3, 1, 1], np.float32(9)) + np.float32(0.02)
    layer = only(CONV, changed)
    assert not layer.identical and layer.relative_change is not None and layer.relative_change < 0.01


def test_a_folded_batch_norm_is_no_change() -> None:
    """W * gamma / sqrt(var + eps), recomputed in float32 by the exporter."""
    gamma = RANDOM.uniform(0.1, 3, (64, 1, 1, 1)).astype(np.float32)
    assert only(CONV, OTHER, CONV * gamma).identical
    assert only(DEPTHWISE, DEPTHWISE * gamma).identical


def test_a_change_is_measured_relative_to_the_layer() -> None:
    step = RANDOM.normal(0, 0.05 * 0.1, CONV.shape).astype(np.float32)
    layer = only(CONV, OTHER, CONV + step)
    assert not layer.identical
    assert layer.relative_change == pytest.approx(0.1, rel=0.05)


def test_an_unrelated_layer_is_far_away() -> None:
    layer = only(CONV, OTHER)
    assert layer.relative_change is not None and layer.relative_change > 1.0 and unrelated(layer)


def test_a_tensor_is_the_counterpart_of_one_layer_only() -> None:
    """A backbone that was cut off has no layer that looks moved."""
    first, second = compare({"conv4_1": CONV, "conv5_1": OTHER}, {"a": CONV.copy()})
    assert first.identical and second.relative_change is None


def test_a_factor_of_either_sign_for_each_channel_hides_no_layer() -> None:
    gamma = RANDOM.choice([-1.0, 1.0], (64, 1, 1, 1)).astype(np.float32) * RANDOM.uniform(0.1, 3, (64, 1, 1, 1))
    assert only(CONV, OTHER, (CONV * gamma).astype(np.float32)).identical


def test_a_layer_of_another_size_has_no_counterpart() -> None:
    assert only(CONV, CONV[:32]).relative_change is None


def test_the_imagenet_classifier_is_no_layer_of_the_backbone(tmp_path: Path) -> None:
    import torch

    file = tmp_path / "backbone.pth"
    state = {
        "features.0.weight": torch.zeros(4, 3, 3, 3),
        "features.0.bias": torch.zeros(4),
        "features.1.running_mean": torch.zeros(4),
        "classifier.1.weight": torch.zeros(1000, 4),
        "fc.weight": torch.zeros(1000, 4),
    }
    torch.save(state, file)
    assert list(load(file).layers) == ["features.0"]


def test_weights_that_are_not_numbers_are_far_away() -> None:
    layer = only(CONV, np.full_like(CONV, np.nan))
    assert not layer.identical and layer.relative_change == np.inf
