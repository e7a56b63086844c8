"""MobileNetV2's embedding of each image: its last features, averaged over the image."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..images.preprocessing import IMAGENET_MEAN, IMAGENET_STD, Rule, model_input
from ..paths import CPUS
from .describing import opened

_BATCH = 16
_RULE = Rule(224, 224, "RGB", 1 / 255, IMAGENET_MEAN, IMAGENET_STD, "stretch")


def embedded(files: Sequence[Path], weights: Path, seconds: float) -> NDArray[np.float32] | None:
    """Embeddings, float32, shape (images, 1280); None where torch is not installed or `seconds` were too few.

    `weights`: torchvision's state dict. Every file must decode.
    """
    try:
        import torch

        from ..models.torch_models import torch_ready

        torch_ready(CPUS)
        from torchvision.models import mobilenet_v2
    except ImportError:
        return None
    model = mobilenet_v2()
    model.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
    layout = torch.channels_last  # half the time of torch's usual layout: its convolutions by channel are slow there
    features = model.features.eval().to(memory_format=layout)
    deadline = time.monotonic() + seconds
    rows = []
    for start in range(0, len(files), _BATCH):
        if time.monotonic() > deadline:
            return None
        pixels = np.stack([_pixels(file) for file in files[start : start + _BATCH]])
        given = torch.from_numpy(model_input(pixels, _RULE, "NCHW", "float32"))
        with torch.inference_mode():
            seen = features(given.contiguous(memory_format=layout))
        rows.append(seen.mean(dim=(2, 3)).numpy())
    return np.concatenate(rows).astype(np.float32)


def _pixels(file: Path) -> NDArray[np.uint8]:
    image, _, _ = opened(file, 2 * _RULE.width)
    return np.asarray(image.resize((_RULE.width, _RULE.height)), dtype=np.uint8)
