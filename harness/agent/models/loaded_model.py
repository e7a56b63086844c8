"""The type that every model format returns: a model as handed in, ready to answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..images.preprocessing import Layout

Answers = NDArray[np.float32]  # shape (images, classes)
Default = Literal["torchvision-imagenet", "keras-vgg16-caffe", "keras-raw", "jetson-inference"]


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


def as_rows(answer: NDArray[Any], images: int) -> Answers:
    """The answer as float32, shape (images, classes).

    Raises `Unusable` unless it is one row of numbers for each image.
    """
    array = np.asarray(answer)
    if array.dtype.kind not in "fiu":
        raise Unusable(f"the model's output is {array.dtype}, not numbers for each class")
    if array.ndim > 2 and array.size == array.shape[0] * array.shape[1]:
        array = array.reshape(array.shape[:2])  # (images, classes, 1, 1)
    if array.ndim == 1 and images == 1:
        array = array[np.newaxis]
    if array.ndim != 2 or array.shape[0] != images or array.shape[1] == 0:
        raise Unusable(
            f"the output for {images} images has the shape {array.shape}; a classifier gives one row of "
            "class scores for each image"
        )
    return array.astype(np.float32)


def answers(model: Native, batch: NDArray[Any], *, together: bool) -> Answers:
    """The model's rows for a batch, as one batch or image by image."""
    if together:
        return as_rows(model.answer(batch), len(batch))
    return np.concatenate([as_rows(model.answer(batch[i : i + 1]), 1) for i in range(len(batch))])


def is_probabilities(rows: Answers, tolerance: float = 1e-3) -> bool:
    """Whether each row is non-negative and sums to 1."""
    return bool((rows >= -1e-6).all() and (np.abs(rows.sum(axis=1) - 1) <= tolerance).all())


def probabilities(rows: Answers, kind: str) -> Answers:
    """The rows as they are, or, for `logits`, put through a softmax."""
    if kind == "probabilities":
        return rows
    shifted = np.exp(rows.astype(np.float64) - rows.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True), dtype=np.float32)
