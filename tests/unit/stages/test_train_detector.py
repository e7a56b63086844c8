"""What the stage `train_detector` asks for, and what it makes of what is sent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from asked import JOB, Place, but_seconds, place_in
from hostile import Sends

from harness.files.hashing import HashedFile
from harness.inputs.assignment.sections import Dataset, ReferenceSolution
from harness.inputs.images import TrainingImages
from harness.sandbox.engine import Limits
from harness.stages.detection.train_detector import TRAIN_DETECTOR, TrainDetectorRequest
from harness.stages.evidence.stage_result import Done, Failed

SUMMARY: dict[str, Any] = {"images": 4, "boxes": 9, "losses": [3.5, 0.25], "cpu_seconds": 12.5}
PACKAGED = {
    "model.onnx": b"plain",
    "model_nms.onnx": b"suppressed",
    "labels.txt": b"BACKGROUND\ncup\n",
    "training.json": json.dumps(SUMMARY).encode(),
}


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return place_in(tmp_path)


def trained(place: Place, files: dict[str, bytes], code: Path | None = None, status: str = "ok") -> Any:
    place.engine.files, place.engine.status = files, status
    assert isinstance(place.context.sandbox, Sends)
    request = TrainDetectorRequest(
        ReferenceSolution(code=code, seed=7, fine_tune_epochs=4, wall_seconds=1234),
        None if code is None else HashedFile(code),
        TrainingImages(Dataset(path=place.folder), "1", lambda: ()),
        HashedFile(place.file("mobilenet_v2.pth")),
        ("cup", "plate"),
        "tiny",
    )
    return TRAIN_DETECTOR.work(request, place.context)


def test_the_packaged_code(place: Place):
    result = trained(place, PACKAGED)
    assert (place.job.phase, place.job.limits) == ("train_detector", Limits(1234, *but_seconds(JOB)))
    assert place.request == {
        "backbone": "mobilenet_v2", "weights": "weights.pth", "seed": 7, "classes": ["cup", "plate"], "budget": "tiny",
    }  # fmt: skip
    assert place.job.inputs == {"weights.pth": place.folder / "mobilenet_v2.pth", "dataset": place.folder}
    assert isinstance(result, Done)
    made = result.value
    assert (made.images, made.boxes, made.handin, made.seconds) == (4, 9, None, 1.0)
    kept = {blob.name: place.context.store.path(blob).read_bytes() for blob in (made.model, made.labels)}
    assert kept == {"model.onnx": b"plain", "labels.txt": b"BACKGROUND\ncup\n"}
    assert place.context.store.path(made.suppressed).read_bytes() == b"suppressed"


def test_an_instructors_code_needs_a_model_and_labels_only(place: Place):
    code = place.file("mine.py")
    sent = {"model.onnx": b"mine", "labels.txt": b"cup\n", "training.json": b"whatever it likes"}
    result = trained(place, sent, code)
    assert place.request == {
        "backbone": "mobilenet_v2", "weights": "weights.pth", "seed": 7, "code": "mine.py", "fine_tune_epochs": 4,
    }  # fmt: skip
    assert (place.job.phase, place.job.inputs["mine.py"]) == ("train", code)
    assert isinstance(result, Done)
    assert (result.value.suppressed, result.value.handin, result.value.images) == (None, None, None)
    declared = trained(place, sent | {"handin.json": b"{}"}, code)
    assert place.context.store.path(declared.value.handin).read_bytes() == b"{}"


@pytest.mark.parametrize(
    ("files", "code", "missing"),
    [
        ({}, False, "model.onnx, labels.txt, model_nms.onnx, training.json"),
        ({name: of for name, of in PACKAGED.items() if name != "model_nms.onnx"}, False, "model_nms.onnx"),
        ({"model.onnx": b"mine"}, True, "labels.txt"),
    ],
)
def test_files_that_are_not_there_are_named(place: Place, files: dict[str, bytes], code: bool, missing: str):
    result = trained(place, files, place.file("mine.py") if code else None)
    assert isinstance(result, Failed)
    assert result.reason == f"The reference code did not write {missing}."


@pytest.mark.parametrize(
    "changes",
    [
        {"images": 0},
        {"images": 1.5},
        {"boxes": 10**9},
        {"losses": []},
        {"losses": [1.0] * 21},
        {"losses": [float("nan")]},
        {"losses": [-1.0]},
        {"cpu_seconds": float("inf")},
        {"more": 1},
    ],
)
def test_a_summary_that_is_not_as_agreed_is_refused(place: Place, changes: dict[str, Any]):
    result = trained(place, PACKAGED | {"training.json": json.dumps(SUMMARY | changes).encode()})
    assert isinstance(result, Failed)
    assert result.status == "rejected"


def test_training_that_takes_too_long_says_how_long_it_had(place: Place):
    result = trained(place, {}, status="timeout")
    assert isinstance(result, Failed)
    assert (result.status, "1234" in result.reason.replace(",", "")) == ("timeout", True)
