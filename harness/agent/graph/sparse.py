"""Makes sparse weights dense, so that every analysis of a graph finds them where weights are."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from ..models.loaded_model import Unusable

_MOST_BYTES = 2**30  # of all of them when dense; VGG16's weights take half of it


def write_out(graphs: Iterable[Any], nodes: Iterable[Any]) -> None:
    """Turn sparse initializers of `graphs`, and sparse constants among `nodes`, into dense ones, in place.

    The model must be valid. Raises `Unusable` where they would take more than 1 GB.
    """
    found = [(graph, list(graph.sparse_initializer)) for graph in graphs if graph.sparse_initializer]
    constants = [
        attribute
        for node in nodes
        if node.op_type == "Constant"
        for attribute in node.attribute
        if attribute.name == "sparse_value"
    ]
    everything = [sparse for _, stored in found for sparse in stored] + [one.sparse_tensor for one in constants]
    size = sum(math.prod(sparse.dims) * _item_bytes(sparse) for sparse in everything)
    if size > _MOST_BYTES:
        raise Unusable(f"its sparse weights would take {size / 1e9:,.1f} GB written out; at most 1 GB is taken")
    for graph, stored in found:
        graph.initializer.extend(_dense(sparse) for sparse in stored)
        del graph.sparse_initializer[:]
    for attribute in constants:
        value = _dense(attribute.sparse_tensor)
        attribute.Clear()
        attribute.name, attribute.type = "value", attribute.TENSOR
        attribute.t.CopyFrom(value)


def _item_bytes(sparse: Any) -> int:
    import onnx

    return int(onnx.helper.tensor_dtype_to_np_dtype(sparse.values.data_type).itemsize)


def _dense(sparse: Any) -> Any:
    """The dense tensor of the same name. Indices are positions in the flat array, or a row of coordinates per value."""
    from onnx import numpy_helper

    values, places = numpy_helper.to_array(sparse.values), numpy_helper.to_array(sparse.indices)
    written = np.zeros(tuple(sparse.dims), values.dtype)
    if places.ndim == 1:
        written.reshape(-1)[places] = values
    else:
        written[tuple(places.T)] = values
    return numpy_helper.from_array(written, sparse.values.name)
