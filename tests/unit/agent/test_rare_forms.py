"""Rare forms of ONNX files: each is read as the usual form would be, or has a sentence that says why not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from harness.agent.graph import multiply_adds
from harness.agent.graph.final_layer import final_layer
from harness.agent.graph.onnx_model import Runner, live, read, signature
from harness.agent.models.loaded_model import Unusable
from harness.agent.phases import inspect, kernels

HEAD = np.array([[2, 0, -1], [0, 3, 0], [1, 0, 4]], np.float32)


def classifier(*stored: Any, after: tuple[Any, ...] = (), output: str = "scores", **more: Any) -> onnx.ModelProto:
    """The mean colour through the layer `head`, which `stored` or a node before it gives."""
    nodes = [
        *more.pop("before", ()),
        helper.make_node("ReduceMean", ["image"], ["means"], axes=[2, 3], keepdims=0),
        helper.make_node("MatMul", ["means", "head"], ["scores"]),
        *after,
    ]
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ("N", 3, 32, 32))
    answer = helper.make_tensor_value_info(output, TensorProto.FLOAT, None)
    graph = helper.make_graph(nodes, "g", [image], [answer], list(stored))
    imports = [helper.make_opsetid(domain, version) for domain, version in {"": 17, **more.pop("domains", {})}.items()]
    return helper.make_model(graph, opset_imports=imports, ir_version=8, **more)


def sparse(name: str, *, coordinates: bool = False) -> Any:
    places = np.argwhere(HEAD) if coordinates else np.flatnonzero(HEAD)
    values = numpy_helper.from_array(HEAD[HEAD != 0], name)
    return helper.make_sparse_tensor(values, numpy_helper.from_array(places.astype(np.int64)), HEAD.shape)


def with_sparse_initializer(*, coordinates: bool) -> onnx.ModelProto:
    made = classifier()
    made.graph.sparse_initializer.append(sparse("head", coordinates=coordinates))
    return made


def in_a_function(body: list[Any]) -> onnx.ModelProto:
    function = helper.make_function("own", "layer", ["x"], ["y"], body, [helper.make_opsetid("", 17)])
    call = helper.make_node("layer", ["means"], ["out"], domain="own")
    made = classifier(after=(call,), output="out", domains={"own": 1}, functions=[function])
    del made.graph.node[1]
    return made


def constant(**value: Any) -> Any:
    return helper.make_node("Constant", [], ["head"], **value)


def with_training_info() -> onnx.ModelProto:
    made = classifier(numpy_helper.from_array(HEAD, "head"))
    step = made.training_info.add()
    doubled = helper.make_node("Add", ["head", "head"], ["more"])
    step.algorithm.CopyFrom(
        helper.make_graph([doubled], "step", [], [helper.make_tensor_value_info("more", TensorProto.FLOAT, [3, 3])])
    )
    binding = step.update_binding.add()
    binding.key, binding.value = "head", "more"
    return made


DENSE = numpy_helper.from_array(HEAD, "head")
READ = {
    "plain": classifier(DENSE),
    "sparse initializer": with_sparse_initializer(coordinates=False),
    "sparse initializer by coordinates": with_sparse_initializer(coordinates=True),
    "sparse constant": classifier(before=[constant(sparse_value=sparse(""))]),
    "function": in_a_function([constant(value=DENSE), helper.make_node("MatMul", ["x", "head"], ["y"])]),
    "sparse constant in a function": in_a_function(
        [constant(sparse_value=sparse("")), helper.make_node("MatMul", ["x", "head"], ["y"])]
    ),
    "training information": with_training_info(),
}


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    for phase in (inspect, kernels):
        monkeypatch.setattr(phase, "IN", tmp_path)
    yield tmp_path / "model"


@pytest.mark.parametrize("form", READ)
def test_weights_are_found_whatever_form_they_have(form: str, file: Path) -> None:
    """Sparse ones ended the phase with a KeyError, or did not count: a model could hide its weights in them."""
    file.write_bytes(READ[form].SerializeToString())
    colours = np.random.default_rng(0).random((1, 3, 32, 32), np.float32)
    assert np.allclose(Runner(file, 1).answer(colours), colours.mean((2, 3)) @ HEAD, atol=1e-5), "it is the same model"
    found = live(read(file))
    layer = final_layer(found, multiply_adds.weights(found))
    assert multiply_adds.parameters(found) == 9 and layer is not None
    assert np.array_equal(np.sort(layer, axis=None), np.sort(HEAD, axis=None))
    assert kernels.listed(read(file), 32, 32)["parameters"] == 9


SEQUENCE = helper.make_tensor_sequence_value_info("s", TensorProto.FLOAT, None)


def ends(input: Any = None, output: Any = None, after: tuple[Any, ...] = ()) -> onnx.ModelProto:
    made = classifier(DENSE, after=after, domains={"ai.onnx.ml": 3})
    if input is not None:
        made.graph.input[0].type.CopyFrom(input)
    if output is not None:
        made.graph.output[0].CopyFrom(output)
    return made


def too_large() -> onnx.ModelProto:
    made = with_sparse_initializer(coordinates=False)
    made.graph.sparse_initializer[0].dims[:] = [10**9, 10**9]
    return made


MAPS = helper.make_sequence_type_proto(
    helper.make_map_type_proto(TensorProto.STRING, helper.make_tensor_type_proto(1, []))
)
ZIP = helper.make_node("ZipMap", ["scores"], ["s"], domain="ai.onnx.ml", classlabels_strings=["a", "b", "c"])
REFUSED = {
    "sparse weights of 10^18 numbers": (too_large(), "sparse weights would take"),
    "an output that is a sequence": (
        ends(output=SEQUENCE, after=(helper.make_node("SequenceConstruct", ["scores"], ["s"]),)),
        "output is a sequence",
    ),
    "names of classes, as sklearn exports them": (
        ends(output=helper.make_value_info("s", MAPS), after=(ZIP,)), "output is a sequence",
    ),
    "an input that is a sequence": (ends(input=SEQUENCE.type), "input is a sequence"),
    "an input that is optional": (
        ends(input=helper.make_optional_type_proto(helper.make_tensor_type_proto(1, ["N", 3, 32, 32]))),
        "input is optional",
    ),
}  # fmt: skip


@pytest.mark.parametrize("form", REFUSED)
def test_what_is_not_read_has_a_sentence(form: str, file: Path) -> None:
    made, why = REFUSED[form]
    file.write_bytes(made.SerializeToString())
    with pytest.raises(Unusable, match=why):
        signature(read(file))


def test_a_graph_that_our_own_reading_stumbles_over_has_a_reason(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever form it will be: the phase once ended, and nobody was told why."""
    file.write_bytes(READ["plain"].SerializeToString())
    sent: dict[str, bytes] = {}

    def stumbles(*_: Any) -> Any:
        raise KeyError("head")

    monkeypatch.setattr(inspect, "signature", stumbles)
    monkeypatch.setattr(kernels, "parameters", stumbles)
    for phase, request in (
        (inspect, {"native": False, "rule": {}, "detects": False}),
        (kernels, {"height": 32, "width": 32}),
    ):
        phase.run(request, lambda name, content: sent.update({name: bytes(content)}))  # type: ignore[arg-type]
        assert "a form that is not read here (KeyError: 'head')" in json.loads(sent.pop("refused.json"))["reason"]
        assert not sent
