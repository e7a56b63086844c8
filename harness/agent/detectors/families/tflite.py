"""TensorFlow Lite with the operator TFLite_Detection_PostProcess at its end, which suppresses; classes from 0."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...models.class_names import names_in_extras
from ...models.formats import tflite
from ...models.loaded_model import NeedsEnvironment, Unusable
from ...models.tensorflow_models import ENVIRONMENT
from ..declared import as_declared
from ..detector import Description, Detections, Opening, Pixels
from ..fitting import fitted, model_input
from ..normalised import detections

RUNS_CODE = True
_OPERATOR = "TFLite_Detection_PostProcess"


def matches(file: Path) -> bool:
    return tflite.matches(file)


def load(opening: Opening) -> TfliteDetector:
    if importlib.util.find_spec("ai_edge_litert") is None:
        raise NeedsEnvironment(ENVIRONMENT, "it is TensorFlow Lite")
    from ai_edge_litert.interpreter import Interpreter

    try:
        interpreter = Interpreter(model_path=str(opening.file), num_threads=opening.threads)
        interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        raise Unusable(tflite.why_not(str(error))) from error
    given = interpreter.get_input_details()
    shape = [int(side) for side in given[0]["shape"]]
    if len(given) != 1 or len(shape) != 4 or shape[0] != 1 or shape[3] != 3:
        raise Unusable(f"its input has the shape {shape}; a detector takes one image, colours last")
    if given[0]["dtype"] not in (np.float32, np.uint8, np.int8):
        raise Unusable(f"the input's type is {np.dtype(given[0]['dtype']).name}; float32, uint8 and int8 are read")
    integer = given[0]["dtype"] != np.float32
    description = Description(
        family="tflite",
        width=shape[2],
        height=shape[1],
        fit="stretch",
        colour="RGB",
        scale=1.0 if integer else 1 / 127.5,  # -1 to 1: TensorFlow's object_detection, SSD's feature extractors
        mean=(0.0,) * 3 if integer else (1.0,) * 3,
        std=(1.0,) * 3,
        suppressed_inside=True,
        background_first=False,
        labels=None,
        names=names_in_extras(opening.file, "", (".txt",)),
    )
    return TfliteDetector(as_declared(description, opening), interpreter, _outputs(interpreter))


def _outputs(interpreter: Any) -> tuple[int, ...]:
    """The tensors with boxes, classes, scores and count: the operator's own order, which the outputs' need not be."""
    operators = [one for one in interpreter._get_ops_details() if one["op_name"] == _OPERATOR]
    if len(operators) != 1 or len(operators[0]["outputs"]) != 4:
        raise Unusable(
            f"it does not end with the operator {_OPERATOR}; export it with its post-processing, or hand in predict.py "
            "with predict(images)"
        )
    return tuple(int(index) for index in operators[0]["outputs"])


@dataclass(frozen=True, slots=True)
class TfliteDetector:
    """An interpreter that answers one image at a time."""

    description: Description
    _interpreter: Any
    _outputs: tuple[int, ...]

    def answer(self, image: Pixels) -> Detections:
        given = self._interpreter.get_input_details()[0]
        dtype = "float32" if given["dtype"] == np.float32 else "uint8"
        values = model_input(fitted(image, self.description).pixels, self.description, "NHWC", dtype)
        if given["dtype"] == np.int8:
            values = (values.astype(np.int16) - 128).astype(np.int8)
        self._interpreter.set_tensor(given["index"], values)
        self._interpreter.invoke()
        boxes, classes, scores, count = (self._interpreter.get_tensor(index).copy() for index in self._outputs)
        return detections(boxes, scores, classes, count)
