"""The phase `detector`: an ONNX file that gives scores and boxes, as jetson-inference's ssd-mobilenet does.

The request is empty. Sent: `detector.json` with what the model takes and gives; or `refused.json`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .native import Unusable
from .onnx_model import read, session
from .paths import IN
from .refusal import refusing

_THRESHOLD = 0.5  # of a score; jetson-inference's detectNet
_OVERLAP = 0.45  # intersection over union above which two boxes of a class are one; train_ssd's
_BACKGROUND = 0  # the first class

Floats = NDArray[np.float32]


def run(request: dict[str, Any], send: Callable[[str, Path | bytes], None]) -> None:
    """Describe /in/model and send that."""
    with refusing(send, Unusable):
        send("detector.json", json.dumps(_described(IN / "model")).encode())


def _described(file: Path) -> dict[str, Any]:
    model = read(file)
    running = session(file, 1)
    (given,), answers = running.get_inputs(), running.get_outputs()
    shape = [side if isinstance(side, int) else None for side in given.shape]
    if given.type != "tensor(float)" or len(shape) != 4 or shape[1] != 3 or None in shape[2:]:
        raise Unusable(f"a detector takes one float32 picture of 3 x height x width; this one takes {given.shape}")
    height, width = int(given.shape[2]), int(given.shape[3])
    try:
        outputs = running.run(None, {given.name: np.zeros((1, 3, height, width), np.float32)})
    except Exception as error:  # onnxruntime's own classes, one for each of its status codes
        raise Unusable(f"the ONNX model stopped: {' '.join(str(error).split())[:250]}") from error
    boxes = _boxes_output([answer.name for answer in answers], outputs)
    return {
        "height": height,
        "width": width,
        "dynamic_batch": shape[0] is None,
        "classes": outputs[1 - boxes].shape[2],
        "boxes_output": boxes,
        "opset": max((entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")), default=0),
    }


def _boxes_output(names: list[str], outputs: list[Floats]) -> int:
    """Which of the two outputs holds the boxes: by its name, else by its shape (1, boxes, 4)."""
    shapes = [output.shape for output in outputs]
    if len(outputs) != 2 or any(len(shape) != 3 for shape in shapes) or shapes[0][1] != shapes[1][1]:
        raise Unusable(f"a detector gives scores and boxes for each anchor; this one gives {shapes}")
    fours = [index for index, shape in enumerate(shapes) if shape[2] == 4]
    if not fours:
        raise Unusable(f"neither output holds boxes of 4 numbers: {shapes}")
    named = [index for index in fours if "box" in names[index].casefold()]
    return (named or fours)[-1]


def detections(scores: Floats, boxes: Floats) -> list[tuple[int, float, Floats]]:
    """(class, score, box) of what is seen in one picture, after non-maximum suppression class by class.

    `scores`: shape (anchors, classes), the first class the background. `boxes`: (anchors, 4) corners.
    """
    found = []
    for label in range(_BACKGROUND + 1, scores.shape[1]):
        likely = np.flatnonzero(scores[:, label] > _THRESHOLD)
        for index in _suppressed(boxes[likely], scores[likely, label]):
            found.append((label, float(scores[likely[index], label]), boxes[likely[index]]))
    return found


def _suppressed(boxes: Floats, scores: Floats) -> list[int]:
    """The indices that are kept, the likeliest first: none overlaps a likelier one too much."""
    kept: list[int] = []
    left = np.argsort(-scores, kind="stable")
    areas = np.prod(np.clip(boxes[:, 2:] - boxes[:, :2], 0, None), axis=1)
    while len(left):
        first, left = int(left[0]), left[1:]
        kept.append(first)
        corner, other = np.maximum(boxes[first, :2], boxes[left, :2]), np.minimum(boxes[first, 2:], boxes[left, 2:])
        shared = np.prod(np.clip(other - corner, 0, None), axis=1)
        left = left[shared <= _OVERLAP * (areas[first] + areas[left] - shared)]
    return kept
