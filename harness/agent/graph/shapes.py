"""The shapes of a graph's tensors for one image: inferred, or else observed in a run."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from .onnx_running import session_options

Shape = tuple[int, ...]

_SMALL = 4096  # elements of a constant that shape arithmetic may read; larger ones are weights


def tensor_shapes(
    model: Any, wanted: Iterable[str], name: str, shape: Shape, dtype: str
) -> tuple[dict[str, Shape], set[str]]:
    """Name -> shape of the tensors in `wanted` and of all initializers; and which of `wanted` hold integers.

    `name`, `shape` and `dtype` are the input's. A tensor whose shape is not found is left out. Raises
    onnxruntime's own errors when the model has to be run and fails.
    """
    known: dict[str, Shape] = {t.name: tuple(t.dims) for t in model.graph.initializer}
    known[name] = shape
    produced = {tensor for node in model.graph.node for tensor in node.output}
    missing = [tensor for tensor in dict.fromkeys(wanted) if tensor in produced]
    inferred, whole = _inferred(model, name, shape)
    if all(tensor in inferred for tensor in missing):
        known.update((tensor, inferred[tensor]) for tensor in missing)
        return known, whole.intersection(missing)
    seen, whole = _seen(model, missing, name, shape, dtype)
    return known | seen, whole


def _inferred(model: Any, name: str, shape: Shape) -> tuple[dict[str, Shape], set[str]]:
    """Shapes by ONNX's own inference. Shapes that the file declares are not trusted."""
    import onnx

    bare = onnx.ModelProto(ir_version=model.ir_version, opset_import=model.opset_import)
    bare.graph.name = "shapes"
    bare.graph.node.extend(model.graph.node)
    for tensor in model.graph.initializer:  # weights without their numbers: hundreds of megabytes less to copy
        if np.prod(tensor.dims, dtype=np.float64) <= _SMALL:
            bare.graph.initializer.append(tensor)
        else:
            bare.graph.input.append(onnx.helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims))
    for value in model.graph.input:
        if value.name == name:
            kind = value.type.tensor_type.elem_type
            bare.graph.input.append(onnx.helper.make_tensor_value_info(name, kind, shape))
    bare.graph.output.extend(onnx.ValueInfoProto(name=value.name) for value in model.graph.output)
    try:
        done = onnx.shape_inference.infer_shapes(bare, strict_mode=True, data_prop=True)
    except Exception:  # it has no exception types of its own; the run below reports what is wrong with the model
        return {}, set()
    shapes, whole = {}, set()
    for value in (*done.graph.value_info, *done.graph.output):
        kind = value.type.tensor_type
        if not kind.HasField("shape") or any(not dimension.HasField("dim_value") for dimension in kind.shape.dim):
            continue
        shapes[value.name] = tuple(dimension.dim_value for dimension in kind.shape.dim)
        if kind.elem_type and np.dtype(onnx.helper.tensor_dtype_to_np_dtype(kind.elem_type)).kind in "iub":
            whole.add(value.name)
    return shapes, whole


def _seen(model: Any, wanted: list[str], name: str, shape: Shape, dtype: str) -> tuple[dict[str, Shape], set[str]]:
    """Shapes observed in a run on a black image."""
    import onnx
    import onnxruntime

    probe = onnx.ModelProto()
    probe.CopyFrom(model)
    del probe.graph.output[:]
    probe.graph.output.extend(onnx.ValueInfoProto(name=tensor) for tensor in wanted)
    options = session_options(1)
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.add_session_config_entry("session.load_model_format", "ONNX")  # as in `onnx_running.py`
    session = onnxruntime.InferenceSession(probe.SerializeToString(), options, ["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    given = session.run(names, {name: np.zeros(shape, dtype)}) if names else []
    arrays = {tensor: array for tensor, array in zip(names, given, strict=True) if isinstance(array, np.ndarray)}
    whole = {tensor for tensor, array in arrays.items() if array.dtype.kind in "iub"}
    return {tensor: tuple(array.shape) for tensor, array in arrays.items()}, whole
