"""Brings an ONNX file into the form that everything here takes: one file, one image in, one row of scores out.

Weights that lie in other files are put inside; a newer IR version is lowered, since only the operator set says what the
operators mean; an input of half or double precision gets a float32 input before it, one of whole numbers a uint8 input;
and of several outputs the one with the class scores is kept.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..models.loaded_model import Output, Unusable, output_for

LARGEST = 2**31 - 1  # bytes; protobuf's own limit for one file
_IR_VERSION = 10  # of the operator sets that are known here; what later ones added, engines refuse by itself
_FEWEST_OUTPUTS = 2
_DETECTOR = {"scores", "boxes"}  # the names that jetson-inference's train_ssd and onnx_export give
_SAID = 100  # characters of a location that are repeated


def needs_data(tensors: Iterator[Any]) -> bool:
    """Whether any tensor's numbers lie in another file."""
    import onnx

    return any(t.data_location == onnx.TensorProto.EXTERNAL or t.external_data for t in tensors)


def put_inside(tensors: Iterator[Any], data: Mapping[str, Path], room: int) -> None:
    """Read the numbers that lie in other files into their tensors. `data`: location as the file names it -> the file.

    `room`: bytes that may be read. Raises `Unusable` when a file is missing, too short, or they are more.
    """
    import onnx

    for tensor in tensors:
        if tensor.data_location != onnx.TensorProto.EXTERNAL and not tensor.external_data:
            continue
        said = {entry.key: entry.value for entry in tensor.external_data}
        location = said.get("location", "")
        if location not in data:
            shown = _shown(location)
            raise Unusable(
                f"its weights lie in another file (external data), {shown}, which is not here; hand in {shown} beside "
                "it, or export it as one file, in torch with external_data=False"
            )
        size = _bytes_of(tensor)
        room -= size
        if room < 0:
            raise Unusable("with its external data it is larger than 2 GB")
        tensor.raw_data = _piece(data[location], _whole(said.get("offset", "0")), size, location)
        del tensor.external_data[:]
        tensor.data_location = onnx.TensorProto.DEFAULT


def _bytes_of(tensor: Any) -> int:
    import onnx

    try:
        bits = {onnx.TensorProto.INT4: 4, onnx.TensorProto.UINT4: 4}.get(tensor.data_type)
        bits = bits or 8 * onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type).itemsize
    except (KeyError, ValueError, TypeError) as error:
        raise Unusable("its external data has a type that is not read") from error
    if tensor.data_type == onnx.TensorProto.STRING or any(side < 0 for side in tensor.dims):
        raise Unusable("its external data has a type that is not read")
    return int(-(-math.prod(tensor.dims) * bits // 8))


def _whole(text: str) -> int:
    if not text.isdecimal() or len(text) > 15:
        raise Unusable("its external data lies at a place that is no number")
    return int(text)


def _piece(file: Path, offset: int, size: int, location: str) -> bytes:
    with file.open("rb") as stream:
        stream.seek(offset)
        content = stream.read(size)
    if len(content) != size:
        shown = _shown(location)
        raise Unusable(f"{shown} is shorter than the weights that it should hold; upload it again, or export both anew")
    return content


def _shown(location: str) -> str:
    """The file's own name, for people."""
    return " ".join(location.replace("\\", "/").rpartition("/")[2].split())[:_SAID] or "without a name"


def lower_ir_version(model: Any) -> bool:
    """Give a model of a newer IR version one that engines know. Whether that changed it."""
    if model.ir_version <= _IR_VERSION:
        return False
    model.ir_version = _IR_VERSION
    return True


def check_operator_sets(model: Any) -> None:
    """Raises `Unusable` for an operator set that is newer than what is known here."""
    import onnx

    newest = onnx.defs.onnx_opset_version()
    for entry in model.opset_import:
        if entry.domain in ("", "ai.onnx") and entry.version > newest:
            raise Unusable(
                f"it is written for operator set {entry.version}, and {newest} is the newest that is known here; "
                "export it with opset_version=18"
            )


def with_plain_input(model: Any) -> bool:
    """Put a float32 or uint8 input before one of another number type. Whether that changed the model."""
    import onnx

    kinds = onnx.TensorProto
    given = {
        **dict.fromkeys((kinds.FLOAT16, kinds.DOUBLE, kinds.BFLOAT16), kinds.FLOAT),
        **dict.fromkeys((kinds.INT32, kinds.INT64, kinds.INT16, kinds.UINT16, kinds.UINT32), kinds.UINT8),
    }
    weights = {tensor.name for tensor in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in weights]
    if len(inputs) != 1 or inputs[0].type.tensor_type.elem_type not in given:
        return False
    value = inputs[0]
    kind, taken = value.type.tensor_type.elem_type, {name for node in model.graph.node for name in node.output}
    name = value.name
    while name == value.name or name in taken or name in weights:
        name += "_"
    cast = onnx.helper.make_node("Cast", [name], [value.name], to=kind)
    model.graph.node.insert(0, cast)
    value.name = name
    value.type.tensor_type.elem_type = given[kind]
    return True


def refuse_detector(model: Any) -> None:
    """Raises `Unusable` for a detector, by the names of its outputs."""
    if {output.name for output in model.graph.output} == _DETECTOR:
        raise Unusable(
            "it is a detector with scores and boxes, as jetson-inference's ssd-mobilenet.onnx; this assignment asks "
            "for a classifier, as its resnet18.onnx"
        )


def output_with_scores(model: Any, classes: int) -> Output | None:
    """Which output has the class scores, by the shapes that the graph declares; None where they do not tell."""
    import onnx

    values = list(model.graph.output)
    if len(values) < _FEWEST_OUTPUTS:
        return Output()
    shapes = [_shape(value) for value in values]
    if any(shape is None or any(side is None for side in shape[1:]) for shape in shapes):
        try:
            inferred = onnx.shape_inference.infer_shapes(model)
        except Exception:  # the checker of types, on graphs that engines run all the same
            return None
        shapes = [_shape(value) for value in inferred.graph.output]
        if any(shape is None or any(side is None for side in shape[1:]) for shape in shapes):
            return None
    return output_for([shape and (1, *shape[1:]) for shape in shapes], classes)


def _shape(value: Any) -> tuple[int | None, ...] | None:
    kind = value.type.tensor_type
    if value.type.WhichOneof("value") != "tensor_type" or not kind.HasField("shape"):
        return None
    return tuple(side.dim_value if side.dim_value > 0 else None for side in kind.shape.dim)


def keep_output(model: Any, output: Output) -> None:
    """Leave out every output but this one."""
    kept = model.graph.output[output.number - 1]
    copied = type(kept).FromString(kept.SerializeToString())
    del model.graph.output[:]
    model.graph.output.append(copied)


def only_output(file: Path, output: Output) -> None:
    """Leave this output only in an ONNX file of ours, and give it a float32 or uint8 input."""
    import onnx

    model = onnx.load_model(str(file), load_external_data=False)
    with_plain_input(model)
    keep_output(model, output)
    file.write_bytes(model.SerializeToString())
