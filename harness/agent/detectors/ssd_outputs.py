"""What the two outputs of an SSD's ONNX file are: found on its answers to images, and compared with its graph.

Exports differ: the softmax and the decoding of the boxes are inside, as in jetson-inference's, or left to the caller.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..models.loaded_model import Unusable
from .detector import Boxes, Floats, Scores
from .heads import corners

_SUM = 1e-3  # how far a row of probabilities may be from a sum of 1
_NEAR = 1.0  # priors' sides by which half of the boxes at most are away from their priors, where they are decoded
_MOSTLY = 0.99  # share of the boxes
# Operators that only move numbers about.
_MOVING = {
    "Reshape", "Transpose", "Concat", "Identity", "Cast", "Squeeze", "Unsqueeze", "Flatten", "Slice", "Gather", "Split",
}  # fmt: skip
_ARITHMETIC = {"Add", "Sub", "Mul", "Div", "Exp", "Clip", "Sum", "Neg"}


@dataclass(frozen=True, slots=True)
class Meaning:
    """What the outputs hold."""

    scores: Scores
    boxes: Boxes
    graph_agrees: bool


def meaning(
    model: Any, names: tuple[str, str], answers: Sequence[tuple[Floats, Floats]], priors: Floats | None
) -> Meaning:
    """What the outputs of `model` (an `onnx.ModelProto`) hold, of which `names` are those of the scores and the boxes.

    `answers`: for some images the scores (anchors, columns) and the boxes (anchors, 4). `priors`: (anchors, 4) with
    centre and size, None where they are not known. Raises `Unusable` for boxes that are nothing known here.
    """
    made_scores, made_boxes = (_operators_before(model, name) for name in names)
    scores = _scores([one for one, _ in answers], made_scores)
    softmax_drawn = "Softmax" in made_scores
    boxes = _boxes(np.stack([one for _, one in answers]), priors)
    agrees = softmax_drawn is (scores == "softmax-inside") and ("Exp" in made_boxes) is (boxes != "offsets")
    return Meaning(scores, boxes, agrees)


def _scores(rows: Sequence[Floats], made: set[str]) -> Scores:
    """Rows that are no probabilities were left without a softmax, unless the graph has one, over another axis."""
    finite = [one for one in rows if np.isfinite(one).all()]
    if not finite:
        raise Unusable("its scores are NaN or infinite; train it with a lower learning rate")
    if all((one >= -_SUM).all() and (np.abs(one.sum(axis=1, dtype=np.float64) - 1) < _SUM).all() for one in finite):
        return "softmax-inside"
    if made & {"Softmax", "Sigmoid"} and all((one >= 0).all() and (one <= 1).all() for one in finite):
        return "as-given"
    return "softmax-outside"


def _boxes(given: Floats, priors: Floats | None) -> Boxes:
    """What boxes (images, anchors, 4) are: decoded ones lie near their priors and have no side below 0."""
    given = given[np.isfinite(given).all(axis=(1, 2))]
    if not len(given):
        raise Unusable("its boxes are NaN or infinite; train it with a lower learning rate")
    ways: tuple[tuple[Boxes, Floats], ...] = (
        ("corners", given),
        ("centre-size", np.stack([corners(one) for one in given])),
    )
    for name, found in ways:
        sides = found[..., 2:] - found[..., :2]
        if (sides >= 0).all(axis=-1).mean() >= _MOSTLY and (priors is None or _away(found, priors) < _NEAR):
            return name
    if priors is None:
        raise Unusable(
            f"its {given.shape[1]} boxes have sides below 0, so they are offsets from priors, and a network with that "
            "many priors is not known here; export it with the boxes decoded, as onnx_export.py does"
        )
    return "offsets"


def _away(found: Floats, priors: Floats) -> float:
    """How far boxes are from their priors, in sides of the priors: the median of the larger of both directions."""
    middle = (found[..., :2] + found[..., 2:]) / 2
    return float(np.median(np.abs((middle - priors[:, :2]) / priors[:, 2:]).max(axis=-1)))


def _operators_before(model: Any, name: str) -> set[str]:
    """The kinds of operators that made the output: up to the first, on each way, that is neither arithmetic nor moves.

    That first one is among them.
    """
    makers = {output: node for node in model.graph.node for output in node.output}
    found, seen, waiting = set[str](), set[str](), [name]
    while waiting:
        node = makers.get(one := waiting.pop())
        if node is None or one in seen:
            continue
        seen.add(one)
        found.add(node.op_type)
        if node.op_type in _MOVING or node.op_type in _ARITHMETIC:
            waiting += node.input
    return found
