"""What a reference detector can start from: which layers keep a file's weights, which start anew, which are trained."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import starting_weights
import torch
from coloured_squares import examples

from harness.agent.models.reference_training import BACKBONES
from harness.agent.ssd.augmentation import plain
from harness.agent.ssd.jetson_ssd import JetsonSsd
from harness.agent.ssd.starts import STARTS
from harness.agent.ssd.training import Budget, train
from harness.agent.ssd.vgg16_start import wide_layers
from harness.agent.ssd.views import as_input
from harness.errors import MachineError
from harness.grading.materials import weights_file
from harness.inputs import weights
from harness.inputs.assignment.sections import DETECTOR_BACKBONES

STEP = Budget(views=4, head_steps=1, steps=1)
JETSONS = ("ssd_mobilenet", "vgg16_notop_caffe")


def built(backbone: str, folder: Path) -> JetsonSsd:
    model = STARTS[backbone].read(starting_weights.write(backbone, folder / "weights"))(2)
    assert isinstance(model, JetsonSsd)
    return model


def test_an_assignment_knows_every_start_and_its_weights():
    assert sorted(STARTS) == sorted(DETECTOR_BACKBONES)
    for name in STARTS:
        assert weights.named(name)[0].is_backbone


def test_from_a_checkpoint_all_is_kept_but_the_heads(tmp_path: Path):
    model, given = built("ssd_mobilenet", tmp_path).eval(), starting_weights.checkpoint("mb1-ssd")
    pixels = as_input(plain(examples(1, seed=1)[0].image)[None], model.layout)
    with torch.inference_mode():
        expected = given.maps(pixels)
        found = model.detector.maps(model.low_features(pixels), 7)
        scores, boxes = model(pixels)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-4)
    assert (scores.shape, boxes.shape) == ((1, 3000, 3), (1, 3000, 4))
    assert float(scores.std(dim=1).max()) < 0.1  # the heads have forgotten the twenty classes
    heads = [*model.detector.classification_headers, *model.detector.regression_headers]
    assert {id(one) for one in model.new_layers()} == {id(one) for head in heads for one in head.parameters()}


def test_vgg16_sees_the_pixels_that_its_weights_were_trained_on(tmp_path: Path):
    """BGR less caffe's means becomes the input of jetson-inference's VGG16-SSD, RGB less other means."""
    model = built("vgg16_notop_caffe", tmp_path)
    base = BACKBONES["vgg16_notop_caffe"](tmp_path / "weights")
    pixels = np.random.default_rng(5).integers(0, 256, (1, 300, 300, 3), np.uint8)
    with torch.inference_mode():
        expected = base.layers[:23](base.input(pixels))
        found = model.low_features(as_input(pixels, model.layout))
    assert found.shape == (1, 512, 38, 38)
    inside = np.s_[:, :, :33, :33]  # the network rounds 75 cells up to 38, which the last rows and columns feel
    torch.testing.assert_close(found[inside], expected[inside], rtol=1e-3, atol=0.05)


def test_wide_layers_keep_every_fourth_output_and_every_third_place():
    inputs = torch.arange(25088.0)
    first, second = wide_layers(
        {
            "classifier.0.weight": inputs.expand(4096, -1),
            "classifier.0.bias": torch.arange(4096.0),
            "classifier.3.weight": torch.arange(4096.0).expand(4096, -1),
            "classifier.3.bias": torch.arange(4096.0),
        }
    )
    assert (first[0].shape, second[0].shape) == ((1024, 512, 3, 3), (1024, 1024, 1, 1))
    assert first[0][7, 2].tolist() == [[98 + 7 * row + column for column in (0, 3, 6)] for row in (0, 3, 6)]
    assert first[1][:3].tolist() == [0, 4, 8]
    assert second[0][5, :3, 0, 0].tolist() == [0, 4, 8]
    assert second[1][-1] == 4092


@pytest.mark.parametrize("backbone", JETSONS)
def test_training_moves_all_but_the_first_blocks(backbone: str, tmp_path: Path):
    model = built(backbone, tmp_path)
    new, moved = ({id(one) for one in part} for part in (model.new_layers(), model.moved_base()))
    frozen = {id(one) for block in model.detector.base_net[: model._frozen] for one in block.parameters()}
    assert not new & moved and not frozen & (new | moved)
    assert frozen | new | moved == {id(one) for one in model.parameters()}
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    frozen_names = {name for name, one in model.named_parameters() if id(one) in frozen}
    after = train(examples(2, seed=1), 2, lambda _: model, 1, STEP, STARTS[backbone].rates).model.state_dict()
    changed = {name for name, _ in model.named_parameters() if not torch.equal(before[name], after[name])}
    assert not changed & frozen_names
    assert any("base_net" in name for name in changed) and any("headers" in name for name in changed)


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ({"conv.weight": torch.zeros(3, 3)}, "of none of the networks"),
        (starting_weights.checkpoint("mb1-ssd-lite").state_dict(), "a checkpoint of mb1-ssd-lite, and not of mb1-ssd"),
    ],
)
def test_a_file_of_another_kind_is_refused(state: dict[str, torch.Tensor], said: str, tmp_path: Path):
    torch.save(state, tmp_path / "other.pth")
    with pytest.raises(ValueError, match=f"the weights of the reference.*{said}"):
        STARTS["ssd_mobilenet"].read(tmp_path / "other.pth")


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("ssd_mobilenet", "harness weights fetch ssd_mobilenet"),
        ("vgg16_notop_caffe", "harness weights add vgg16_notop_caffe FILE"),
    ],
)
def test_without_its_weights_the_error_names_the_command(
    name: str, command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    with pytest.raises(MachineError, match=f"'{name}' are not on this machine") as caught:
        weights_file(name)
    assert caught.value.do == command
