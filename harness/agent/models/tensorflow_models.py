"""What the TensorFlow formats share: wrapping a function of images as a `Native`, and exporting it to ONNX.

Only the environment `keras` has TensorFlow; in any other, a format that needs it raises `NeedsEnvironment`.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .loaded_model import Default, Native, NeedsEnvironment, Unusable

_OPSET = 18
_USUAL_SIDE = 224  # pixels, where the model leaves it free
ENVIRONMENT = "keras"


def has_tensorflow() -> bool:
    """Whether this environment has TensorFlow."""
    return importlib.util.find_spec("tensorflow") is not None


def tensorflow_ready(threads: int, why: str) -> Any:
    """The tensorflow module, without its log, with `threads` threads. Raises `NeedsEnvironment` with `why`."""
    if not has_tensorflow():
        raise NeedsEnvironment(ENVIRONMENT, why)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import tensorflow

    tensorflow.config.threading.set_intra_op_parallelism_threads(threads)
    tensorflow.config.threading.set_inter_op_parallelism_threads(1)
    return tensorflow


def native(
    call: Callable[[Any], Any], shape: Any, size: tuple[int, int] | None, default: Default, *, threads: int
) -> Native:
    """A function of a batch of images, ready to answer.

    `shape`: its input's, (batch, height, width, 3), None where free. `size`: the declared (height, width).
    Raises `Unusable` for any other shape.
    """
    tensorflow = tensorflow_ready(threads, "")
    if shape is None or isinstance(shape, list) or len(shape) != 4:
        raise Unusable(f"the model's input has the shape {shape}; a classifier takes one batch of images")
    if shape[3] != 3:
        raise Unusable(f"the model's input has the shape {tuple(shape)}; its last dimension must be the 3 colours")
    free = size or (_USUAL_SIDE, _USUAL_SIDE)
    height, width = shape[1] or free[0], shape[2] or free[1]
    spec = tensorflow.TensorSpec((shape[0], height, width, 3), tensorflow.float32, name="image")
    function = tensorflow.function(lambda image: _one_tensor(call(image)), input_signature=[spec])

    def answer(batch: NDArray[Any]) -> NDArray[Any]:
        return np.asarray(function(tensorflow.constant(batch, tensorflow.float32)).numpy())

    return Native(answer, function, "NHWC", height, width, "float32", default, shape[0] is None)


def to_onnx(native: Native, out: Path) -> None:
    """Write the function as ONNX."""
    import tf2onnx

    function = native.module
    tf2onnx.convert.from_function(
        function, input_signature=function.input_signature, opset=_OPSET, output_path=str(out)
    )


def _one_tensor(given: Any) -> Any:
    """The scores in a model's return value; the first of several outputs."""
    if isinstance(given, dict):
        given = next(iter(given.values()))
    if isinstance(given, (list, tuple)):
        given = given[0]
    return given
