"""Whether a graph's answers rest on given weights: shuffle them, and see whether the answers follow.

That weights are in a file proves nothing, nor that some operator reads them: it may be a branch that
leads nowhere, or one that is multiplied by next to nothing. A network whose backbone is shuffled
answers at random; one that only carries it along answers as before.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .native import Unusable, as_rows

# Change of the answers, relative to how much they differ from picture to picture. Shuffling a quarter of a
# backbone gives 0.5 to 3; what is only carried along gives 0 to 0.01.
_SMALLEST = 0.1
_PARTS = 4  # of the backbone in the order of its layers; each has to matter
_SAME = 1e-9  # spread of a probability from picture to picture that counts as none


def rests_on(
    model: Any, names: Sequence[str], input: str, batch: NDArray[Any], together: bool, threads: int
) -> bool | None:
    """Whether each quarter of the weights `names`, in the order of the layers, matters for the answers to `batch`.

    None where the answers are the same for all pictures, so that nothing can be told. Raises `Unusable`
    when the model does not run with other weights.
    """
    session, weights = _with_open_weights(model, set(names), threads)
    opened = [name for name in names if name in weights]

    def answer(given: dict[str, NDArray[Any]]) -> NDArray[np.float64]:
        batches = [batch] if together else [batch[i : i + 1] for i in range(len(batch))]
        try:
            rows = [as_rows(session.run(None, {input: part, **given})[0], len(part)) for part in batches]
        except Exception as error:  # onnxruntime's own classes, one for each of its status codes
            raise Unusable("it does not run with other weights") from error
        return np.concatenate(rows).astype(np.float64)

    original = answer(weights)
    spread = float(np.abs(original - original.mean(axis=0)).mean())
    if spread <= _SAME:
        return None
    random = np.random.default_rng(0)
    for part in np.array_split(np.array(opened, dtype=object), min(_PARTS, max(1, len(opened)))):
        shuffled = {name: random.permutation(weights[name].reshape(-1)).reshape(weights[name].shape) for name in part}
        change = np.abs(answer({**weights, **shuffled}) - original)
        if np.isfinite(change).all() and float(change.mean()) < _SMALLEST * spread:
            return False
    return True


def _with_open_weights(model: Any, names: set[str], threads: int) -> tuple[Any, dict[str, NDArray[Any]]]:
    """A session that takes the tensors `names` as inputs, and what they hold."""
    import onnx
    import onnxruntime
    from onnx import numpy_helper

    opened = onnx.ModelProto()
    opened.CopyFrom(model)
    graph = opened.graph
    weights: dict[str, NDArray[Any]] = {}
    aliases = {node.output[0]: node.input[0] for node in graph.node if node.op_type == "Identity"}
    stored = {aliases.get(name, name) for name in names} | names
    for tensor in list(graph.initializer):
        if tensor.name in stored:
            weights[tensor.name] = numpy_helper.to_array(tensor)
            graph.initializer.remove(tensor)
    for node in list(graph.node):
        if node.op_type == "Constant" and node.output[0] in stored:
            value = next(attribute.t for attribute in node.attribute if attribute.name == "value")
            weights[node.output[0]] = numpy_helper.to_array(value)
            graph.node.remove(node)
        elif node.op_type == "Identity" and node.output[0] in names and node.input[0] in weights:
            weights[node.output[0]] = weights[node.input[0]]
            graph.node.remove(node)
    known = {value.name for value in graph.input}
    for name, array in weights.items():
        if name not in known:
            kind = onnx.helper.np_dtype_to_tensor_dtype(array.dtype)
            graph.input.append(onnx.helper.make_tensor_value_info(name, kind, array.shape))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(opened.SerializeToString(), options, ["CPUExecutionProvider"])
    except Exception as error:
        raise Unusable("it does not run with its weights as inputs") from error
    taken = {value.name for value in session.get_inputs()}
    return session, {name: array for name, array in weights.items() if name in taken}
