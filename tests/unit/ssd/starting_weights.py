"""Files of weights that reference detectors start from, with random numbers in them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch

from harness.agent.models import reference_training
from harness.agent.ssd.detector import Detector
from harness.agent.ssd.networks import NETWORKS

_VGG16 = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))


def write(backbone: str, file: Path) -> Path:
    """A file that the start of this name reads."""
    if backbone == "mobilenet_v2":
        torch.save(reference_training._torchvision_models().mobilenet_v2().state_dict(), file)
    elif backbone == "ssd_mobilenet":
        torch.save(checkpoint("mb1-ssd").state_dict(), file)
    else:
        _write_caffe(file)
    return file


def checkpoint(network: str) -> Detector:
    """A detector of 20 classes, as those that pytorch-ssd publishes; BatchNorms have seen something."""
    torch.manual_seed(3)
    detector = Detector(NETWORKS[network], 20)
    for module in detector.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.uniform_(-0.1, 0.1)
            module.running_var.uniform_(0.5, 2)
    return detector.eval()


def _write_caffe(file: Path) -> None:
    """VGG16's convolutions as safetensors, with Keras' names: numbers that keep the size of what passes."""
    random = np.random.default_rng(4)
    header, numbers, before, at = {}, [], 3, 0
    for block, widths in enumerate(_VGG16, 1):
        for number, after in enumerate(widths, 1):
            weight = random.standard_normal((after, before, 3, 3), np.float32) * np.sqrt(2 / 9 / before)
            for part, values in (("weight", weight), ("bias", random.standard_normal(after, np.float32))):
                content = values.astype("<f4").tobytes()
                name = f"block{block}_conv{number}.{part}"
                header[name] = {"dtype": "F32", "shape": values.shape, "data_offsets": [at, at + len(content)]}
                numbers.append(content)
                at += len(content)
            before = after
    said = json.dumps(header).encode()
    file.write_bytes(len(said).to_bytes(8, "little") + said + b"".join(numbers))
