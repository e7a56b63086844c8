"""A SavedModel of TensorFlow's Object Detection API: pixels in, detections out, suppressed inside; classes from 1."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...models.class_names import names_in_extras
from ...models.formats import saved_model
from ...models.loaded_model import Unusable
from ...models.tensorflow_models import tensorflow_ready
from ..detector import Description, Detections, Opening, Pixels
from ..fitting import fitted
from ..normalised import detections

RUNS_CODE = True
_OUTPUTS = ("detection_boxes", "detection_scores", "detection_classes", "num_detections")


def matches(file: Path) -> bool:
    return saved_model.matches(file)


def load(opening: Opening) -> SavedModelDetector:
    tensorflow = tensorflow_ready(opening.threads, "it is a SavedModel")
    loaded, signature, name, spec = saved_model.opened(tensorflow, opening.file)
    missing = [one for one in _OUTPUTS if one not in signature.structured_outputs]
    if missing:
        raise Unusable(
            f"it gives no {missing[0]}; export it with the Object Detection API's exporter_main_v2.py, or hand in "
            "predict.py with predict(images)"
        )
    shape = [None] * 4 if spec.shape.rank is None else spec.shape.as_list()
    if len(shape) != 4 or shape[3] not in (3, None) or shape[0] not in (1, None):
        raise Unusable(f"its input has the shape {shape}; a detector takes one image, colours last")
    fixed = shape[1] is not None and shape[2] is not None
    description = Description(
        family="saved_model",
        width=shape[2] if fixed else None,
        height=shape[1] if fixed else None,
        fit="stretch" if fixed else "as-it-is",
        colour="RGB",
        scale=1.0,
        mean=(0.0,) * 3,
        std=(1.0,) * 3,
        suppressed_inside=True,
        background_first=True,
        labels=None,
        names=names_in_extras(opening.file, "assets/", (".txt", ".json")),
    )
    return SavedModelDetector(description, tensorflow, loaded, signature, name, spec.dtype)


@dataclass(frozen=True, slots=True)
class SavedModelDetector:
    """A signature that takes one image."""

    description: Description
    _tensorflow: Any
    _loaded: Any  # keeps the model's variables alive
    _signature: Any
    _input: str
    _dtype: Any

    def answer(self, image: Pixels) -> Detections:
        placed = fitted(image, self.description).pixels[None]
        given = self._tensorflow.cast(self._tensorflow.constant(placed), self._dtype)
        answers = self._signature(**{self._input: given})
        boxes, scores, classes, count = (answers[name].numpy() for name in _OUTPUTS)
        return detections(boxes, scores, classes, count)
