"""Every format on every engine, with a small model: what docs/formats.md says of it is measured here."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import formats_table
import numpy as np
import pytest
from model_files import CLASSES, FACTORIES, keras_model, torch_model, write_images, write_torch
from torch_files import check_conversion

from harness.errors import EnvironmentMissing
from harness.inputs.assignment.limits import ResourceLimits
from harness.inputs.images import StagedImages
from harness.sandbox import KERAS, Sandbox
from harness.sandbox.bubblewrap import Bubblewrap
from harness.sandbox.virtual_environments import find
from harness.stages.context import StageContext
from harness.stages.convert import HandedModel, convert
from harness.stages.evidence.conversion import Conversion
from harness.stages.evidence.stage_result import Done
from harness.stages.predict import predict
from harness.stages.store import Store

# How the table calls it -> how a student saved it (model_files.write_torch).
TORCH = {
    "`.onnx`": "onnx",
    "`.onnx` for a batch of 1": "onnx_batch_1",
    "`.onnx` with softmax": "onnx_probabilities",
    "state dict + `model.py`": "state_dict",
    "checkpoint + `model.py`": "checkpoint",
    "safetensors + `model.py`": "safetensors",
    "pickled module": "whole_module",
    "TorchScript": "traced",
    "`.pt2`": "exported",
}
# How the table calls it -> what write_tensorflow_models.py called it, and whether it stays as it is.
TENSORFLOW = {
    "Keras 2 `.h5`, augmentation inside": ("keras2.h5", False),
    "Keras 2 `.keras`": ("keras2.keras", False),
    "Keras 2 `.h5`, `preprocess_input` inside": ("keras2_operators.h5", False),
    "SavedModel of Keras 3": ("exported", False),
    "SavedModel of Keras 2": ("keras2_saved", False),
    "SavedModel, random augmentation inside": ("exported_random", True),
    "`.tflite`, float32": ("float32.tflite", False),
    "`.tflite`, float16": ("float16.tflite", False),
    "`.tflite`, weights quantised": ("dynamic.tflite", True),
    "`.tflite`, quantised, uint8 in and out": ("int8.tflite", True),
}

Converted = Callable[..., Any]


@pytest.fixture
def place(engine: Sandbox, tmp_path: Path) -> StageContext:
    return StageContext(engine, Store(tmp_path / "store"), ResourceLimits(wall_seconds=600, cpus=2))


@pytest.fixture(scope="session")
def images(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return write_images(tmp_path_factory.mktemp("images"), 8)


@pytest.fixture
def converted(place: StageContext, images: list[Path], tmp_path: Path) -> Converted:
    """The result for a model handed in with labels.txt and, if given, model.py."""

    def run(model: Path, factory: str = "") -> Any:
        (tmp_path / "labels.txt").write_text("\n".join(CLASSES))
        companions = {"labels.txt": tmp_path / "labels.txt"}
        if factory:
            companions["model.py"] = tmp_path / "model.py"
            companions["model.py"].write_text(factory)
        return convert(HandedModel(model, companions), CLASSES, images, None, place)

    return run


@pytest.fixture(scope="session")
def written(keras_built: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What TensorFlow writes, by the environment `keras` itself."""
    folder = tmp_path_factory.mktemp("tensorflow")
    python = find(KERAS)
    assert python is not None
    script = Path(__file__).with_name("write_tensorflow_models.py")
    done = subprocess.run([python.python, script, folder], capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    for part in folder.rglob("*"):
        part.chmod(0o755 if part.is_dir() else 0o644)
    return folder


@pytest.mark.parametrize("format", TORCH)
def test_a_torch_model(format: str, converted: Converted, engine: Sandbox, tmp_path: Path) -> None:
    file = tmp_path / "model"
    write_torch(torch_model("tiny"), TORCH[format], file)
    result = converted(file, FACTORIES["tiny"])
    assert isinstance(result, Done), result
    check_conversion(TORCH[format], result.value)
    formats_table.check(format, engine.name, result.value)


@pytest.mark.parametrize(
    ("format", "suffix"), [("Keras 3 `.keras`, augmentation inside", ".keras"), ("Keras 3 `.h5`", ".h5")]
)
def test_a_keras_model(format: str, suffix: str, converted: Converted, engine: Sandbox, tmp_path: Path) -> None:
    file = tmp_path / f"model{suffix}"
    keras_model("tiny", augment=suffix == ".keras").save(file)
    result = converted(file)
    assert isinstance(result, Done), result
    conversion: Conversion = result.value
    assert conversion.source_format == "keras" and conversion.dynamic_batch
    assert conversion.layout == "NHWC" and conversion.output_kind == "probabilities"
    assert "scales them itself" not in conversion.assumed
    formats_table.check(format, engine.name, conversion)


@pytest.mark.parametrize("format", TENSORFLOW)
def test_what_tensorflow_wrote(
    format: str, converted: Converted, written: Path, keras_engine: Sandbox, place: StageContext, images: list[Path]
) -> None:
    """Converted, it answers as the original did in the process that wrote it."""
    name, native = TENSORFLOW[format]
    result = converted(written / name)
    assert isinstance(result, Done), result
    conversion: Conversion = result.value
    assert conversion.native == native
    formats_table.check(format, keras_engine.name, conversion)
    codes = [finding.code for finding in result.findings]
    assert ("model-not-converted" in codes) == native
    if "random" in format:
        staged = StagedImages(images[0].parent, tuple(file.name for file in images), "0" * 64)
        answered = predict(conversion, staged, place)
        assert isinstance(answered, Done) and answered.value.depends_on_order
    assert "outputs-not-probabilities" not in codes
    expected = np.load(written / "expected.npz")
    if not native:
        bound = 1e-3 if "float16" in format else 1e-5  # float16 rounds the weights themselves
        given = _onnx_answers(place.store.path(conversion.model), expected["images"])
        assert np.abs(given - expected[name]).max() <= bound


@pytest.mark.parametrize("name", ["int8.tflite", "dynamic.tflite"])
def test_a_quantised_model_predicts_as_it_is(
    name: str, converted: Converted, written: Path, keras_engine: Sandbox, place: StageContext, images: list[Path]
) -> None:
    """In the environment that can read it, with probabilities that sum to 1 although they are steps of 1/256."""
    conversion = converted(written / name).value
    staged = StagedImages(images[0].parent, tuple(file.name for file in images), "0" * 64)
    result = predict(conversion, staged, place)
    assert isinstance(result, Done), result
    rows = np.load(place.store.path(result.value.probabilities))
    assert rows.shape == (len(images), len(CLASSES)) and np.allclose(rows.sum(axis=1), 1, atol=1e-3)
    assert np.ptp(rows, axis=0).max() > 0.02, "the model must tell the images apart"


def test_without_the_environment_the_command_that_builds_it_is_named(
    written: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "nothing-built"))
    place = StageContext(Bubblewrap(), Store(tmp_path / "store"), ResourceLimits())
    with pytest.raises(EnvironmentMissing, match="it is TensorFlow Lite") as raised:
        convert(HandedModel(written / "float32.tflite"), CLASSES, [], None, place)
    assert raised.value.do == "harness env build keras"


def _onnx_answers(file: Path, images: Any) -> Any:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(file))
    name = session.get_inputs()[0].name
    return np.concatenate([session.run(None, {name: images[i : i + 1]})[0] for i in range(len(images))])
