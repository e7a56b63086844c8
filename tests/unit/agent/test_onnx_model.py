"""ONNX files that are not a classifier of images, or not safe to run: each gets its own reason."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from harness.agent.graph.image_input import scales_its_input, takes_raw_pixels
from harness.agent.graph.onnx_model import Runner, read, signature
from harness.agent.models.loaded_model import Unusable, as_rows

IMAGE = ("N", 3, 32, 32)


def model(
    nodes: Sequence[Any] | None = None,
    *,
    shape: Sequence[Any] = IMAGE,
    kind: int = TensorProto.FLOAT,
    out: int = TensorProto.FLOAT,
    opset: int = 17,
    domains: Sequence[str] = (),
    inputs: int = 1,
    outputs: int = 1,
) -> onnx.ModelProto:
    """A graph from `image` to `answer`; by default the mean of each colour."""
    if nodes is None:
        nodes = [helper.make_node("ReduceMean", ["image"], ["answer"], axes=[2, 3], keepdims=0)]
    names = ["image", "other"][:inputs]
    graph = helper.make_graph(
        list(nodes),
        "g",
        [helper.make_tensor_value_info(name, kind, shape) for name in names],
        [helper.make_tensor_value_info(name, out, None) for name in ["answer", "second"][:outputs]],
    )
    imports = [helper.make_opsetid("", opset), *(helper.make_opsetid(d, 1) for d in domains)]
    return helper.make_model(graph, opset_imports=imports, ir_version=8)


def taken(proto: onnx.ModelProto, folder: Path) -> Any:
    file = folder / "model.onnx"
    file.write_bytes(proto.SerializeToString())
    return signature(read(file))


@pytest.mark.parametrize(
    ("shape", "layout", "size", "dynamic"),
    [
        (("N", 3, 32, 48), "NCHW", (32, 48), True),
        ((1, 3, 32, 48), "NCHW", (32, 48), False),
        (("N", 32, 48, 3), "NHWC", (32, 48), True),
        (("N", None, None, 3), "NHWC", (None, None), True),
        (("N", 3, "h", "w"), "NCHW", (None, None), True),
        ((None, None, None, None), "NCHW", (None, None), True),
    ],
)
def test_the_layout_is_read_from_the_shape(
    shape: tuple[Any, ...], layout: str, size: tuple[int | None, int | None], dynamic: bool, tmp_path: Path
) -> None:
    found = taken(model(shape=shape), tmp_path)
    assert (found.layout, (found.height, found.width), found.dynamic_batch) == (layout, size, dynamic)


def test_a_uint8_input_is_taken(tmp_path: Path) -> None:
    cast = [
        helper.make_node("Cast", ["image"], ["f"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["f"], ["answer"], axes=[2, 3], keepdims=0),
    ]
    assert taken(model(cast, kind=TensorProto.UINT8), tmp_path).dtype == "uint8"


def chain(first: str, second: str) -> list[Any]:
    return [helper.make_node("Relu", [first], [second]), helper.make_node("Relu", [second], [first])]


DEFECTS: dict[str, tuple[onnx.ModelProto, str]] = {
    "two inputs": (model(inputs=2), "2 inputs"),
    "two outputs": (
        model([*model().graph.node, helper.make_node("Relu", ["image"], ["second"])], outputs=2),
        "2 outputs",
    ),
    "float64 input": (
        model(kind=TensorProto.DOUBLE, out=TensorProto.DOUBLE), "input's type is double.*float32 or uint8",
    ),
    "no batch": (model([helper.make_node("Relu", ["image"], ["answer"])], shape=(3, 32, 32)), "3 dimensions"),
    "grey": (model(shape=("N", 1, 32, 32)), "3 colours"),
    "batch of 8": (model(shape=(8, 3, 32, 32)), "exactly 8 images"),
    "a billion pixels": (model(shape=("N", 3, 10**9, 10**9)), "between 8 and 2048"),
    "custom domain": (
        model([helper.make_node("Evil", ["image"], ["answer"], domain="my.ops")], domains=["my.ops"]),
        r"my\.ops\.Evil.*standard",
    ),
    "unknown operator": (model([helper.make_node("Evil", ["image"], ["answer"])]), "uses the operator Evil"),
    "cyclic": (model([*chain("a", "b"), helper.make_node("Relu", ["image"], ["answer"])]), "not whole"),
    "empty graph": (model([]), "not valid"),
}  # fmt: skip


@pytest.mark.parametrize("defect", DEFECTS)
def test_what_is_not_taken_says_why(defect: str, tmp_path: Path) -> None:
    proto, said = DEFECTS[defect]
    with pytest.raises(Unusable, match=said):
        taken(proto, tmp_path)


def test_an_operator_set_of_the_future_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "model.onnx"
    file.write_bytes(model(opset=99).SerializeToString())
    with pytest.raises(Unusable):
        read(file)
        Runner(file, 1)


@pytest.mark.parametrize("location", ["../../etc/passwd", "/etc/passwd", "model.onnx.data"])
def test_weights_in_another_file_are_refused(location: str, tmp_path: Path) -> None:
    proto = model([helper.make_node("Add", ["image", "w"], ["answer"])])
    tensor = proto.graph.initializer.add(name="w", data_type=TensorProto.FLOAT, dims=[1])
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=location)
    with pytest.raises(Unusable, match="external data"):
        taken(proto, tmp_path)


def test_weights_in_another_file_hidden_in_a_branch_are_refused(tmp_path: Path) -> None:
    constant = helper.make_node("Constant", [], ["c"])
    tensor = constant.attribute.add(name="value", type=onnx.AttributeProto.TENSOR).t
    tensor.data_type, tensor.data_location = TensorProto.FLOAT, TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/passwd")
    branch = helper.make_graph([constant], "b", [], [helper.make_tensor_value_info("c", 1, None)])
    condition = helper.make_node("If", ["image"], ["answer"], then_branch=branch, else_branch=branch)
    with pytest.raises(Unusable, match="external data"):
        taken(model([condition]), tmp_path)


@pytest.mark.parametrize("where", ["sparse", "function"])
def test_weights_in_another_file_that_is_there_are_refused_wherever_they_hide(
    where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The checker looks for the file where the process is, ONNX Runtime where the model is."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "other.bin").write_bytes(np.ones(3, np.float32).tobytes())
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[3], data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value="other.bin")
    constant = helper.make_node("Constant", [], ["w"])
    if where == "sparse":
        sparse = constant.attribute.add(name="sparse_value", type=onnx.AttributeProto.SPARSE_TENSOR).sparse_tensor
        sparse.values.CopyFrom(tensor)
        sparse.indices.CopyFrom(onnx.numpy_helper.from_array(np.arange(3), "i"))
        sparse.dims.append(3)
    else:
        constant.attribute.add(name="value", type=onnx.AttributeProto.TENSOR).t.CopyFrom(tensor)
    mean = helper.make_node("ReduceMean", ["image"], ["mean"], axes=[2, 3], keepdims=0)
    body = [constant, helper.make_node("Mul", ["mean", "w"], ["answer"])]
    if where == "sparse":
        proto = model([mean, *body])
    else:
        proto = model([mean, helper.make_node("own", ["mean"], ["answer"], domain="my")], domains=["my"])
        proto.functions.append(
            helper.make_function("my", "own", ["mean"], ["answer"], body, [helper.make_opsetid("", 17)])
        )
    with pytest.raises(Unusable, match="external data"):
        taken(proto, tmp_path)


@pytest.mark.parametrize("domain", ["", "com.microsoft", "ai.onnx.ml", "ai.onnx.preview.training"])
def test_a_function_that_is_called_as_an_operator_is_refused(domain: str, tmp_path: Path) -> None:
    """ONNX Runtime runs its own operator of that name; what is looked into would be the function."""
    proto = model(
        [helper.make_node("QuickGelu", ["image"], ["answer"], domain=domain)], domains=[domain] * bool(domain)
    )
    body = [helper.make_node("Neg", ["a"], ["b"])]
    proto.functions.append(helper.make_function(domain, "QuickGelu", ["a"], ["b"], body, [helper.make_opsetid("", 17)]))
    with pytest.raises(Unusable, match="called as an operator"):
        taken(proto, tmp_path)


@pytest.mark.parametrize("opset", [17, 16])
def test_a_function_is_taken_where_it_can_be_written_out(opset: int, tmp_path: Path) -> None:
    """One of another operator set stays a call: whatever is in it would not be looked into."""
    proto = model([helper.make_node("Relu", ["image"], ["answer"], domain="my")], domains=["my"])
    body = [helper.make_node("Neg", ["a"], ["b"])]
    proto.functions.append(helper.make_function("my", "Relu", ["a"], ["b"], body, [helper.make_opsetid("", opset)]))
    if opset == 17:
        assert taken(proto, tmp_path).dynamic_batch
    else:
        with pytest.raises(Unusable, match="another operator set"):
            taken(proto, tmp_path)


@pytest.mark.parametrize("first", ["value", "value_float"])
def test_a_constant_with_two_values_is_refused(first: str, tmp_path: Path) -> None:
    """ONNX Runtime takes the first, whatever it is called; its weights would be read from `value`."""
    constant = helper.make_node("Constant", [], ["w"])
    values = {"value": helper.make_tensor("t", TensorProto.FLOAT, [], [5.0]), "value_float": 1.0}
    for name in sorted(values, key=lambda name: name != first):
        constant.attribute.append(helper.make_attribute(name, values[name]))
    with pytest.raises(Unusable, match="several values"):
        taken(model([constant, helper.make_node("Mul", ["image", "w"], ["answer"])]), tmp_path)


def test_scaling_inside_the_model_is_recognised(tmp_path: Path) -> None:
    turned = helper.make_node("Transpose", ["image"], ["t"], perm=[0, 3, 1, 2])
    mean = helper.make_node("ReduceMean", ["s"], ["answer"], axes=[2, 3], keepdims=0)
    shape = ("N", 32, 32, 3)
    scaled = model([turned, helper.make_node("Mul", ["t", "t"], ["s"]), mean], shape=shape)
    plain = model([turned, helper.make_node("Relu", ["t"], ["s"]), mean], shape=shape)
    assert scales_its_input(scaled, taken(scaled, tmp_path).input)
    assert not scales_its_input(plain, taken(plain, tmp_path).input)


def test_a_batch_is_answered_row_by_row(tmp_path: Path) -> None:
    file = tmp_path / "model.onnx"
    file.write_bytes(model().SerializeToString())
    batch = np.random.default_rng(0).random((5, 3, 32, 32), dtype=np.float32)
    assert np.allclose(Runner(file, 1).answer(batch), batch.mean((2, 3)), atol=1e-5)


@pytest.mark.parametrize(
    "answer",
    [
        np.zeros((2, 3, 4, 5), np.float32),
        np.zeros((3, 2), np.float32),
        np.zeros((2, 0), np.float32),
        np.asarray([["cat"], ["dog"]]),
        np.float32(1),
    ],
)
def test_an_answer_that_is_no_row_of_scores_is_refused(answer: Any) -> None:
    with pytest.raises(Unusable):
        as_rows(answer, 2)


def test_an_answer_with_sides_of_one_is_flattened() -> None:
    assert as_rows(np.zeros((2, 5, 1, 1)), 2).shape == (2, 5)


@pytest.mark.parametrize(
    ("operator", "constant", "raw"),
    [
        ("Mul", 1 / 255, True),
        ("Div", 255.0, True),
        ("Sub", 127.0, True),
        ("Mul", 2.2, False),  # from jetson-inference's scale to torchvision's
        ("Sub", 0.485, False),
        ("Div", 0.229, False),
        ("Mul", 255.0, False),
    ],
)
def test_arithmetic_on_scaled_pixels_is_told_from_scaling(
    operator: str, constant: float, raw: bool, tmp_path: Path
) -> None:
    value = helper.make_node("Constant", [], ["c"], value=helper.make_tensor("t", TensorProto.FLOAT, [], [constant]))
    mean = helper.make_node("ReduceMean", ["s"], ["answer"], axes=[2, 3], keepdims=0)
    made = model([value, helper.make_node(operator, ["image", "c"], ["s"]), mean], shape=("N", 3, 32, 32))
    assert takes_raw_pixels(made, taken(made, tmp_path).input) is raw
    assert scales_its_input(made, taken(made, tmp_path).input)
