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

from .lean_imports import lean
from .loaded_model import Context, Default, Native, NeedsEnvironment, Output, Unusable, output_for

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
    with lean():
        import tensorflow

    tensorflow.config.threading.set_intra_op_parallelism_threads(threads)
    tensorflow.config.threading.set_inter_op_parallelism_threads(1)
    return tensorflow


def native(
    call: Callable[[Any], Any],
    shape: Any,
    context: Context,
    default: Default,
    *,
    dtype: Any,
    names: tuple[str, ...] = (),
) -> Native:
    """A function of a batch of images, ready to answer.

    `shape`: its input's, (batch, height, width, 3), None where free; `dtype`: its input's type. One of whole numbers
    takes pixels. Raises `Unusable` for any other shape.
    """
    tensorflow = tensorflow_ready(context.threads, "")
    check_input(shape)
    free = context.size or (_USUAL_SIDE, _USUAL_SIDE)
    height, width = shape[1] or free[0], shape[2] or free[1]
    inner = tensorflow.as_dtype(dtype)
    taken = tensorflow.uint8 if inner.is_integer else tensorflow.float32
    spec = tensorflow.TensorSpec((shape[0], height, width, 3), taken, name="image")
    chosen: list[Output] = []

    def scores(image: Any) -> Any:
        given = call(tensorflow.cast(image, inner))
        found, output = one_of(given, context.classes)
        chosen.append(output)
        return tensorflow.cast(found, tensorflow.float32)

    function = tensorflow.function(scores, input_signature=[spec])

    def answer(batch: NDArray[Any]) -> NDArray[Any]:
        return np.asarray(function(tensorflow.constant(batch, taken)).numpy())

    function.get_concrete_function()
    return Native(
        answer=answer,
        module=function,
        layout="NHWC",
        height=height,
        width=width,
        input_dtype="uint8" if inner.is_integer else "float32",
        default="keras-raw" if inner.is_integer else default,
        dynamic_batch=shape[0] is None,
        names=names,
        output=chosen[0],
    )


def check_input(shape: Any) -> None:
    """Raises `Unusable` unless the shape (several: a list or dictionary of them) is that of a batch of images."""
    if isinstance(shape, (list, dict)):
        raise Unusable(f"the model takes {len(shape)} inputs; a classifier takes one image")
    if shape is None or len(shape) != 4:
        sides = "no" if shape is None else len(shape)
        raise Unusable(f"the model's input has {sides} dimensions; a batch of images has 4: save one that takes images")
    if shape[3] != 3:
        taken = " x ".join("any" if side is None else str(side) for side in shape[1:])
        raise Unusable(f"the model takes images of {taken}, and those here are height x width x 3 colours; train it so")


def to_onnx(native: Native, out: Path) -> None:
    """Write the function as ONNX."""
    import tf2onnx

    function = native.module
    tf2onnx.convert.from_function(
        function, input_signature=function.input_signature, opset=_OPSET, output_path=str(out)
    )


def one_of(given: Any, classes: int) -> tuple[Any, Output]:
    """The class scores in a model's return value, of TensorFlow or Keras, and which of its outputs that is."""
    if isinstance(given, dict):
        called, tensors = list(given), list(given.values())
    else:
        tensors = list(given) if isinstance(given, (list, tuple)) else [given]
        called = [""] * len(tensors)
    first = [place for place, name in enumerate(called) if name == "logits"]
    output = output_for([_shape(tensor) for tensor in tensors], classes, first)
    return tensors[output.number - 1], output


def _shape(tensor: Any) -> tuple[int | None, ...] | None:
    """The shape for one image; None where it is not known."""
    try:
        return (1, *tuple(tensor.shape)[1:])
    except (AttributeError, ValueError, TypeError):
        return None
