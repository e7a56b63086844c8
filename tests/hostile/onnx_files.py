"""ONNX files that are small and wrong, or small and odd but right: each function writes one file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper
from onnx_classifier import SIDE, classifier, save, scalar

Writer = Callable[[Path], None]
WRITERS: dict[str, Writer] = {}


def writes(function: Writer) -> Writer:
    WRITERS[function.__name__] = function
    return function


# --- right ones ---------------------------------------------------------------------------------


@writes
def plain(file: Path) -> None:
    save(classifier(), file)


@writes
def with_softmax(file: Path) -> None:
    save(classifier(after=[helper.make_node("Softmax", ["logits"], ["p"], axis=1)], output="p"), file)


@writes
def batch_of_one(file: Path) -> None:
    save(classifier(batch=1), file)


@writes
def no_batch_name(file: Path) -> None:
    save(classifier(batch=None), file)


@writes
def uint8_input(file: Path) -> None:
    cast = helper.make_node("Cast", ["image"], ["pixels"], to=TensorProto.FLOAT)
    save(classifier(dtype=TensorProto.UINT8, before=[cast]), file)


# --- refused ------------------------------------------------------------------------------------


def _external(location: str) -> Writer:
    def write(file: Path) -> None:
        model = classifier()
        tensor = model.graph.initializer[0]
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        for key, value in (("location", location), ("offset", "0"), ("length", "36")):
            entry = tensor.external_data.add()
            entry.key, entry.value = key, value
        save(model, file)

    return write


WRITERS["external_climbs"] = _external("../../etc/passwd")
WRITERS["external_absolute"] = _external("/etc/passwd")
WRITERS["external_beside"] = _external("weights.bin")


@writes
def external_in_attribute(file: Path) -> None:
    tensor = numpy_helper.from_array(np.zeros(3, np.float32), "t")
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "/etc/passwd"
    constant = helper.make_node("Constant", [], ["c"], value=tensor)
    save(classifier(after=[constant, helper.make_node("Add", ["logits", "c"], ["o"])], output="o"), file)


@writes
def external_in_function(file: Path) -> None:
    tensor = numpy_helper.from_array(np.zeros(3, np.float32), "t")
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "/etc/passwd"
    body = [helper.make_node("Constant", [], ["c"], value=tensor), helper.make_node("Add", ["x", "c"], ["y"])]
    function = helper.make_function("own", "f", ["x"], ["y"], body, [helper.make_opsetid("", 17)])
    save(
        classifier(
            after=[helper.make_node("f", ["logits"], ["o"], domain="own")],
            output="o", functions=[function], imports=[helper.make_opsetid("own", 1)],
        ),
        file,
    )  # fmt: skip


@writes
def truncated(file: Path) -> None:
    file.write_bytes(classifier().SerializeToString()[:-20])


@writes
def larger_than_2_gb(file: Path) -> None:
    save(classifier(), file)
    with file.open("r+b") as stream:
        stream.truncate(3 * 10**9)  # sparse


@writes
def cyclic(file: Path) -> None:
    loop = [helper.make_node("Add", ["logits", "b"], ["a"]), helper.make_node("Identity", ["a"], ["b"])]
    save(classifier(after=loop, output="b"), file)


@writes
def opset_99(file: Path) -> None:
    save(classifier(opset=99), file)


@writes
def custom_domain(file: Path) -> None:
    node = helper.make_node("Evil", ["logits"], ["o"], domain="com.evil")
    save(classifier(after=[node], output="o", imports=[helper.make_opsetid("com.evil", 1)]), file)


@writes
def recursive_function(file: Path) -> None:
    body = [helper.make_node("f", ["x"], ["y"], domain="own")]
    function = helper.make_function("own", "f", ["x"], ["y"], body, [helper.make_opsetid("own", 1)])
    node = helper.make_node("f", ["logits"], ["o"], domain="own")
    save(classifier(after=[node], output="o", functions=[function], imports=[helper.make_opsetid("own", 1)]), file)


@writes
def billion_functions(file: Path) -> None:
    """Each function calls the next ten times: 10^9 nodes when they are put in."""
    functions = []
    imports = [helper.make_opsetid("own", 1), helper.make_opsetid("", 17)]
    for level in range(9):
        names = [f"v{i}" for i in range(11)]
        body = [
            helper.make_node(f"f{level + 1}", [names[i]], [names[i + 1]], domain="own")
            if level < 8
            else helper.make_node("Identity", [names[i]], [names[i + 1]])
            for i in range(10)
        ]
        functions.append(helper.make_function("own", f"f{level}", ["v0"], ["v10"], body, imports))
    node = helper.make_node("f0", ["logits"], ["o"], domain="own")
    save(classifier(after=[node], output="o", functions=functions, imports=[helper.make_opsetid("own", 1)]), file)


@writes
def negative_dims(file: Path) -> None:
    tensor = TensorProto(name="t", data_type=TensorProto.FLOAT, dims=[-1, 3], raw_data=b"\0" * 12)
    save(classifier(initializers=[tensor], after=[helper.make_node("Add", ["logits", "t"], ["o"])], output="o"), file)


@writes
def giant_initializer(file: Path) -> None:
    """Says that it has 10^18 numbers, and has none."""
    tensor = TensorProto(name="t", data_type=TensorProto.FLOAT, dims=[10**9, 10**9], raw_data=b"")
    save(classifier(initializers=[tensor], after=[helper.make_node("Add", ["logits", "t"], ["o"])], output="o"), file)


@writes
def giant_when_it_runs(file: Path) -> None:
    fill = helper.make_node("ConstantOfShape", ["shape"], ["giant"])
    total = helper.make_node("ReduceSum", ["giant"], ["sum"], keepdims=0)
    save(
        classifier(
            initializers=[scalar("shape", [10**6, 10**6], np.int64)],
            after=[fill, total, helper.make_node("Add", ["logits", "sum"], ["o"])], output="o",
        ),
        file,
    )  # fmt: skip


@writes
def empty_graph(file: Path) -> None:
    graph = helper.make_graph([], "g", [], [])
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), file)


@writes
def output_is_input(file: Path) -> None:
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["b", 3, SIDE, SIDE])
    graph = helper.make_graph([], "g", [image], [image])
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), file)


@writes
def two_inputs(file: Path) -> None:
    other = helper.make_tensor_value_info("other", TensorProto.FLOAT, [3])
    add = helper.make_node("Add", ["logits", "other"], ["o"])
    save(classifier(extra_inputs=[other], after=[add], output="o"), file)


@writes
def two_outputs(file: Path) -> None:
    other = helper.make_tensor_value_info("means", TensorProto.FLOAT, None)
    save(classifier(extra_outputs=[other]), file)


@writes
def float64_input(file: Path) -> None:
    cast = helper.make_node("Cast", ["image"], ["pixels"], to=TensorProto.FLOAT)
    save(classifier(dtype=TensorProto.DOUBLE, before=[cast]), file)


@writes
def string_output(file: Path) -> None:
    cast = helper.make_node("Cast", ["logits"], ["o"], to=TensorProto.STRING)
    save(classifier(after=[cast], output="o", out_type=TensorProto.STRING), file)


@writes
def no_batch_dimension(file: Path) -> None:
    squeeze = helper.make_node("Unsqueeze", ["image", "zero"], ["pixels"])
    save(classifier(shape=[3, SIDE, SIDE], before=[squeeze], initializers=[scalar("zero", [0], np.int64)]), file)


@writes
def nested_deeply(file: Path) -> None:
    """If in If in If: as deep as protobuf still reads."""
    graph = _branch("logits", "r25")
    for level in reversed(range(25)):
        node = helper.make_node(
            "If", ["yes"], [f"r{level}"], then_branch=graph, else_branch=_branch("logits", f"s{level}")
        )
        value = helper.make_tensor_value_info(f"r{level}", TensorProto.FLOAT, None)
        graph = helper.make_graph([node], f"g{level}", [], [value])
    top = helper.make_node("If", ["yes"], ["o"], then_branch=graph, else_branch=_branch("logits", "s"))
    save(classifier(initializers=[scalar("yes", True, bool)], after=[top], output="o"), file)


def _branch(source: str, name: str) -> Any:
    value = helper.make_tensor_value_info(name, TensorProto.FLOAT, None)
    return helper.make_graph([helper.make_node("Identity", [source], [name])], f"g-{name}", [], [value])


@writes
def long_chain(file: Path) -> None:
    """200,000 nodes in a row."""
    chain = [helper.make_node("Identity", ["logits" if i == 0 else f"x{i - 1}"], [f"x{i}"]) for i in range(200_000)]
    save(classifier(after=chain, output="x199999"), file)


@writes
def endless_loop(file: Path) -> None:
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["go"], ["go_on"]),
            helper.make_node("Add", ["value", "one"], ["next"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("i", TensorProto.INT64, []),
            helper.make_tensor_value_info("go", TensorProto.BOOL, []),
            helper.make_tensor_value_info("value", TensorProto.FLOAT, None),
        ],
        [
            helper.make_tensor_value_info("go_on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("next", TensorProto.FLOAT, None),
        ],
    )
    loop = helper.make_node("Loop", ["times", "yes", "logits"], ["o"], body=body)
    values = [scalar("times", 10**12, np.int64), scalar("yes", True, bool), scalar("one", 1.0)]
    save(classifier(initializers=values, after=[loop], output="o"), file)


# --- answers that are wrong ---------------------------------------------------------------------


def _answers(nodes: list[Any], *initializers: Any) -> Writer:
    return lambda file: save(classifier(after=nodes, output="o", initializers=list(initializers)), file)


WRITERS["answers_nan"] = _answers([helper.make_node("Add", ["logits", "nan"], ["o"])], scalar("nan", np.nan))
WRITERS["answers_infinity"] = _answers([helper.make_node("Add", ["logits", "inf"], ["o"])], scalar("inf", np.inf))
WRITERS["answers_constant"] = _answers([helper.make_node("Mul", ["logits", "zero"], ["o"])], scalar("zero", 0.0))
WRITERS["answers_negative"] = _answers(
    [helper.make_node("Neg", ["logits"], ["n"]), helper.make_node("Sub", ["n", "big"], ["o"])], scalar("big", 5.0)
)
WRITERS["answers_sigmoid"] = _answers([helper.make_node("Sigmoid", ["logits"], ["o"])])
WRITERS["answers_two_columns"] = _answers(
    [helper.make_node("Slice", ["logits", "from", "to", "axis"], ["o"])],
    scalar("from", [0], np.int64), scalar("to", [2], np.int64), scalar("axis", [1], np.int64),
)  # fmt: skip
WRITERS["answers_four_columns"] = _answers(
    [helper.make_node("ReduceMean", ["logits"], ["m"], axes=[1]),
     helper.make_node("Concat", ["logits", "m"], ["o"], axis=1)]
)  # fmt: skip
WRITERS["answers_transposed"] = _answers([helper.make_node("Transpose", ["logits"], ["o"], perm=[1, 0])])
WRITERS["answers_random"] = _answers(
    [helper.make_node("RandomNormalLike", ["logits"], ["r"], scale=100.0),
     helper.make_node("Add", ["logits", "r"], ["o"])]
)  # fmt: skip
WRITERS["answers_nothing"] = _answers(
    [helper.make_node("Slice", ["logits", "from", "to", "axis"], ["o"])],
    scalar("from", [0], np.int64), scalar("to", [0], np.int64), scalar("axis", [1], np.int64),
)  # fmt: skip
