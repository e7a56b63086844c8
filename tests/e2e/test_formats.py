"""Every accepted model format, through the real sandbox: converted, and answering as the original does."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from model_files import CLASSES, FACTORIES, keras_model, torch_model, write_images, write_keras2, write_torch
from torch_files import MODULES, READ_BY, check_conversion

from harness.agent.models.loaded_model import Context
from harness.agent.models.registry import format_of
from harness.inputs.assignment.limits import ResourceLimits
from harness.inputs.images import StagedImages
from harness.sandbox.bubblewrap import Bubblewrap
from harness.stages.context import StageContext
from harness.stages.convert import HandedModel, convert
from harness.stages.evidence.conversion import Conversion
from harness.stages.evidence.stage_result import Done, Failed
from harness.stages.predict import predict
from harness.stages.store import Store

# MobileNetV2 in every way that is exported by another route, and the small network in those that the table of
# test_formats_table.py, which converts it on each engine, does not have.
SAVED = [("mobilenet_v2", format) for format in READ_BY if format not in MODULES]
SAVED += [("tiny", format) for format in ("legacy_state_dict", "exported_static")]


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> StageContext:
    limits = ResourceLimits(wall_seconds=240, cell_seconds=60, memory=4 * 10**9, cpus=2)
    return StageContext(Bubblewrap(), Store(tmp_path_factory.mktemp("store")), limits)


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return write_images(tmp_path_factory.mktemp("images"), 12)


@pytest.fixture
def convert_file(context: StageContext, images: list[Path], tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Convert a file handed in with labels.txt and, if given, model.py."""

    def run(file: Path, factory: str = "", labels: str = "\n".join(CLASSES)) -> Any:
        companions = {}
        for name, text in (("model.py", factory), ("labels.txt", labels)):
            if text:
                (tmp_path / name).write_text(text)
                companions[name] = tmp_path / name
        return convert(HandedModel(file, companions), CLASSES, images, None, context)

    yield run


@pytest.mark.parametrize(("name", "format"), SAVED)
def test_a_torch_model_converts_and_answers_the_same(
    name: str, format: str, convert_file: Callable[..., Any], tmp_path: Path
) -> None:
    file = tmp_path / "model.bin"  # the name says nothing: the content is judged
    write_torch(torch_model(name), format, file)
    result = convert_file(file, FACTORIES[name])
    assert isinstance(result, Done), result
    check_conversion(format, result.value)


@pytest.mark.parametrize("format", MODULES)
def test_a_file_gives_back_the_very_module_that_was_saved(format: str, tmp_path: Path) -> None:
    """MobileNetV2, whose conversion from a state dict is above: each weight is the same to the bit."""
    import torch

    model, file, factory = torch_model("mobilenet_v2"), tmp_path / "model.bin", tmp_path / "model.py"
    write_torch(model, format, file)
    factory.write_text(FACTORIES["mobilenet_v2"])
    name, reader = format_of(file)
    read = reader.load(file, Context(len(CLASSES), (224, 224), factory, 1))
    assert name == READ_BY[format]
    assert (read.layout, read.height, read.width, read.dynamic_batch) == ("NCHW", 224, 224, True)
    saved, found = model.state_dict(), read.module.state_dict()
    assert list(found) == list(saved) and not read.module.training
    assert all(torch.equal(found[name], saved[name]) for name in saved)


@pytest.mark.parametrize(("name", "suffix"), [("mobilenet_v2", ".keras"), ("nested", ".h5")])
def test_a_keras_model_on_a_backbone_converts_and_answers_the_same(
    name: str, suffix: str, convert_file: Callable[..., Any], tmp_path: Path
) -> None:
    """With augmentation layers inside, which must be off when it answers. A small one: test_formats_table.py."""
    file = tmp_path / f"model{suffix}"
    keras_model(name, augment=True).save(file)
    result = convert_file(file)
    assert isinstance(result, Done), result
    conversion: Conversion = result.value
    assert conversion.source_format == "keras" and not conversion.native
    assert conversion.max_abs_difference is not None and conversion.max_abs_difference <= 1e-3
    assert conversion.layout == "NHWC" and conversion.output_kind == "probabilities"
    assert conversion.dynamic_batch
    assert "scales them itself" in conversion.assumed


def test_a_keras_2_file_with_a_nested_backbone_converts(
    convert_file: Callable[..., Any], context: StageContext, tmp_path: Path
) -> None:
    file = tmp_path / "model.h5"
    original = write_keras2(file)
    result = convert_file(file)
    assert isinstance(result, Done), result
    assert not result.value.native and result.value.max_abs_difference <= 1e-3
    import onnxruntime

    image = np.random.default_rng(1).uniform(0, 255, (2, 64, 64, 3)).astype(np.float32)
    session = onnxruntime.InferenceSession(str(context.store.path(result.value.model)))
    (given,) = session.run(None, {session.get_inputs()[0].name: image})
    assert np.abs(given - original.predict(image, verbose=0)).max() <= 1e-3


