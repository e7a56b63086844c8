"""Models: opened inside only; refused, stopped or graded, each said."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx_files
import pytest

from harness.inputs.assignment.limits import ResourceLimits
from harness.inputs.assignment.sections import BenchmarkRules
from harness.inputs.images import StagedImages
from harness.sandbox import Sandbox
from harness.stages.benchmark import benchmark
from harness.stages.context import StageContext
from harness.stages.convert import HandedModel, convert
from harness.stages.evidence.benchmark import Benchmark
from harness.stages.evidence.conversion import Conversion
from harness.stages.evidence.predictions import Predictions
from harness.stages.evidence.stage_result import Done, Failed, StageResult
from harness.stages.predict import predict
from harness.stages.store import Store

CLASSES = ("blue", "green", "red")
LIMITS = ResourceLimits(wall_seconds=40, cell_seconds=10, memory=2 * 10**9, cpus=1)


class Door:
    """Takes model files through the stage `convert`, and what comes of it through `predict`."""

    def __init__(self, engine: Sandbox, folder: Path) -> None:
        for place in (folder, *folder.parents):  # the sandbox's own user reads what is mounted
            if place != Path("/tmp") and place.is_relative_to("/tmp"):
                place.chmod(0o755)
        self.folder = folder
        self._engine = engine
        self._store = Store(folder / "store")

    def take(
        self, write: Callable[[Path], None], labels: str | None = "blue\ngreen\nred\n", name: str = "model.onnx",
        companions: dict[str, str] | None = None, wall_seconds: float = 40,
    ) -> StageResult[Conversion]:  # fmt: skip
        file = self.folder / name
        file.unlink(missing_ok=True)
        write(file)
        file.chmod(0o644)
        beside = {**(companions or {}), **({"labels.txt": labels} if labels is not None else {})}
        for other, text in beside.items():
            (self.folder / other).write_text(text)
        paths = {other: self.folder / other for other in beside}
        return convert(HandedModel(file, paths), CLASSES, [], None, self._place(wall_seconds))

    def predict(self, conversion: Conversion):
        return predict(conversion, self._staged(), self._place(40))

    def benchmark(self, conversion: Conversion, predictions: Predictions) -> StageResult[Benchmark]:
        """The model's timing beside itself."""
        rules = BenchmarkRules(queries=64, warm_up_seconds=0.1, min_seconds=0.2)
        return benchmark(conversion, conversion, predictions, self._staged(), rules, self._place(60))

    def _staged(self) -> StagedImages:
        from PIL import Image

        images = self.folder / "images"
        images.mkdir(exist_ok=True)
        names = tuple(f"{number:016x}.png" for number in range(12))
        for number, name in enumerate(names):
            colour = tuple(int(c) for c in np.roll([200 - 5 * number, 40, 60], number % 3))
            Image.new("RGB", (40, 40), colour).save(images / name)
        return StagedImages(images, names, "0" * 64)

    def _place(self, wall_seconds: float) -> StageContext:
        limits = LIMITS.model_copy(update={"wall_seconds": wall_seconds, "cell_seconds": min(10, wall_seconds)})
        return StageContext(self._engine, self._store, limits)


@pytest.fixture
def door(engine: Sandbox, tmp_path: Path) -> Door:
    return Door(engine, tmp_path)


def codes(result: StageResult[Conversion]) -> set[str]:
    return {finding.code for finding in result.findings} - {"preprocessing-assumed"}


def refused(result: StageResult[Conversion]) -> str:
    """The reason of a model that was refused with a finding that says it."""
    assert isinstance(result, Failed), result
    (said,) = [finding for finding in result.findings if finding.code == "model-unreadable"]
    assert len(said.whole_message) > 30 and "Traceback" not in said.whole_message
    return said.detail


class _Runs:
    """A pickle that runs a command when it is opened."""

    def __init__(self, command: str) -> None:
        self._command = command

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (self._command,)


@pytest.mark.hostile(line=35, expected="only ever opened inside", docker={"model.pkl"})
@pytest.mark.parametrize("name", ["model.pt", "model.pkl", "model.pth", "model.onnx"])
def test_a_pickle_that_runs_a_command_does_so_inside_or_nowhere(door: Door, got, name: str):
    marker = door.folder / "escaped"
    command = f"touch {marker}; touch /tmp/inside"
    nested = {"state_dict": [_Runs(command), (_Runs(command), {"a": _Runs(command)})]}
    result = door.take(lambda file: file.write_bytes(pickle.dumps(nested)), name=name)
    assert not marker.exists() and not Path("/tmp/inside").exists()
    got(refused(result))


@pytest.mark.hostile(line=35, expected="only ever opened inside")
def test_a_whole_torch_pickle_that_runs_a_command_does_so_inside_or_nowhere(door: Door, got):
    import torch

    marker = door.folder / "escaped"
    result = door.take(lambda file: torch.save(_Runs(f"touch {marker}"), file), name="model.pt")
    assert not marker.exists()
    got(refused(result))


