"""Ultralytics' ONNX files, with one output: YOLO v5, v8, v10 and 11; the image is put into a grey square."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ...graph.image_input import ImageInput, image_input
from ...models.loaded_model import Unusable
from ..declared import as_declared
from ..detector import Anchors, Description, Detections, Floats, Found, Opening, Pixels
from ..fitting import Fitted, fitted, model_input
from ..heads import found_in, head_of, head_of_rows, is_of
from ..onnx_detector import OnnxGraph, checks, number_of_outputs, opened

RUNS_CODE = False
_SIDE = 640  # pixels, where neither the graph nor its metadata says one
_SIDES = re.compile(r"\[(\d{2,4}), ?(\d{2,4})\]")
_MOST_LOOKED_AT = 4  # images; all, where only an image with an object can show what the outputs are
_LARGEST_SHARE = 2.0  # boxes in pixels are larger than this, boxes in shares of the image are not


def matches(file: Path) -> bool:
    return number_of_outputs(file) == 1


def load(opening: Opening) -> YoloOnnx:
    graph = opened(opening)
    given = image_input(graph.model)
    said = _SIDES.fullmatch(graph.metadata.get("imgsz", "").strip())
    height = given.height or (int(said[1]) if said else _SIDE)
    width = given.width or (int(said[2]) if said else _SIDE)
    blank = np.zeros((1, 3, height, width) if given.layout == "NCHW" else (1, height, width, 3), given.dtype)
    try:
        head, classes = head_of(graph.outputs, graph.floats(blank))
    except ValueError as error:
        raise Unusable(f"{error}; a classifier is none") from error
    names = graph.names
    description = Description(
        family="yolo_onnx",
        width=width,
        height=height,
        fit="letterbox",
        colour="RGB",
        scale=1.0 if given.dtype == "uint8" else 1 / 255,
        mean=(0.0,) * 3,
        std=(1.0,) * 3,
        suppressed_inside=head == "suppressed",
        background_first=False,
        labels=(len(names) or None) if head == "suppressed" else classes,
        names=names,
    )
    detector = YoloOnnx(as_declared(description, opening), graph, given, head)
    return detector.looked_at(checks(opening), opening.named)


@dataclass(frozen=True, slots=True)
class YoloOnnx:
    """A YOLO, whose boxes are in pixels of its input."""

    description: Description
    _graph: OnnxGraph
    _given: ImageInput
    _head: str

    def answer(self, image: Pixels) -> Found:
        placed = fitted(image, self.description)
        found = self._inside(placed)
        boxes = placed.relative(found.boxes)
        if isinstance(found, Anchors):
            return Anchors(boxes, found.scores, found.first)
        return Detections(boxes, found.scores, found.labels)

    def _inside(self, placed: Fitted) -> Found:
        """Its boxes in pixels of its input."""
        return found_in(self._head, self._outputs(placed), 0)

    def _outputs(self, placed: Fitted) -> list[Floats]:
        given = model_input(placed.pixels, self.description, self._given.layout, self._given.dtype)
        answers = self._graph.floats(given)
        try:
            if not is_of(self._head, self._graph.outputs, answers):
                raise ValueError("its output has another form for another image")
        except ValueError as error:
            raise Unusable(str(error)) from error
        return answers

    def looked_at(self, images: Sequence[Pixels], named: int) -> YoloOnnx:
        """The same, with the head that its answers to the images show; `named`: how many classes labels.txt names.

        Raises `Unusable` where no box is in pixels: another tool's output looks alike, and means something else.
        """
        head, known = self._head, self.description
        most = None if head == "yolo-objectness" and not known.names else _MOST_LOOKED_AT
        answers = [self._outputs(fitted(image, known)) for image in images[:most]]
        if head == "yolo-objectness":
            head, labels = head_of_rows([one[0][0] for one in answers], len(known.names), named)
            known = replace(known, labels=labels)
        found = [found_in(head, one, 0) for one in answers]
        largest = max((float(np.nanmax(np.abs(one.boxes), initial=0)) for one in found if len(one.boxes)), default=0)
        if 0 < largest <= _LARGEST_SHARE:
            raise Unusable(
                "its boxes are no pixels of its input, as a YOLO's are; hand in predict.py with predict(images) for it"
            )
        return replace(self, description=known, _head=head)