@pytest.mark.parametrize("name", FACTORIES)
def test_the_converted_model_predicts_what_the_original_does(
    name: str,
    convert_file: Callable[..., Any],
    context: StageContext,
    images: list[Path],
    tmp_path: Path,
) -> None:
    """torchvision's own pre-processing of the same images, and the module's own answers."""
    import torch
    from PIL import Image
    from torchvision import transforms

    model = torch_model(name)
    file = tmp_path / "model.pt"
    write_torch(model, "state_dict", file)
    conversion = convert_file(file, FACTORIES[name]).value
    folder = tmp_path / "staged"
    folder.mkdir()
    names = [f"{index * 7919 % 9973:05}.png" for index in range(len(images))]
    for image, staged_name in zip(images, names, strict=True):
        shutil.copyfile(image, folder / staged_name)
    result = predict(conversion, StagedImages(folder, tuple(names), "0" * 64), context)
    assert isinstance(result, Done), result
    rows = np.load(context.store.path(result.value.probabilities))
    ready = transforms.Compose(
        [
            transforms.Resize(256),
            transforms.CenterCrop(224),
            transforms.ToTensor(),
            transforms.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
        ]
    )
    with torch.inference_mode():
        batch = torch.stack([ready(Image.open(p).convert("RGB")) for p in images])
        expected = torch.softmax(model(batch), 1).numpy()
    assert np.abs(rows - expected).max() <= 1e-3
    assert np.ptp(expected, axis=0).max() > 0.05, "the model must tell the images apart"
    assert "zero-one" in result.value.probes and len(result.value.probe_images) == len(images)


def _reason(result: Any) -> str:
    assert isinstance(result, Failed), result
    return result.whole_reason


def test_a_truncated_onnx_file_is_named_as_such(convert_file: Callable[..., Any], tmp_path: Path) -> None:
    whole, cut = tmp_path / "whole.onnx", tmp_path / "cut.onnx"
    write_torch(torch_model("tiny"), "onnx", whole)
    cut.write_bytes(whole.read_bytes()[:-500])
    assert "cut off or damaged" in _reason(convert_file(cut))


@pytest.mark.parametrize("format", ["state_dict", "traced", "exported", "safetensors"])
def test_a_truncated_torch_file_is_named_as_such(format: str, convert_file: Callable[..., Any], tmp_path: Path) -> None:
    whole, cut = tmp_path / "whole.pt", tmp_path / "cut.pt"
    write_torch(torch_model("tiny"), format, whole)
    cut.write_bytes(whole.read_bytes()[:-700])
    assert "cut off or damaged" in _reason(convert_file(cut, FACTORIES["tiny"]))


def test_an_onnx_that_is_a_pickle_does_no_harm_and_says_what_it_is(
    convert_file: Callable[..., Any], tmp_path: Path
) -> None:
    import os
    import pickle

    class Evil:
        def __reduce__(self) -> Any:
            return os.system, (f"touch {tmp_path}/harm; touch /work/harm",)

    file = tmp_path / "model.onnx"
    file.write_bytes(pickle.dumps(Evil()))
    assert "neither a model nor a state dict" in _reason(convert_file(file))
    assert not (tmp_path / "harm").exists()


def test_a_model_with_another_number_of_outputs_is_rejected(convert_file: Callable[..., Any], tmp_path: Path) -> None:
    file = tmp_path / "model.onnx"
    write_torch(torch_model("tiny"), "onnx", file)
    result = convert_file(file, labels="mug\nball\nbottle")
    assert "5 outputs, but there are 3 labels" in _reason(result)
    assert [f.code for f in result.findings] == ["labels-wrong-count"]


def test_an_onnx_file_with_its_weights_elsewhere_is_refused(convert_file: Callable[..., Any], tmp_path: Path) -> None:
    import onnx

    file = tmp_path / "model.onnx"
    write_torch(torch_model("tiny"), "onnx", file)
    model = onnx.load(file)
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../etc/passwd")
    file.write_bytes(model.SerializeToString())
    assert "external data" in _reason(convert_file(file))


def test_weights_without_model_py_say_what_to_hand_in(convert_file: Callable[..., Any], tmp_path: Path) -> None:
    file = tmp_path / "model.pth"
    write_torch(torch_model("tiny"), "state_dict", file)
    assert "model.py with build_model(num_classes)" in _reason(convert_file(file))


def test_a_pickled_class_that_is_not_there_is_named(convert_file: Callable[..., Any], tmp_path: Path) -> None:
    file = tmp_path / "model.pth"
    write_torch(torch_model("tiny"), "whole_module", file)
    assert "Tiny" in _reason(convert_file(file))
    assert isinstance(convert_file(file, FACTORIES["tiny"]), Done)


def test_garbage_is_told_which_formats_are_accepted(convert_file: Callable[..., Any], tmp_path: Path) -> None:
    file = tmp_path / "model.onnx"
    file.write_bytes(b"not a model at all" * 100)
    assert "none of the accepted formats" in _reason(convert_file(file))
    file.write_bytes(b"")
    assert "empty" in _reason(convert_file(file))


def test_a_model_that_answers_differently_each_time_is_noticed(
    convert_file: Callable[..., Any], context: StageContext, images: list[Path], tmp_path: Path
) -> None:
    """Dropout that is on whatever the mode, as functional.dropout with its default is."""
    factory = FACTORIES["tiny"].replace("self.drop(self.body(x))", "nn.functional.dropout(self.body(x), 0.5, True)")
    file = tmp_path / "model.pth"
    write_torch(torch_model("tiny"), "state_dict", file)
    result = convert_file(file, factory)
    assert isinstance(result, Done)
    staged = StagedImages(images[0].parent, tuple(file.name for file in images), "0" * 64)
    answered = predict(result.value, staged, context)
    assert isinstance(answered, Done)
    codes = [f.code for f in (*result.findings, *answered.findings)]
    assert codes.count("answers-vary") + codes.count("answers-depend-on-order") == 1
    assert answered.value.depends_on_order == ("answers-depend-on-order" in codes)
