"""Models as they come out of trainers and exporters, through the real sandbox: converted, and answering as they did."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from model_files import TINY_PY, write_images
from onnx import TensorProto, helper, numpy_helper

from harness.inputs.assignment.limits import ResourceLimits
from harness.inputs.images import StagedImages
from harness.inputs.submissions.external_data import external_data
from harness.sandbox.bubblewrap import Bubblewrap
from harness.stages.context import StageContext
from harness.stages.convert import HandedModel, convert
from harness.stages.evidence.conversion import Conversion
from harness.stages.evidence.stage_result import Done, Failed
from harness.stages.predict import predict
from harness.stages.store import Store

PAIR = ("ball", "mug")
FIVE = ("ball", "bottle", "dumbbell", "goblet", "mug")
SIDE = 32
os.environ["KERAS_BACKEND"] = "torch"


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> StageContext:
    limits = ResourceLimits(wall_seconds=240, cell_seconds=60, memory=4 * 10**9, cpus=2)
    return StageContext(Bubblewrap(), Store(tmp_path_factory.mktemp("store")), limits)


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return write_images(tmp_path_factory.mktemp("images"), 6)


@pytest.fixture
def converted(context: StageContext, images: list[Path], tmp_path: Path) -> Callable[..., Any]:
    """Convert `model.onnx` or another file in `tmp_path`, with the other files there beside it."""

    def run(classes: tuple[str, ...], name: str = "model.onnx", *, labels: bool = True, factory: str = "") -> Any:
        companions = {}
        for role, text in (("labels.txt", "\n".join(classes) if labels else ""), ("model.py", factory)):
            if text:
                (tmp_path / role).write_text(text)
                companions[role] = tmp_path / role
        beside = [file.relative_to(tmp_path) for file in tmp_path.rglob("*") if file.is_file()]
        data = external_data(tmp_path, Path(name), beside)
        companions |= {companion.role: tmp_path / companion.path for companion in data}
        for file in tmp_path.rglob("*"):
            file.chmod(0o755 if file.is_dir() else 0o644)
        return convert(HandedModel(tmp_path / name, companions), classes, images, None, context)

    return run


def graph_of(
    columns: int, *after: str, kind: int = TensorProto.FLOAT, layout: str = "NCHW", scale: float = 1.0
) -> onnx.ModelProto:
    """The mean of each colour, times a fixed matrix, then operators: `image` to `scores`, (N, columns)."""
    weight = np.random.default_rng(0).normal(size=(3, columns)).astype(np.float32) * np.float32(scale)
    size = ("N", 3, SIDE, SIDE) if layout == "NCHW" else ("N", SIDE, SIDE, 3)
    dtype = helper.tensor_dtype_to_np_dtype(kind if kind != TensorProto.UINT8 else TensorProto.FLOAT)
    nodes = [helper.make_node("Cast", ["image"], ["x"], to=TensorProto.FLOAT)] if kind == TensorProto.UINT8 else []
    axes = [2, 3] if layout == "NCHW" else [1, 2]
    first = "x" if nodes else "image"
    nodes.append(helper.make_node("ReduceMean", [first], ["mean"], axes=axes, keepdims=0))
    nodes.append(helper.make_node("MatMul", ["mean", "w"], ["a0"]))
    for index, operator in enumerate(after):
        more = {"axis": 1} if operator == "Softmax" else {}
        nodes.append(helper.make_node(operator, [f"a{index}"], [f"a{index + 1}"], **more))
    nodes[-1].output[0] = "scores"
    out = TensorProto.FLOAT if kind == TensorProto.UINT8 else kind
    graph = helper.make_graph(
        nodes, "g", [helper.make_tensor_value_info("image", kind, size)],
        [helper.make_tensor_value_info("scores", out, ("N", columns))],
        [numpy_helper.from_array(weight.astype(dtype), "w")],
    )  # fmt: skip
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def value(result: Any) -> Conversion:
    assert isinstance(result, Done), result
    assert isinstance(result.value, Conversion) and not result.value.native
    return result.value


def codes(result: Any) -> set[str]:
    return {found.code for found in result.findings}


def answers(conversion: Conversion, images: list[Path], context: StageContext) -> np.ndarray[Any, Any]:
    """Probabilities, float32, (images, labels)."""
    staged = StagedImages(images[0].parent, tuple(image.name for image in images), "0" * 64)
    result = predict(conversion, staged, context)
    assert isinstance(result, Done), result
    rows = np.load(context.store.path(result.value.probabilities))
    return np.asarray(rows)


@pytest.mark.parametrize(
    ("after", "scale", "kind"),
    [(("Sigmoid",), 30.0, "probabilities"), ((), 30.0, "one-logit"), (("Neg", "Sigmoid"), 0.1, "probabilities")],
)
def test_one_unit_is_the_probability_of_the_second_label(
    after: tuple[str, ...], scale: float, kind: str, converted: Callable[..., Any], context: StageContext,
    images: list[Path], tmp_path: Path,
) -> None:  # fmt: skip
    whole = graph_of(1, *after, scale=scale)
    onnx.save(whole, tmp_path / "model.onnx")
    result = converted(PAIR)
    conversion = value(result)
    assert (conversion.outputs, conversion.output_kind, conversion.labels) == (2, kind, PAIR)
    assert "one-unit" in codes(result)
    # The same as two units, whose softmax says the same.
    logits = [node.output[0] for node in whole.graph.node if node.op_type == "MatMul"]
    signed = -1.0 if "Neg" in after else 1.0
    pair = graph_of(2, scale=scale)
    column = numpy_helper.to_array(whole.graph.initializer[0]) * np.float32(signed)
    pair.graph.initializer[0].CopyFrom(numpy_helper.from_array(np.concatenate([0 * column, column], 1), "w"))
    assert logits
    onnx.save(pair, tmp_path / "model.onnx")
    both = answers(value(converted(PAIR)), images, context)
    one = answers(conversion, images, context)
    assert np.abs(one - both).max() < 1e-5 and np.ptp(one[:, 1]) > 1e-4


def test_a_small_logit_is_told_from_a_probability(converted: Callable[..., Any], tmp_path: Path) -> None:
    """All of its answers lie between 0 and 1, but no sigmoid keeps them there."""
    whole = graph_of(1, "Abs", scale=0.05)
    onnx.save(whole, tmp_path / "model.onnx")
    assert value(converted(PAIR)).output_kind == "one-logit"


def test_a_softmax_over_one_unit_is_said_in_words(converted: Callable[..., Any], tmp_path: Path) -> None:
    onnx.save(graph_of(1, "Softmax"), tmp_path / "model.onnx")
    result = converted(PAIR)
    (found,) = [found for found in result.findings if found.code == "softmax-of-one-unit"]
    assert "always 1" in found.message and "sigmoid" in found.message


def test_one_unit_for_five_labels_is_still_a_wrong_count(converted: Callable[..., Any], tmp_path: Path) -> None:
    onnx.save(graph_of(1, "Sigmoid"), tmp_path / "model.onnx")
    result = converted(FIVE)
    assert isinstance(result, Failed) and "1 outputs" in result.reason


@pytest.mark.parametrize("place", ["weights.bin", "parts/weights.bin"])
def test_external_data_beside_the_model_is_graded(
    place: str, converted: Callable[..., Any], context: StageContext, tmp_path: Path
) -> None:
    (tmp_path / place).parent.mkdir(exist_ok=True)
    onnx.save(
        graph_of(5, scale=5.0), tmp_path / "model.onnx", save_as_external_data=True, location=place, size_threshold=0
    )
    conversion = value(converted(FIVE))
    sent = onnx.load(context.store.path(conversion.model), load_external_data=False)
    assert len(sent.graph.initializer[0].raw_data) == 3 * 5 * 4


def test_missing_external_data_is_named(converted: Callable[..., Any], tmp_path: Path) -> None:
    onnx.save(
        graph_of(5), tmp_path / "model.onnx", save_as_external_data=True, location="weights.bin", size_threshold=0
    )
    (tmp_path / "weights.bin").unlink()
    result = converted(FIVE)
    assert isinstance(result, Failed) and "weights.bin" in result.detail


@pytest.mark.parametrize(
    ("kind", "layout", "dtype"),
    [
        (TensorProto.FLOAT16, "NCHW", "float32"), (TensorProto.DOUBLE, "NCHW", "float32"),
        (TensorProto.UINT8, "NHWC", "uint8"),
    ],
)  # fmt: skip
def test_other_number_types_are_taken(
    kind: int, layout: str, dtype: str, converted: Callable[..., Any], context: StageContext, images: list[Path],
    tmp_path: Path,
) -> None:  # fmt: skip
    onnx.save(graph_of(5, kind=kind, layout=layout, scale=0.05), tmp_path / "model.onnx")
    conversion = value(converted(FIVE))
    assert conversion.input_dtype == dtype
    assert np.ptp(answers(conversion, images, context), axis=0).max() > 1e-4


def test_names_inside_the_model_come_before_the_alphabet(
    converted: Callable[..., Any], context: StageContext, tmp_path: Path
) -> None:
    whole = graph_of(5)
    order = ("Mug", "ball", "Goblet", "bottle", "dumbbell")
    helper.set_model_props(whole, {"description": "a classifier", "names": str(dict(enumerate(order)))})
    onnx.save(whole, tmp_path / "model.onnx")
    result = converted(FIVE, labels=False)
    assert value(result).labels == ("mug", "ball", "goblet", "bottle", "dumbbell")
    assert "labels-from-model" in codes(result) and "labels-missing" not in codes(result)
    (tmp_path / "labels.txt").unlink(missing_ok=True)
    declared = converted(FIVE)
    assert value(declared).labels == FIVE and "labels-from-model" not in codes(declared)


def test_names_of_other_things_are_left_alone(converted: Callable[..., Any], tmp_path: Path) -> None:
    whole = graph_of(5)
    helper.set_model_props(whole, {"names": "['a', 'b', 'c', 'd', 'e']"})
    onnx.save(whole, tmp_path / "model.onnx")
    result = converted(FIVE, labels=False)
    assert value(result).labels == FIVE and "labels-missing" in codes(result)


def test_of_two_outputs_the_one_that_fits_is_graded(
    converted: Callable[..., Any], context: StageContext, tmp_path: Path
) -> None:
    whole = graph_of(5)
    whole.graph.output.insert(0, helper.make_tensor_value_info("mean", TensorProto.FLOAT, None))
    onnx.save(whole, tmp_path / "model.onnx")
    result = converted(FIVE)
    assert value(result).outputs == 5 and "output-chosen" in codes(result)
    assert [one.name for one in onnx.load(context.store.path(value(result).model)).graph.output] == ["scores"]


def keras_model(case: str) -> Any:
    import keras

    keras.utils.set_random_seed(0)
    layers = keras.layers
    if case == "mixed":
        keras.config.set_dtype_policy("mixed_float16")
    try:
        image = keras.Input((SIDE, SIDE, 3), dtype="uint8" if case == "uint8" else None)
        x = layers.Conv2D(4, 3, activation="relu")(layers.Rescaling(1 / 255.0)(image))
        x = layers.GlobalAveragePooling2D(name="features")(x)
        if case == "sigmoid":
            return keras.Model(image, layers.Dense(1, activation="sigmoid")(x))
        scores = layers.Dense(5, activation="softmax", dtype="float32" if case == "mixed" else None)(x)
        return keras.Model(image, {"features": x, "scores": scores} if case == "two" else scores)
    finally:
        keras.config.set_dtype_policy("float32")


@pytest.mark.parametrize("case", ["uint8", "mixed", "two", "sigmoid"])
def test_keras_models_of_other_kinds_are_taken(case: str, converted: Callable[..., Any], tmp_path: Path) -> None:
    keras_model(case).save(tmp_path / "model.keras")
    conversion = value(converted(PAIR if case == "sigmoid" else FIVE, "model.keras"))
    assert conversion.outputs == (2 if case == "sigmoid" else 5)
    assert conversion.output_kind == "probabilities"
    assert conversion.input_dtype == ("uint8" if case == "uint8" else "float32")


def test_a_squeezed_logit_of_torch_is_two_classes(converted: Callable[..., Any], tmp_path: Path) -> None:
    import torch

    factory = TINY_PY.replace("return self.head(self.drop(self.body(x)))", "return self.head(self.body(x)).squeeze(1)")
    factory = factory.replace("return Tiny(num_classes)", "return Tiny(1)")
    space: dict[str, Any] = {"__name__": "model"}
    exec(factory, space)
    torch.manual_seed(0)
    state = {f"net.{name}": tensor for name, tensor in space["build_model"](2).state_dict().items()}
    torch.save({"state_dict": state, "hyper_parameters": {"classes": ["mug", "ball"]}}, tmp_path / "last.ckpt")
    result = converted(PAIR, "last.ckpt", labels=False, factory=factory)
    assert value(result).labels == ("mug", "ball") and "one-unit" in codes(result)
