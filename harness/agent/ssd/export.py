"""Writes a detector as ONNX, named as jetson-inference's exporter names it."""

from __future__ import annotations

import warnings
from pathlib import Path

import torch
from torch import nn

from .detector import Detector

_OPSET = 18
INPUT, OUTPUTS = "input_0", ("scores", "boxes")  # dusty-nv/pytorch-ssd, onnx_export.py


class _Raw(nn.Module):
    """The detector without softmax and without decoding."""

    def __init__(self, detector: Detector) -> None:
        super().__init__()
        self.detector = detector

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Logits and offsets."""
        return self.detector.raw(images)


def export(detector: Detector, out: Path, *, raw: bool = False) -> None:
    """Write what `forward` gives in eval mode, or with `raw` what `raw` gives, under the same names, for any batch.

    BatchNorm is folded into the convolutions, as it is in files of jetson-inference's exporter.
    """
    write(_Raw(detector) if raw else detector, detector.network.layout.image_side, out, any_batch=True)


def write(module: nn.Module, side: int, out: Path, *, any_batch: bool = False) -> None:
    """Write a module that makes scores and boxes of images (n, 3, side, side); without `any_batch` of one alone."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter is deprecated, but torch is pinned
        torch.onnx.export(
            module.eval(),
            (torch.zeros(1, 3, side, side),),
            str(out),
            dynamo=False,
            opset_version=_OPSET,
            input_names=[INPUT],
            output_names=list(OUTPUTS),
            dynamic_axes={name: {0: "batch"} for name in (INPUT, *OUTPUTS)} if any_batch else None,
        )
