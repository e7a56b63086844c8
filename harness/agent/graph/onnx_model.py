"""ONNX files: which are accepted, the graph's inputs and outputs, and running it with ONNX Runtime."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..images.preprocessing import Layout
from ..models.loaded_model import Unusable
from .image_input import check_tensor, image_input, only_input
from .onnx_errors import invalid, refused, stopped
from .onnx_form import LARGEST, check_operator_sets, lower_ir_version, needs_data, put_inside, refuse_detector
from .onnx_running import session_options
from .sparse import write_out

STANDARD_DOMAINS = ("", "ai.onnx", "ai.onnx.ml")
# Domains whose operators engines implement: they run their own, not a model's function of that name.
_ENGINES_DOMAINS = ("", "ai.onnx", "com.microsoft", "com.ms", "org.pytorch")
_MOST_NODES = 100_000  # with the model's functions inlined; the largest networks have some thousands
_DEEPEST_CALLS = 32  # of functions that call functions


@dataclass(frozen=True, slots=True)
class Signature:
    """The graph's input and output. `height` and `width` are None where they are free."""

    input: str
    output: str
    layout: Layout
    height: int | None
    width: int | None
    dtype: Literal["float32", "uint8"]
    dynamic_batch: bool
    opset: int


def read(file: Path) -> Any:
    """The file as an `onnx.ModelProto` that is safe to run: valid, in one file, with standard operators only.

    Sparse weights are made dense, and a newer IR version is lowered. Raises `Unusable` for any other file.
    """
    return read_with_data(file, {})[0]


def read_with_data(file: Path, data: Mapping[str, Path]) -> tuple[Any, bool]:
    """The same, and whether engines cannot take the file as it is: its weights lay elsewhere, or its version is new.

    `data`: the files with its external data, by the locations that it names; they are put inside.
    """
    import onnx

    if file.stat().st_size > LARGEST:
        raise Unusable("the file is larger than 2 GB")
    try:
        model = onnx.load_model(str(file), load_external_data=False)
    except Exception as error:  # protobuf's DecodeError, which has no types
        raise Unusable("the ONNX file is cut off or damaged; export or upload it again") from error
    changed = needs_data(_tensors(model))
    if changed:
        put_inside(_tensors(model), data, LARGEST - file.stat().st_size)
    changed |= lower_ir_version(model)
    check_operator_sets(model)
    for function in model.functions:
        if _is_an_engines(function.domain):
            raise Unusable(
                f"it has a function of its own that is called as an operator is, {function.domain}.{function.name}; "
                "export it without functions"
            )
    own = {(function.domain, function.name) for function in model.functions}
    for node in every_node(model):
        if node.domain not in STANDARD_DOMAINS and (node.domain, node.op_type) not in own:
            raise Unusable(
                f"it uses the operator {node.domain}.{node.op_type}, which is not standard ONNX; export it "
                "with standard operators only"
            )
        if node.op_type == "Constant" and len(node.attribute) != 1:
            raise Unusable("one of its constants has several values")  # engines may read another than we do
    if _expanded(model) > _MOST_NODES:
        raise Unusable(f"its graph has over {_MOST_NODES} operators")
    # The checker requires shapes of inputs and outputs, which engines do not need.
    ends = [value.type.tensor_type for value in (*model.graph.input, *model.graph.output)]
    shapeless = [end for end in ends if end.elem_type and not end.HasField("shape")]
    for end in shapeless:
        end.shape.SetInParent()
    try:
        onnx.checker.check_model(model)
    except onnx.checker.ValidationError as error:
        raise Unusable(invalid(error)) from error
    for end in shapeless:
        end.ClearField("shape")
    write_out(_every_graph(model), every_node(model))
    if model.functions:
        import onnx.inliner

        for node in every_node(onnx.inliner.inline_local_functions(model)):
            if node.domain not in STANDARD_DOMAINS:  # its contents could not be analysed
                raise Unusable(
                    f"its function {node.domain}.{node.op_type} is written for another operator set than its graph; "
                    "export it without functions"
                )
    return model, changed


def whole(file: Path, data: Mapping[str, Path]) -> bytes | None:
    """An ONNX file with its external data inside; None for one that has none. Raises `Unusable`."""
    import onnx

    model = onnx.load_model(str(file), load_external_data=False)
    if not needs_data(_tensors(model)):
        return None
    put_inside(_tensors(model), data, LARGEST - file.stat().st_size)
    return bytes(model.SerializeToString())


def _every_graph(model: Any) -> Iterator[Any]:
    """The main graph, and all subgraphs of its nodes and of the model's functions."""
    yield from graphs(model.graph)
    yield from (graph for function in model.functions for node in function.node for graph in _inside(node, 0))


def _is_an_engines(domain: str) -> bool:
    return any(domain == own or (own and domain.startswith(f"{own}.")) for own in _ENGINES_DOMAINS)


def graphs(graph: Any, depth: int = 0) -> Iterator[Any]:
    """The graph and the subgraphs of its nodes (If, Loop). Raises `Unusable` when they are nested too deeply."""
    if depth > 32:
        raise Unusable("its graphs are nested deeper than 32 levels")
    yield graph
    for node in graph.node:
        yield from _inside(node, depth)


