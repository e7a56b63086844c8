"""The phase `detector`: describes an ONNX file that outputs scores and boxes, like SSD or YOLO.

The request is empty. Sent: `detector.json` with the model's input and its head, as `detectors/heads.py` names
it; or `refused.json`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ..detectors.heads import head_of
from ..graph.onnx_errors import stopped
from ..graph.onnx_model import read, session
from ..models.loaded_model import Unusable
from ..paths import IN
from .refusal import refusing


def run(request: dict[str, Any], send: Callable[[str, Path | bytes], None]) -> None:
    """Describe /in/model and send the description."""
    with refusing(send, Unusable):
        send("detector.json", json.dumps(_described(IN / "model")).encode())


def _described(file: Path) -> dict[str, Any]:
    model = read(file)
    running = session(file, 1)
    (given,), answers = running.get_inputs(), running.get_outputs()
    shape = [side if isinstance(side, int) else None for side in given.shape]
    if given.type != "tensor(float)" or len(shape) != 4 or shape[1] != 3 or None in shape[2:]:
        raise Unusable(f"a detector takes one float32 image of 3 x height x width; this one takes {given.shape}")
    height, width = int(given.shape[2]), int(given.shape[3])
    try:
        outputs = running.run(None, {given.name: np.zeros((1, 3, height, width), np.float32)})
    except Exception as error:  # onnxruntime's own classes, one for each of its status codes
        raise Unusable(stopped(error)) from error
    try:
        head, classes = head_of([answer.name for answer in answers], outputs)
    except ValueError as error:
        raise Unusable(str(error)) from error
    return {
        "height": height,
        "width": width,
        "dynamic_batch": shape[0] is None,
        "classes": classes,
        "head": head,
        "opset": max((entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")), default=0),
    }
