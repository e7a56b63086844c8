"""TensorFlow Lite. A float model becomes ONNX; a quantised one runs as it is, because its ONNX form differs.

An integer input takes pixels: 0 to 255 for uint8, shifted to -128 to 127 for int8. The scale of a float input is
not known, because the converter folds a Rescaling layer into the first convolution.
"""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...graph.onnx_form import only_output
from ...phases.error_text import one_sentence
from ..class_names import names_in_extras
from ..loaded_model import Context, Native, NeedsEnvironment, Output, Unusable, output_for
from ..model_file import head
from ..tensorflow_models import ENVIRONMENT

_CUSTOM = re.compile(r"custom op(?:eration)?[:(\s]+'?(\w{1,60})")
_OPSET = 18
_INTEGERS = (np.int8, np.uint8, np.int16)


def matches(file: Path) -> bool:
    return head(file, 8)[4:] == b"TFL3"


def load(file: Path, context: Context) -> Native:
    if importlib.util.find_spec("ai_edge_litert") is None:
        raise NeedsEnvironment(ENVIRONMENT, "it is TensorFlow Lite")
    from ai_edge_litert.interpreter import Interpreter

    try:
        interpreter = Interpreter(model_path=str(file), num_threads=context.threads)
        interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        raise Unusable(why_not(str(error))) from error
    if len(interpreter.get_input_details()) != 1:
        raise Unusable(f"the model takes {len(interpreter.get_input_details())} inputs; a classifier takes one image")
    given = interpreter.get_input_details()[0]
    shape = [int(side) for side in given["shape"]]
    if len(shape) != 4 or shape[3] != 3:
        raise Unusable(f"the model's input has the shape {shape}; a classifier takes images, colours last")
    if shape[0] != 1:
        raise Unusable(f"the model takes exactly {shape[0]} images at a time; convert it again with a batch of 1")
    if given["dtype"] not in (np.float32, np.uint8, np.int8):
        raise Unusable(f"the input's type is {np.dtype(given['dtype']).name}; float32, uint8 and int8 are read")
    shapes = [tuple(int(side) for side in one["shape"]) for one in interpreter.get_output_details()]
    output = output_for(shapes, context.classes)
    ready = _Model(interpreter, given, output)
    integer = given["dtype"] != np.float32
    return Native(
        answer=ready.answer,
        module=None if ready.quantised else file,
        layout="NHWC",
        height=shape[1],
        width=shape[2],
        input_dtype="uint8" if integer else "float32",
        default="keras-raw" if integer else "keras-vgg16-caffe",
        dynamic_batch=False,
        names=names_in_extras(file, "", (".txt",)),  # TensorFlow Lite appends its associated files as a zip
        output=output,
    )


def why_not(said: str) -> str:
    """Why the interpreter does not take the file, and what to do."""
    if "Select TensorFlow op" in said or "Flex" in said:
        return (
            "it needs operators of TensorFlow (select ops); convert it with TFLITE_BUILTINS alone, or save the .keras"
        )
    if custom := _CUSTOM.search(said):
        return f"it needs the operator {custom[1]}, which is not one of TensorFlow Lite's own; save the .keras"
    if "Op builtin_code out of range" in said or "Didn't find op" in said:
        return "it was written by a newer TensorFlow Lite, with operators that are not known here; save the .keras"
    if "builtin" not in said and ("flatbuffer" in said or "Model provided" in said or "open" in said):
        return "the file is cut off or damaged; save or upload it again"
    return f"TensorFlow Lite cannot load it ({one_sentence(said)}); convert it again, or save the .keras"


class _Model:
    """An interpreter that answers one image at a time."""

    def __init__(self, interpreter: Any, given: dict[str, Any], output: Output) -> None:
        self._interpreter, self._given = interpreter, given
        self._asked = interpreter.get_output_details()[output.number - 1]
        # Integer weights with scales count as quantised too (dynamic-range quantisation). Shapes and
        # axes are 32-bit integers.
        self.quantised = any(tensor["dtype"] in _INTEGERS for tensor in interpreter.get_tensor_details())

    def answer(self, batch: NDArray[Any]) -> NDArray[Any]:
        pixels = batch.astype(np.int16) - 128 if self._given["dtype"] == np.int8 else batch
        self._interpreter.set_tensor(self._given["index"], pixels.astype(self._given["dtype"]))
        self._interpreter.invoke()
        row = self._interpreter.get_tensor(self._asked["index"])
        if self._asked["dtype"] == np.float32:
            return np.array(row)
        scale, zero = self._asked["quantization"]
        scores = (row.astype(np.float32) - zero) * np.float32(scale)
        lowest, highest = ((np.iinfo(row.dtype).min - zero) * scale, (np.iinfo(row.dtype).max - zero) * scale)
        if lowest == 0 and highest <= 1 and scores.sum() > 0:  # a softmax in steps of 1/256, whose sum is near 1
            scores /= scores.sum()
        return np.asarray(scores)


def to_onnx(native: Native, out: Path) -> None:
    if native.module is None:
        raise ValueError("a quantised model has no equivalent in ONNX")
    import tf2onnx

    tf2onnx.convert.from_tflite(str(native.module), opset=_OPSET, output_path=str(out))
    if native.output.of > 1:
        only_output(out, native.output)
