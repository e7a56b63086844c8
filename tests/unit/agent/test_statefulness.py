"""Operators that can answer one call otherwise than the next are found wherever they stand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from harness.agent.graph.statefulness import named, stateful_operators
from harness.agent.models.loaded_model import Unusable

FLOAT, BOOL, INT64 = TensorProto.FLOAT, TensorProto.BOOL, TensorProto.INT64


def info(name: str, kind: int = FLOAT) -> Any:
    return helper.make_tensor_value_info(name, kind, None)


def model(*nodes: Any, opset: int = 17, values: list[Any] = [], **more: Any) -> Any:  # noqa: B006
    """From `x` to `y`."""
    image = helper.make_tensor_value_info("x", FLOAT, ["n", 3, 4, 4])
    graph = helper.make_graph(nodes, "g", [image], [info("y")], values)
    domains = [helper.make_opsetid("", opset), *more.pop("imports", [])]
    return helper.make_model(graph, opset_imports=domains, ir_version=8, **more)


def random_like(source: str, name: str) -> Any:
    return helper.make_node("RandomNormalLike", [source], [name])


@pytest.mark.parametrize(
    ("operator", "inputs", "attributes"),
    [
        ("RandomUniform", [], {"shape": [1], "seed": 1.0}),
        ("RandomNormal", [], {"shape": [1]}),
        ("RandomUniformLike", ["x"], {}),
        ("RandomNormalLike", ["x"], {}),
        ("Multinomial", ["x"], {"sample_size": 1}),
        ("Bernoulli", ["x"], {}),
    ],
)
def test_each_random_operator_is_named_seeded_or_not(
    operator: str, inputs: list[str], attributes: dict[str, Any]
) -> None:
    drawn = helper.make_node(operator, inputs, ["r"], **attributes)
    assert named(model(drawn, helper.make_node("Add", ["x", "r"], ["y"]))) == [operator]


def test_a_random_operator_inside_a_branch_is_named() -> None:
    inner = helper.make_graph([random_like("x", "a")], "then", [], [info("a")])
    other = helper.make_graph([helper.make_node("Identity", ["x"], ["b"])], "else", [], [info("b")])
    node = helper.make_node("If", ["yes"], ["y"], then_branch=inner, else_branch=other)
    assert named(model(node, values=[numpy_helper.from_array(np.array(False), "yes")])) == ["RandomNormalLike"]


@pytest.mark.parametrize("operator", ["Loop", "Scan"])
def test_a_random_operator_inside_a_loop_is_named(operator: str) -> None:
    body_in = [info("i", INT64), info("go", BOOL)] if operator == "Loop" else [info("row")]
    body_out = [info("go", BOOL), info("r")] if operator == "Loop" else [info("r")]
    body = helper.make_graph([random_like("x", "r")], "body", body_in, body_out)
    if operator == "Loop":
        values = [numpy_helper.from_array(np.array(3), "times"), numpy_helper.from_array(np.array(True), "yes")]
        node = helper.make_node("Loop", ["times", "yes"], ["y"], body=body)
    else:
        values, node = [], helper.make_node("Scan", ["x"], ["y"], body=body, num_scan_inputs=1)
    assert named(model(node, values=values)) == ["RandomNormalLike"]


def test_a_random_operator_in_a_function_of_the_models_own_is_named() -> None:
    domains = [helper.make_opsetid("", 17)]
    inner = helper.make_function("own", "inner", ["a"], ["b"], [random_like("a", "b")], domains)
    call = helper.make_node("inner", ["a"], ["b"], domain="own")
    own = helper.make_opsetid("own", 1)
    outer = helper.make_function("own", "outer", ["a"], ["b"], [call], [*domains, own])
    node = helper.make_node("outer", ["x"], ["y"], domain="own")
    assert named(model(node, functions=[inner, outer], imports=[own])) == ["RandomNormalLike"]


def test_an_operator_that_is_not_standard_may_keep_anything() -> None:
    node = helper.make_node("Count\x1b", ["x"], ["y"], domain="com.evil")
    assert named(model(node)) == ["com.evil.Count?"]


def test_what_leads_nowhere_is_not_named() -> None:
    """ONNX Runtime takes it out before the first call."""
    assert named(model(random_like("x", "nowhere"), helper.make_node("Relu", ["x"], ["y"]))) == []


def switched(**how: Any) -> Any:
    value = numpy_helper.from_array(np.array(how["training"]), "training")
    ratio = numpy_helper.from_array(np.array(0.5, np.float32), "ratio")
    if how["by"] == "node":
        nodes, values = [helper.make_node("Constant", [], ["training"], value=value)], [ratio]
    else:
        nodes, values = [], [ratio, value]
    return model(*nodes, helper.make_node("Dropout", ["x", "ratio", "training"], ["y"]), values=values)


@pytest.mark.parametrize("by", ["node", "initializer"])
@pytest.mark.parametrize("training", [True, False])
def test_a_dropout_is_named_where_it_drops(training: bool, by: str) -> None:
    assert named(switched(training=training, by=by)) == (["Dropout"] if training else [])


def test_a_dropout_whose_switch_is_computed_is_named() -> None:
    nodes = [
        helper.make_node("ReduceMax", ["x"], ["most"], keepdims=0),
        helper.make_node("Cast", ["most"], ["training"], to=BOOL),
        helper.make_node("Dropout", ["x", "", "training"], ["y"]),
    ]
    assert named(model(*nodes)) == ["Dropout"]


def test_a_dropout_exported_for_inference_is_not_named() -> None:
    assert named(model(helper.make_node("Dropout", ["x"], ["y"]), opset=13)) == []
    assert named(model(helper.make_node("Dropout", ["x"], ["y"], ratio=0.5), opset=7)) == []


@pytest.mark.parametrize("training", [0, 1])
def test_a_batch_normalisation_is_named_where_it_takes_the_batchs_own_statistics(training: int) -> None:
    values = [numpy_helper.from_array(np.ones(3, np.float32), name) for name in "abcd"]
    outputs = ["y", "mean", "variance"] if training else ["y"]
    node = helper.make_node("BatchNormalization", ["x", *"abcd"], outputs, training_mode=training)
    assert named(model(node, values=values)) == (["BatchNormalization"] if training else [])


def test_a_file_is_read_without_its_weights_and_a_damaged_one_refused(tmp_path: Path) -> None:
    big = numpy_helper.from_array(np.ones((1000, 1000), np.float32), "big")
    node = helper.make_node("Add", ["x", "big"], ["y"])
    (tmp_path / "model").write_bytes(model(node, values=[big]).SerializeToString())
    assert stateful_operators(tmp_path / "model") == []
    (tmp_path / "model").write_bytes(b"\x08\x08\xff\xff")
    with pytest.raises(Unusable):
        stateful_operators(tmp_path / "model")
