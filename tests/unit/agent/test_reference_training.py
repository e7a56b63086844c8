"""The packaged reference: its backbones, and that a ResNet is cut before its pooling."""

from pathlib import Path

import numpy as np
import torch

from harness.agent.models import reference_training
from harness.inputs.assignment.sections import BACKBONES


def test_the_assignment_knows_its_backbones():
    assert sorted(reference_training.BACKBONES) == sorted(BACKBONES)


def test_a_resnet_gives_features_of_its_last_layer(tmp_path: Path):
    models = reference_training._torchvision_models()
    torch.save(models.resnet18().state_dict(), tmp_path / "resnet18.pth")
    base = reference_training.BACKBONES["resnet18"](tmp_path / "resnet18.pth")
    base.layers.eval()
    pixels = np.zeros((1, 64, 64, 3), np.uint8)
    assert reference_training.extract_features(base, pixels).shape == (1, 512)