@pytest.mark.hostile(line=36, expected="L / N", docker={"endless", "giant", "reads a file"})
@pytest.mark.parametrize("kind", ["endless", "giant", "reads a file", "writes a file"])
def test_torchscript_that_never_ends_or_takes_all_or_opens_files(door: Door, got, kind: str):
    import torch

    source = {
        "endless": "    n = 0\n    while n >= 0:\n        n = (n + 1) % 1000\n    return x.mean([2, 3]) + n",
        "giant": "    y = torch.ones([400000, 100000])\n    return x.mean([2, 3]) + y.sum()",
        "reads a file": "    y = torch.from_file('/etc/shadow', False, 8, dtype=torch.uint8)\n"
        "    return x.mean([2, 3]) + y.sum()",
        "writes a file": f"    y = torch.from_file('{door.folder}/written', True, 8, dtype=torch.uint8)\n"
        "    return x.mean([2, 3]) + y.sum()",
    }[kind]

    def write(file: Path) -> None:
        module = type(f"Script{abs(hash(source))}", (torch.jit.ScriptModule,), {})()
        module.define(f"def forward(self, x):\n{source}\n")
        torch.jit.save(module, str(file))

    result = door.take(write, name="model.pt", wall_seconds=12)
    assert not isinstance(result, Done)
    assert not (door.folder / "written").exists()
    assert "root:" not in result.whole_reason
    got(f"{result.status}: {refused(result)}")


