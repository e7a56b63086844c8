"""What was kept is not taken for what other weights, another training part or another reference would have led to."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from example_evidence import BLOB, conversion, evaluation, evidence
from silent import Silent

from harness.grading.submission_run import Examined, time_model
from harness.grading.withheld_split import Ground, own_data
from harness.inputs.assignment.sections import Dataset, ResourceLimits
from harness.inputs.images import HeldOutSet, StagedImages
from harness.stages.cache import Remembered
from harness.stages.context import StageContext
from harness.stages.convert import HandedModel
from harness.stages.evidence.own_data import OwnData
from harness.stages.evidence.reference import Reference
from harness.stages.evidence.stage_result import Done, Skipped
from harness.stages.store import Store


class Asked:
    """A cache that remembers what it was asked for, and finds nothing."""

    def __init__(self) -> None:
        self.inputs: list[str] = []

    def run(self, stage: str, inputs: Any, *_: Any, **__: Any) -> Remembered:
        self.inputs.append(repr(inputs))
        return Remembered(Skipped(reason="It was not done."), cached=False)


def reference(model: str) -> Reference:
    predictions = evidence().predict.value
    latency = evidence().benchmark.value.model
    converted = conversion(model=BLOB.model_copy(update={"sha256": model * 64}))
    return Reference(
        backbone="mobilenet_v2",
        conversion=converted,
        predictions=predictions,
        evaluation=evaluation(),
        latency=latency,
        training_seconds=1.0,
        seed=0,
    )


def keys_of_own_data(tmp_path: Path, weights: str, training: str) -> list[str]:
    model = tmp_path / "model.onnx"
    model.write_bytes(b"model")
    held_out = HeldOutSet(("ball", "mug"), (), (), "held-out")
    staged = StagedImages(tmp_path, (), "held-out")
    ground = Ground(held_out, staged, Dataset(path=tmp_path), training, lambda: (), lambda: None)  # type: ignore[arg-type,return-value]
    place, asked = StageContext(None, Store(tmp_path / "store"), ResourceLimits()), Asked()  # type: ignore[arg-type]
    hub, trained = tmp_path / "hub", reference("a")
    own_data(
        SimpleNamespace(id="anna"), ground, conversion(), HandedModel(model), trained,  # type: ignore[arg-type]
        hub, {"vgg16": weights}, place, asked, Silent(),  # type: ignore[arg-type]
    )  # fmt: skip
    return asked.inputs


def test_other_weights_or_another_training_part_lead_to_other_results(tmp_path: Path):
    """The key said only that there are weights, and nothing of the images that a conversion is checked on."""
    first = keys_of_own_data(tmp_path, "1", "a")
    assert len(first) == 2, "the model that was handed in is converted, the rerun's answers"
    assert first == keys_of_own_data(tmp_path, "1", "a")
    assert not set(first) & set(keys_of_own_data(tmp_path, "2", "a"))
    assert first[0] != keys_of_own_data(tmp_path, "1", "b")[0]


def key_of_timing(model: str) -> list[str]:
    asked = Asked()
    rules = SimpleNamespace(benchmark="rules", limits=ResourceLimits())
    course = SimpleNamespace(
        assignment=rules, stage_context=None, reference=None, staged=SimpleNamespace(sha256=""), cache=asked,
        progress=Silent(),
    )  # fmt: skip
    own = OwnData(reference=reference(model), rerun=None, seen=None)
    converted = Done(value=conversion(), origin="measured-inside")
    time_model(Examined(SimpleNamespace(id="anna"), evidence(convert=converted, own=own)), course)  # type: ignore[arg-type]
    return asked.inputs


def test_a_model_is_timed_anew_beside_another_reference_of_its_own():
    assert key_of_timing("a") == key_of_timing("a")
    assert key_of_timing("a") != key_of_timing("b")
