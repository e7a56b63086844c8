"""The ONNX file of an SSD with two outputs, scores and boxes: jetson-inference's five networks, and others alike."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ...graph.image_input import ImageInput, image_input, takes_raw_pixels
from ...models.loaded_model import Unusable
from ...ssd.priors import LAYOUTS, MOBILENET, Layout, priors
from ..declared import as_declared
from ..detector import Anchors, Description, Floats, Opening, Pixels
from ..fitting import fitted, model_input
from ..heads import corners, head_of
from ..onnx_detector import OnnxGraph, checks, number_of_outputs, opened
from ..ssd_outputs import Meaning, meaning

RUNS_CODE = False
_SIDE = 300  # pixels, where the graph leaves it free; all five networks are trained with it
_MOST_LOOKED_AT = 8  # images


def matches(file: Path) -> bool:
    return number_of_outputs(file) == 2


def load(opening: Opening) -> SsdOnnx:
    graph = opened(opening)
    given = image_input(graph.model)
    width, height = given.width or _SIDE, given.height or _SIDE
    blank = np.zeros((1, 3, height, width) if given.layout == "NCHW" else (1, height, width, 3), given.dtype)
    answers = graph.floats(blank)
    try:
        head, columns = head_of(graph.outputs, answers)
    except ValueError as error:
        raise Unusable(str(error)) from error
    at = 0 if head == "scores-boxes" else 1
    if answers[0].shape == answers[1].shape and not any("box" in name.casefold() for name in graph.outputs):
        at = _scores_at(answers)
    layout = next((one for one in LAYOUTS if len(priors(one)) == answers[at].shape[1]), None)
    raw = given.dtype == "uint8" or takes_raw_pixels(graph.model, given.name)
    description = Description(
        family="ssd_onnx",
        width=width,
        height=height,
        fit="stretch",
        colour="RGB",
        **_scaling(raw, layout or MOBILENET),
        suppressed_inside=False,
        background_first=True,
        labels=columns,
        names=graph.names,
    )
    detector = SsdOnnx(as_declared(description, opening), graph, given, at, priors(layout) if layout else None)
    return detector.looked_at(checks(opening)[:_MOST_LOOKED_AT])


def _scores_at(answers: list[Floats]) -> int:
    """Which of two outputs with the same shape and no telling name has the scores: rows that sum to 1, else the first.

    With three classes and the background, both have four columns.
    """
    sums = [float(np.abs(one.sum(axis=-1) - 1).max()) for one in answers]
    return int(sums[1] < 1e-3 <= sums[0])


def _scaling(raw: bool, layout: Layout) -> dict[str, Any]:
    """The pre-processing with which networks of this layout are trained; none where the graph does it."""
    if raw:
        return {"scale": 1.0, "mean": (0.0,) * 3, "std": (1.0,) * 3}
    return {"scale": 1.0, "mean": layout.mean, "std": (layout.std,) * 3}


@dataclass(frozen=True, slots=True)
class SsdOnnx:
    """An SSD, which gives a box and scores for each of its priors."""

    description: Description
    _graph: OnnxGraph
    _given: ImageInput
    _scores_at: int
    _priors: Floats | None

    def answer(self, image: Pixels) -> Anchors:
        scores, boxes = self._outputs(image)
        if self.description.scores == "softmax-outside":
            scores = _softmax(scores)
        if self.description.boxes == "centre-size":
            boxes = corners(boxes)
        elif self.description.boxes == "offsets":
            assert self._priors is not None  # `meaning` knows them, or raises
            boxes = _decoded(boxes, self._priors)
        return Anchors(boxes, scores[:, 1:], first=1)

    def looked_at(self, images: Any) -> SsdOnnx:
        """The same, with what its answers to the images say about its outputs. Raises `Unusable`."""
        answers = [self._outputs(image) for image in images]
        at = self._scores_at
        names = self._graph.outputs[at], self._graph.outputs[1 - at]
        found: Meaning = meaning(self._graph.model, names, answers, self._priors)
        described = replace(self.description, scores=found.scores, boxes=found.boxes, graph_agrees=found.graph_agrees)
        return replace(self, description=described)

    def _outputs(self, image: Pixels) -> tuple[Floats, Floats]:
        """Scores (anchors, columns) and boxes (anchors, 4), as they are."""
        placed = fitted(image, self.description).pixels
        answers = self._graph.floats(model_input(placed, self.description, self._given.layout, self._given.dtype))
        scores, boxes = answers[self._scores_at][0], answers[1 - self._scores_at][0]
        if len(scores) != len(boxes) or boxes.shape[1:] != (4,) or scores.shape[1:] != (self.description.labels,):
            raise Unusable("its outputs have another shape for another image")
        return scores, boxes


def _softmax(rows: Floats) -> Floats:
    with np.errstate(invalid="ignore", over="ignore"):
        raised = np.exp(rows - rows.max(axis=1, keepdims=True))
        found: Floats = raised / raised.sum(axis=1, keepdims=True)
    return found


def _decoded(offsets: Floats, priors: Floats) -> Floats:
    import torch

    from ...ssd.codec import decoded

    found: Floats = decoded(torch.from_numpy(offsets), torch.from_numpy(priors.copy())).numpy()
    return found
