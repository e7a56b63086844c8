"""Latency counts only for answers that are right: every timed answer is held against the predict stage's."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx_files
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx_classifier import classifier, save, scalar
from test_models import Door

from harness.sandbox import Sandbox
from harness.stages.evidence.benchmark import Benchmark
from harness.stages.evidence.stage_result import Done

SEED = 7.0


@pytest.fixture
def door(engine: Sandbox, tmp_path: Path) -> Door:
    return Door(engine, tmp_path)


def zeros(name: str) -> Any:
    """A branch that answers at once, the same to everything."""
    value = helper.make_tensor_value_info(name, TensorProto.FLOAT, None)
    nodes = [helper.make_node("Mul", ["logits", "zero"], [name])]
    return helper.make_graph(nodes, f"g-{name}", [], [value])


def right(name: str) -> Any:
    value = helper.make_tensor_value_info(name, TensorProto.FLOAT, None)
    return helper.make_graph([helper.make_node("Identity", ["logits"], [name])], f"g-{name}", [], [value])


def chosen(condition: list[Any], *values: Any) -> Any:
    """A model that is right unless `cheap`, which `condition` makes, is true."""
    branches = helper.make_node("If", ["cheap"], ["o"], then_branch=zeros("t"), else_branch=right("e"))
    return classifier(after=[*condition, branches], output="o", initializers=[scalar("zero", 0.0), *values])


# Whether an image looks like those of the predict stage, (images, 1), and not like the noise that a conversion is
# checked on: else the model would be taken for one of batch 1, and predicted as it is timed.
DARK = [
    helper.make_node("ReduceMean", ["image"], ["brightness3"], axes=[1, 2, 3], keepdims=0),
    helper.make_node("Unsqueeze", ["brightness3", "one"], ["brightness"]),
    helper.make_node("Less", ["brightness", "dim"], ["dark"]),
]
DARK_VALUES = [scalar("dim", -0.05), scalar("one", [1], np.int64)]


def by_batch_size(file: Path) -> None:
    """Right where several images come at once, as in the predict stage."""
    condition = [
        *DARK,
        helper.make_node("Shape", ["image"], ["shape"]),
        helper.make_node("Gather", ["shape", "first"], ["batch"]),
        helper.make_node("Less", ["batch", "two"], ["alone"]),
        helper.make_node("And", ["alone", "dark"], ["each"]),
        helper.make_node("Gather", ["each", "first"], ["cheap1"]),
        helper.make_node("Squeeze", ["cheap1"], ["cheap"]),
    ]
    save(chosen(condition, *DARK_VALUES, scalar("first", 0, np.int64), scalar("two", 2, np.int64)), file)


def by_position(file: Path) -> None:
    """Wrong for whatever comes first in a batch; while timed, every image does."""
    after = [
        *DARK,
        helper.make_node("Shape", ["image"], ["shape"]),
        helper.make_node("Gather", ["shape", "nought"], ["batch"]),
        helper.make_node("Range", ["nought", "batch", "step"], ["places1"]),
        helper.make_node("Unsqueeze", ["places1", "one"], ["places"]),
        helper.make_node("Equal", ["places", "nought"], ["leads"]),
        helper.make_node("And", ["leads", "dark"], ["wrong"]),
        helper.make_node("Where", ["wrong", "zero", "logits"], ["o"]),
    ]
    values = [*DARK_VALUES, scalar("nought", 0, np.int64), scalar("step", 1, np.int64), scalar("zero", 0.0)]
    save(classifier(after=after, output="o", initializers=values), file)


def drawn(calls: int) -> np.ndarray:
    """What onnxruntime draws in its first calls with the seed."""
    import onnxruntime

    node = helper.make_node("RandomUniform", [], ["u"], shape=[1], seed=SEED)
    graph = helper.make_graph([node], "g", [], [helper.make_tensor_value_info("u", TensorProto.FLOAT, [1])])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return np.concatenate([session.run(None, {})[0] for _ in range(calls)])


def by_count_of_calls(file: Path) -> None:
    """Right at first, as the predict stage asks, then wrong: a seeded random operator counts the calls."""
    later = numpy_helper.from_array(drawn(100_000)[40:], "later")
    condition = [
        helper.make_node("RandomUniform", [], ["u"], shape=[1], seed=SEED),
        helper.make_node("Equal", ["u", "later"], ["same"]),
        helper.make_node("Cast", ["same"], ["ones"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMax", ["ones"], ["any"], keepdims=0),
        helper.make_node("Cast", ["any"], ["cheap"], to=TensorProto.BOOL),
    ]
    save(chosen(condition, later), file)


def timed(door: Door, write: Callable[[Path], None], **beside: Any) -> Done[Benchmark]:
    conversion = door.take(write, **beside)
    assert isinstance(conversion, Done), conversion
    predictions = door.predict(conversion.value)
    assert isinstance(predictions, Done), predictions
    result = door.benchmark(conversion.value, predictions.value)
    assert isinstance(result, Done), result
    return result


def said(result: Done[Benchmark]) -> str:
    answers = result.value.answers
    assert answers is not None and answers.checked == result.value.model.queries
    codes = {finding.code for finding in result.findings} - {"benchmark-unsteady"}
    return f"{answers.different} of {answers.checked} differ; {', '.join(sorted(codes)) or 'no finding'}"


@pytest.mark.hostile(line=(44, 69), expected="F outputs differ from predict stage", docker={"by_batch_size"})
@pytest.mark.parametrize("write", [by_batch_size, by_position, by_count_of_calls], ids=lambda write: write.__name__)
def test_a_model_that_is_wrong_only_while_it_is_timed_is_named(door: Door, got, write: Callable[[Path], None]):
    """By batch size, by position and by count of calls; the last answer given need not be a wrong one."""
    result = timed(door, write)
    assert not result.value.outputs_agree
    assert result.value.answers is not None and result.value.answers.different > result.value.answers.checked / 2
    found = {finding.code for finding in result.findings}
    assert "benchmark-outputs-differ" in found
    assert ("stateful-model" in found) == (write is by_count_of_calls)
    got(said(result))


@pytest.mark.hostile(line=(44, 69), expected="no finding", docker={"plain"})
@pytest.mark.parametrize("name", ["plain", "with_softmax", "batch_of_one"])
def test_an_honest_model_answers_while_it_is_timed_as_before(door: Door, got, name: str):
    result = timed(door, onnx_files.WRITERS[name])
    assert result.value.outputs_agree and result.value.stateful_operators == ()
    assert result.value.answers is not None and result.value.answers.largest_difference < 1e-4
    got(said(result))


@pytest.mark.hostile(line=69, expected="F stateful-model; latency waits")
def test_a_graph_that_counts_its_calls_is_named_where_it_was_not_before(door: Door, attacks: Path, got):
    """It was timed at 0.013 ms with `outputs_agree`: right at the end, when its last answers were looked at."""
    handed_in = attacks / "rng-call-counter" / "rng-cheat"
    beside = {"handin.json": (handed_in / "handin.json").read_text()}
    labels = (handed_in / "labels.txt").read_text()
    result = timed(door, lambda file: shutil.copyfile(handed_in / "model.onnx", file), labels=labels, companions=beside)
    assert result.value.stateful_operators == ("RandomUniform",)
    assert "stateful-model" in {finding.code for finding in result.findings}
    got(said(result))