def _inside(node: Any, depth: int) -> Iterator[Any]:
    for attribute in node.attribute:
        if attribute.HasField("g"):
            yield from graphs(attribute.g, depth + 1)
        for inner in attribute.graphs:
            yield from graphs(inner, depth + 1)


def every_node(model: Any) -> Iterator[Any]:
    """All nodes: of the graph, of graphs inside it, and of the model's own functions."""
    for graph in graphs(model.graph):
        yield from graph.node
    for function in model.functions:
        for node in function.node:
            yield node
            for graph in _inside(node, 0):
                yield from graph.node


def _expanded(model: Any) -> int:
    """How many nodes there are once the model's functions are inlined, as engines do.

    Raises `Unusable` for functions that call themselves, or one another too deeply.
    """
    bodies = {(function.domain, function.name): function.node for function in model.functions}
    sizes: dict[tuple[str, str], int] = {}

    def size(nodes: Any, depth: int) -> int:
        if depth > _DEEPEST_CALLS:
            raise Unusable(f"its functions call one another over {_DEEPEST_CALLS} deep, or themselves")
        total = 0
        for node in nodes:
            called = (node.domain, node.op_type)
            if called in bodies and called not in sizes:
                sizes[called] = size(bodies[called], depth + 1)
            total += sizes.get(called, 1)
            total += sum(size(a.g.node, depth) for a in node.attribute if a.HasField("g"))  # If, Loop, Scan
            if total > _MOST_NODES:
                break
        return total

    return size(model.graph.node, 0)


def live(model: Any) -> Any:
    """The model with its functions inlined, without nodes that no output depends on."""
    import onnx.inliner

    kept = onnx.ModelProto()
    kept.CopyFrom(onnx.inliner.inline_local_functions(model) if model.functions else model)
    wanted = {value.name for value in kept.graph.output}
    nodes = []
    for node in reversed(kept.graph.node):  # nodes are in execution order
        if wanted.intersection(node.output):
            nodes.append(node)
            wanted.update(name for inner in [node, *nodes_inside(node)] for name in inner.input)
    chosen = [onnx.NodeProto.FromString(node.SerializeToString()) for node in reversed(nodes)]
    del kept.graph.node[:]
    kept.graph.node.extend(chosen)
    return kept


def nodes_inside(node: Any) -> Iterator[Any]:
    """The nodes of the graphs inside a node (If, Loop)."""
    for graph in _inside(node, 0):
        yield from graph.node


def _tensors(model: Any) -> Iterator[Any]:
    """All tensors: of the graph, of graphs inside it, and in attributes, also in the model's own functions."""
    for inner in _every_graph(model):
        yield from _stored(inner)
    for node in every_node(model):
        for attribute in node.attribute:
            if attribute.HasField("t"):
                yield attribute.t
            yield from attribute.tensors
            for sparse in (attribute.sparse_tensor, *attribute.sparse_tensors):
                yield sparse.values
                yield sparse.indices
    for function in model.functions:
        for attribute in function.attribute_proto:  # default values of the function's attributes
            if attribute.HasField("t"):
                yield attribute.t
            yield from attribute.tensors


def _stored(graph: Any) -> Iterator[Any]:
    yield from graph.initializer
    for sparse in graph.sparse_initializer:
        yield sparse.values
        yield sparse.indices


def signature(model: Any) -> Signature:
    """The model's input and output. Raises `Unusable` unless they are an image and class scores."""
    only_input(model)
    refuse_detector(model)
    if len(model.graph.output) != 1:
        raise Unusable(f"the model gives {len(model.graph.output)} outputs; export only the class scores")
    check_tensor("output", model.graph.output[0])
    given = image_input(model)
    opset = max((entry.version for entry in model.opset_import if entry.domain in STANDARD_DOMAINS[:2]), default=0)
    return Signature(
        given.name,
        model.graph.output[0].name,
        given.layout,
        given.height,
        given.width,
        given.dtype,
        given.dynamic_batch,
        opset,
    )


def session(file: Path, threads: int, profile: Path | None = None) -> Any:
    """An ONNX Runtime session on the CPU. Raises `Unusable` when it cannot be made.

    `profile`: the beginning of the path to which it writes when each operator began and ended; None for no profile.
    """
    import onnxruntime

    options = session_options(threads)
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if profile is not None:
        options.enable_profiling, options.profile_file_prefix = True, str(profile)
    try:
        return onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's own classes, one for each of its status codes
        raise Unusable(refused(error)) from error


class Runner:
    """Runs an ONNX file on batches."""

    def __init__(self, file: Path, threads: int) -> None:
        """Raises `Unusable` when ONNX Runtime refuses the file."""
        self._session = session(file, threads)
        self._input: str = self._session.get_inputs()[0].name
        self._output: str = self._session.get_outputs()[0].name

    def answer(self, batch: NDArray[Any]) -> NDArray[Any]:
        """The model's output for a batch. Raises `Unusable` when it fails."""
        try:
            (given,) = self._session.run([self._output], {self._input: batch})
        except Exception as error:
            raise Unusable(stopped(error)) from error
        return np.asarray(given)

    def every_answer(self, batch: NDArray[Any]) -> list[Any]:
        """All outputs for a batch, arrays or not. Raises `Unusable` when it fails."""
        try:
            return list(self._session.run(None, {self._input: batch}))
        except Exception as error:
            raise Unusable(stopped(error)) from error