@pytest.mark.hostile(line=37, expected="inside only", docker={".keras"})
@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_a_keras_lambda_runs_inside_only(door: Door, got, suffix: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    import keras

    marker = door.folder / "escaped"
    image = keras.Input((32, 32, 3))
    means = keras.layers.GlobalAveragePooling2D()(image)
    code = f"lambda x: (__import__('os').system('touch {marker}'), x)[1]"
    answer = keras.layers.Lambda(eval(code), output_shape=(3,))(means)

    def write(file: Path) -> None:
        keras.Model(image, answer).save(str(file))
        marker.unlink(missing_ok=True)  # building it ran it here

    result = door.take(write, name=f"model{suffix}")
    assert not marker.exists()
    got(f"graded, {result.value.source_format}" if isinstance(result, Done) else refused(result))


@pytest.mark.hostile(line=37, expected="inside only")
def test_a_saved_model_is_not_opened(door: Door, got):
    def write(file: Path) -> None:
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("saved_model/saved_model.pb", b"WriteFile PyFunc")
            archive.writestr("saved_model/variables/variables.index", b"")

    got(refused(door.take(write, name="model.keras")))


@pytest.mark.hostile(line=38, expected="F refused", docker={"external_absolute"})
@pytest.mark.parametrize(
    "name", ["external_climbs", "external_absolute", "external_beside", "external_in_attribute", "external_in_function"]
)
def test_onnx_weights_in_another_file_are_refused(door: Door, got, name: str):
    (door.folder / "weights.bin").symlink_to("/etc/passwd")
    result = door.take(onnx_files.WRITERS[name])
    assert "xternal" in refused(result)
    got(refused(result))


REFUSED = {
    "truncated": "cut off or damaged", "larger_than_2_gb": "larger than 2 GB", "cyclic": "nor a node before it",
    "opset_99": "operator set 99", "custom_domain": "com.evil.Evil",
    "recursive_function": "themselves", "billion_functions": "over 100000 operators",
    "long_chain": "over 100000 operators", "negative_dims": "Negative", "giant_initializer": "not valid",
    "giant_when_it_runs": "", "empty_graph": "0 inputs", "output_is_input": "one row", "two_inputs": "2 inputs",
    "string_output": "not numbers",
    "no_batch_dimension": "3 dimensions", "answers_nothing": "one row", "endless_loop": "did not end",
}  # fmt: skip


@pytest.mark.hostile(
    line=39, expected="F or works, each said", docker={"giant_when_it_runs", "endless_loop"}, makes_much=True
)
@pytest.mark.parametrize("name", REFUSED)
def test_an_onnx_file_that_cannot_be_a_classifier_says_why(door: Door, got, name: str):
    reason = refused(door.take(onnx_files.WRITERS[name], wall_seconds=10 if name == "endless_loop" else 60))
    assert REFUSED[name] in reason
    got(f"{name}: {reason}")


RIGHT = {
    "plain": "logits", "with_softmax": "probabilities", "answers_negative": "logits",
    "batch_of_one": "logits", "no_batch_name": "logits", "uint8_input": "logits", "nested_deeply": "logits",
    "two_outputs": "logits", "float64_input": "logits",
}  # fmt: skip


@pytest.mark.hostile(line=(39, 40), expected="works; softmax only for logits", docker={"with_softmax", "uint8_input"})
@pytest.mark.parametrize("name", RIGHT)
def test_an_odd_but_right_onnx_file_works(door: Door, got, name: str):
    result = door.take(onnx_files.WRITERS[name])
    assert isinstance(result, Done) and codes(result) == ({"output-chosen"} if name == "two_outputs" else set())
    assert not result.value.native
    assert result.value.output_kind == RIGHT[name]
    assert isinstance(door.predict(result.value), Done)
    got(f"{name}: works, {RIGHT[name]}")


WRONG_ANSWERS = {
    "answers_nan": "model-unreadable", "answers_infinity": "model-unreadable",
    "answers_sigmoid": "outputs-not-probabilities",
    "answers_two_columns": "labels-wrong-count", "answers_four_columns": "labels-wrong-count",
    "answers_transposed": "model-unreadable", "answers_random": "answers-depend-on-order",
    "answers_constant": "constant-output",
}  # fmt: skip


@pytest.mark.hostile(
    line=40, expected="F; softmax only where declared or plain", docker={"answers_nan", "answers_random"}
)
@pytest.mark.parametrize("name", WRONG_ANSWERS)
def test_answers_that_are_no_probabilities_are_said(door: Door, got, name: str):
    result = door.take(onnx_files.WRITERS[name])
    found = codes(result)
    if isinstance(result, Done):
        found |= {finding.code for finding in door.predict(result.value).findings}
    assert WRONG_ANSWERS[name] in found
    got(f"{name}: {', '.join(sorted(found))}")


LABELS = {
    "missing": (None, "labels-missing"), "duplicate": ("blue\nblue\nred\n", "labels-invalid"),
    "too few": ("blue\nred\n", "labels-wrong-count"), "a million": ("x\n" * 10**6, "labels-invalid"),
    "other language": ("blau\ngrün\nrot\n", ""), "a very long one": ("blue\ngreen\n" + "r" * 1000, "labels-invalid"),
}  # fmt: skip


@pytest.mark.hostile(line=41, expected="F with what was matched", docker={"missing"})
@pytest.mark.parametrize("kind", LABELS)
def test_labels_that_are_wrong_are_said(door: Door, got, kind: str):
    labels, code = LABELS[kind]
    result = door.take(onnx_files.plain, labels=labels)
    assert codes(result) >= ({code} if code else set())
    got(f"{kind}: {', '.join(sorted(codes(result))) or 'no finding here; the classes do not match in evaluate'}")


@pytest.mark.hostile(line=41, expected="F with what was matched", docker={"\ufeffblue\ngreen\nred"})
@pytest.mark.parametrize(
    "text", ["blue\r\n\r\ngreen\r\nred\r\n", "\ufeffblue\ngreen\nred", "  Blue \n GREEN\nred\n\n\n"]
)
def test_labels_as_people_write_them_are_right(door: Door, got, text: str):
    result = door.take(onnx_files.plain, labels=text)
    assert isinstance(result, Done) and codes(result) == set()
    assert [label.casefold() for label in result.value.labels] == list(CLASSES)
    got(repr(text))


@pytest.mark.hostile(line=31, expected="measured by processor time where queries waited; said")
def test_a_benchmark_beside_burning_cores_counts_no_waiting(door: Door, got):
    conversion = door.take(onnx_files.plain)
    assert isinstance(conversion, Done)
    predictions = door.predict(conversion.value)
    assert isinstance(predictions, Done)
    burners = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(2 * (os.cpu_count() or 1))]
    try:
        timed = door.benchmark(conversion.value, predictions.value)
    finally:
        for burner in burners:
            burner.kill()
            burner.wait()
    assert isinstance(timed, Done) and timed.value.outputs_agree
    (unsteady,) = [finding.message for finding in timed.findings if finding.code == "benchmark-unsteady"]
    assert "other programs took" in unsteady
    assert timed.value.clock == "processor" or timed.value.waited <= 0.02  # a container has a share of its own
    low, high = timed.value.ratio_interval or (0, 0)
    assert low < 1 < high, "a model beside itself"
    got(unsteady)


@pytest.mark.hostile(line=45, expected="judged by content")
def test_a_suffix_counts_for_nothing(door: Door, got):
    result = door.take(onnx_files.plain, name="model.h5")
    assert isinstance(result, Done) and result.value.source_format == "onnx"
    page = refused(door.take(lambda file: file.write_text("<!doctype html>"), name="model.keras"))
    assert "web page" in page
    picked = refused(door.take(lambda file: file.write_bytes(pickle.dumps({"a": 1}))))
    got(f"onnx called .h5: works; page called .keras: {page}; pickle called .onnx: {picked}")


def test_the_companions_of_a_hand_in_are_parsed_strictly(engine: Sandbox, tmp_path: Path):
    """Line 24's other half: handin.json says nothing that the harness does not ask for."""
    said = json.dumps({"schema": 1, "classes": list(CLASSES), "marks": 100})
    result = Door(engine, tmp_path).take(onnx_files.plain, companions={"handin.json": said})
    assert "handin-json-invalid" in codes(result)
