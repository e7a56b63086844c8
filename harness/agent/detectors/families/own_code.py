"""A predict.py of the student's with `predict(images)`, for a detector of any kind.

`images` is a list of arrays (height, width, 3), uint8, RGB. `predict` returns for each of them a dictionary, or a tuple
in this order: `boxes`, n rows of left, top, right, bottom as shares of the image's sides; `scores`, n numbers of 0 to
1; `labels`, n whole numbers. Files that were handed in beside it lie in its folder, which is the current one.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...models.loaded_model import Unusable
from ...phases.error_text import one_sentence
from ..detector import Description, Detections, Opening, Pixels

RUNS_CODE = True
NAME = "predict.py"
_PARTS = ("boxes", "scores", "labels")
_IN_SHARES = 4.0  # boxes whose numbers are mostly larger are in pixels


def matches(file: Path) -> bool:
    return file.name == NAME


def load(opening: Opening) -> OwnCode:
    os.chdir(opening.file.parent)
    sys.path.insert(0, str(opening.file.parent))
    spec = importlib.util.spec_from_file_location("predict", opening.file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["predict"] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:  # whatever the student's code raises
        raise Unusable(_why(error, "predict.py")) from error
    predict = getattr(module, "predict", None)
    if not callable(predict):
        raise Unusable("predict.py has no function predict(images); add one that gives boxes, scores and labels")
    description = Description(
        family="own_code",
        width=None,
        height=None,
        fit="as-it-is",
        colour="RGB",
        scale=1.0,
        mean=(0.0,) * 3,
        std=(1.0,) * 3,
        suppressed_inside=True,
        background_first=False,
        labels=None,
    )
    return OwnCode(description, predict)


def _why(error: BaseException, what: str) -> str:
    if isinstance(error, ModuleNotFoundError):
        return f"{what} imports {error.name}, and that is not here; save the model as ONNX"
    said = one_sentence(str(error), 120)
    return f"{what} stopped with {type(error).__name__}{f': {said}' if said else ''}; correct it"


@dataclass(frozen=True, slots=True)
class OwnCode:
    """The student's function."""

    description: Description
    _predict: Callable[[list[Pixels]], Any]

    def answer(self, image: Pixels) -> Detections:
        try:
            given = self._predict([image.copy()])
        except (Exception, SystemExit) as error:
            raise Unusable(_why(error, "predict(images) in predict.py")) from error
        if not isinstance(given, (list, tuple)) or len(given) != 1:
            raise Unusable("predict(images) has to give a list with one entry for each image")
        parts = given[0]
        if isinstance(parts, Mapping):
            parts = [parts.get(name) for name in _PARTS]
        if not isinstance(parts, (list, tuple)) or len(parts) != len(_PARTS):
            raise Unusable("predict(images) has to give boxes, scores and labels for each image")
        boxes, scores, labels = (_numbers(part, name) for part, name in zip(parts, _PARTS, strict=True))
        boxes = boxes.reshape(-1, 4) if boxes.size == 0 else boxes
        if boxes.ndim != 2 or boxes.shape[1] != 4 or not (scores.shape == labels.shape == (len(boxes),)):
            raise Unusable(
                f"predict(images) gave boxes, scores and labels of the shapes {boxes.shape}, {scores.shape} and "
                f"{labels.shape}; n boxes are (n, 4), (n,) and (n,)"
            )
        if boxes.size and np.median(np.abs(boxes).max(axis=1)) > _IN_SHARES:
            raise Unusable("predict(images) gave boxes in pixels; divide them by the image's width and height")
        whole = np.nan_to_num(labels, nan=-1, posinf=-1, neginf=-1).clip(-1, 2**31).astype(np.int64)
        return Detections(boxes.astype(np.float32), scores.astype(np.float32), whole)


def _numbers(part: Any, name: str) -> NDArray[Any]:
    """The part as an array; tensors, lists and arrays are taken. Raises `Unusable` for anything else."""
    if callable(getattr(part, "detach", None)):
        part = part.detach().cpu().numpy()
    try:
        return np.asarray(part, np.float64)
    except (ValueError, TypeError, OverflowError) as error:
        raise Unusable(f"predict(images) gave {name} that are no numbers") from error
