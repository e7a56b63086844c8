"""Grey images with light and dark squares on them: what a detector with a small base can learn in seconds."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image
from torch import nn

from harness.agent.models import reference_training
from harness.agent.ssd.augmentation import plain
from harness.agent.ssd.views import Example, as_input

COLOURS = ((250, 250, 240), (10, 10, 20))
SIDE = 300


def examples(count: int, seed: int) -> list[Example]:
    """Each with one or two squares of 90 to 110 pixels, in halves of the image of their own."""
    random = np.random.default_rng(seed)
    return [_example(random) for _ in range(count)]


def small_base() -> nn.Sequential:
    """A quarter of MobileNetV2's channels, not trained; BatchNorm has the statistics of such images."""
    torch.manual_seed(0)
    features: nn.Sequential = reference_training._torchvision_models().mobilenet_v2(width_mult=0.25).features
    for module in features.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 1.0
    with torch.no_grad():
        features.train()(as_input(np.stack([plain(one.image) for one in examples(8, seed=0)])))
    return features.eval()


def _example(random: np.random.Generator) -> Example:
    pixels = np.full((SIDE, SIDE, 3), random.integers(90, 160), np.uint8)
    boxes, labels = [], []
    for half in range(random.integers(1, 3)):
        side = random.integers(90, 111)
        left, top = random.integers(0, SIDE // 2 - side + 1) + half * SIDE // 2, random.integers(0, SIDE - side)
        label = random.integers(len(COLOURS))
        pixels[top : top + side, left : left + side] = COLOURS[label]
        boxes.append([left, top, left + side, top + side])
        labels.append(label + 1)
    noisy = pixels + random.normal(0, 6, pixels.shape)
    image = Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8))
    return Example(image, np.array(boxes, np.float32) / SIDE, np.array(labels, np.int64))
