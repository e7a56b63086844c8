"""The type that every model format returns: a model as handed in, ready to answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..images.preprocessing import Layout

Answers = NDArray[np.float32]  # shape (images, classes)
Default = Literal["torchvision-imagenet", "keras-vgg16-caffe", "keras-raw", "jetson-inference"]
# What a model's rows are. `one-logit`: one unit for two classes, a logit of the second.
Kind = Literal["probabilities", "logits", "one-logit"]


class Unusable(Exception):
    """The submission's model cannot be used. The message is for the student: why, and what to do."""


class NeedsEnvironment(Exception):
    """The model can be read only in an environment with other software."""

    def __init__(self, environment: str, why: str) -> None:
        super().__init__(why)
        self.environment, self.why = environment, why


@dataclass(frozen=True, slots=True)
class Context:
    """What a format may need besides the file."""

    classes: int  # the number of labels, for build_model(num_classes)
    size: tuple[int, int] | None  # (height, width) as declared
    factory: Path | None  # model.py
    threads: int
    data: Mapping[str, Path] = field(default_factory=dict)  # an ONNX file's external data, by the location it names


@dataclass(frozen=True, slots=True)
class Output:
    """Which of a model's outputs is taken for the class scores."""

    number: int = 1  # from 1
    of: int = 1


@dataclass(frozen=True, slots=True)
class Native:
    """A loaded model. `answer` takes a batch in the model's own layout and input type."""

    answer: Callable[[NDArray[Any]], NDArray[Any]]
    module: Any  # the object that the format's `to_onnx` exports
    layout: Layout
    height: int
    width: int
    input_dtype: Literal["float32", "uint8"]
    default: Default  # the pre-processing to assume when none is declared
    dynamic_batch: bool  # False: one image at a time
    names: tuple[str, ...] = ()  # of the classes, in the order of the outputs, where the file holds them
    output: Output = Output()
    passed_over: tuple[str, ...] = ()  # settings of layers that are not known here and were empty


def as_rows(answer: NDArray[Any], images: int) -> Answers:
    """The answer as float32, shape (images, classes). One unit `z` becomes the two columns 1 - z and z.

    A model with one unit tells two classes apart: a sigmoid's z is the probability of the second, and a logit stays in
    its column for `probabilities` to read. Raises `Unusable` unless it is one row of numbers for each image.
    """
    rows = units(answer, images)
    return np.concatenate([1 - rows, rows], axis=1) if rows.shape[1] == 1 else rows


def units(answer: NDArray[Any], images: int) -> Answers:
    """The answer as float32, shape (images, units), as the model gives it. Raises `Unusable` as `as_rows`."""
    array = np.asarray(answer)
    if array.dtype.kind not in "fiu":
        raise Unusable(f"the model's output is {array.dtype}, not numbers for each class")
    if array.ndim > 2 and array.size == array.shape[0] * array.shape[1]:
        array = array.reshape(array.shape[:2])  # (images, classes, 1, 1)
    if array.ndim <= 1 and images == 1:
        array = array.reshape(1, -1)
    elif array.shape == (images,):  # one unit for each image, squeezed
        array = array[:, np.newaxis]
    if array.ndim != 2 or array.shape[0] != images or array.shape[1] == 0:
        raise Unusable(
            f"the output for {images} images has the shape {array.shape}; a classifier gives one row of "
            "class scores for each image"
        )
    return array.astype(np.float32)


def output_for(shapes: Sequence[Sequence[int | None] | None], classes: int, preferred: Sequence[int] = ()) -> Output:
    """Which of a model's outputs has the class scores: the first with one score for each of `classes`.

    `shapes`: of each output for one image; None where a side or the whole is not known. For two classes one unit will
    do. `preferred`: the places of outputs that are looked at first. Where none fits, it is the first.
    """
    order = [*preferred, *(place for place in range(len(shapes)) if place not in preferred)]
    widths = {place: _width(shapes[place]) for place in order}
    for wanted in (classes, 1 if classes == 2 else classes):
        for place in order:
            if classes and widths[place] == wanted:
                return Output(place + 1, len(shapes))
    return Output(order[0] + 1 if order else 1, len(shapes))


def _width(shape: Sequence[int | None] | None) -> int | None:
    """How many scores an output of this shape has for an image; None where it is no row of scores."""
    if shape is None or any(side != 1 for side in shape[2:]):
        return None
    return shape[-1] if len(shape) == 1 else shape[1] if len(shape) > 1 else 1


def answers(model: Native, batch: NDArray[Any], *, together: bool) -> Answers:
    """The model's rows for a batch, as one batch or image by image."""
    if together:
        return as_rows(model.answer(batch), len(batch))
    return np.concatenate([as_rows(model.answer(batch[i : i + 1]), 1) for i in range(len(batch))])


def is_probabilities(rows: Answers, tolerance: float = 1e-3) -> bool:
    """Whether each row is non-negative and sums to 1."""
    return bool((rows >= -1e-6).all() and (np.abs(rows.sum(axis=1) - 1) <= tolerance).all())


def probabilities(rows: Answers, kind: str) -> Answers:
    """The rows as they are, or, for `logits` and `one-logit`, put through a softmax."""
    if kind == "probabilities":
        return rows
    if kind == "one-logit":  # sigmoid(z), which is a softmax over 0 and z
        rows = np.concatenate([np.zeros_like(rows[:, 1:]), rows[:, 1:]], axis=1)
    shifted = np.exp(rows.astype(np.float64) - rows.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True), dtype=np.float32)
