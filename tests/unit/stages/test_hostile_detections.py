"""What `detect` gets out of a sandbox is bounded and checked: a violation is a finding, never a crash."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hostile import NAMES, Files, Sends, context, npy, order, staged

from harness.errors import EnvironmentMissing
from harness.findings import said_to_student
from harness.sandbox.engine import Job
from harness.stages.detection.asking import Asking, Unanswered, detect, look
from harness.stages.detection.handed_in import HandedDetector
from harness.stages.detection.repeatability import largest_difference
from harness.stages.detection.reply import Rows, most_of_an_image
from harness.stages.evidence.conversion import Preprocess
from harness.stages.evidence.detections import DetectorAnswers
from harness.stages.evidence.stage_result import Done, Failed

DESCRIBED: dict[str, Any] = {
    "family": "ssd_onnx", "width": 300, "height": 300, "fit": "stretch", "colour": "RGB", "scale": 1.0,
    "mean": [127.0] * 3, "std": [128.0] * 3, "suppressed_inside": False, "background_first": True, "labels": 4,
    "names": [], "scores": "softmax-inside", "boxes": "corners", "graph_agrees": True,
}  # fmt: skip
NO_FAULTS = {"no_score": 0, "no_box": 0, "no_class": 0, "too_many": 0}


def arrays(name: str, images: list[int], moved: float = 0.0) -> dict[str, bytes]:
    """One box for each image, whose number is in its score and its place. `images`: in the order of the list."""
    numbers = np.array(images, np.float32)
    boxes = np.stack([numbers / 10, numbers / 10, numbers / 10 + 0.5 + moved, numbers / 10 + 0.5], axis=1)
    return {
        f"{name}-boxes.npy": npy(boxes.astype(np.float32)),
        f"{name}-scores.npy": npy((0.5 + numbers / 10).astype(np.float32)),
        f"{name}-labels.npy": npy(np.ones(len(images), np.int32)),
        f"{name}-images.npy": npy(np.arange(len(images), dtype=np.int32)),
    }


def sends(
    files: dict[str, bytes] | None = None, moved: float = 0.0, faults: dict[str, int] | None = None, **described: Any
) -> Callable[[Job], dict[str, bytes]]:
    """What the phase sends. `moved`: the second answers, by so much."""

    def sent(job: Job) -> dict[str, bytes]:
        request = json.loads(job.request)
        went_in, again = order(job), request["again"]
        other = went_in if request["other"] else []
        counts = {"every": len(went_in), "board": len(went_in), "again": len(again), "other": len(other)}
        reply = {"description": DESCRIBED | described, "seconds_per_image": 0.1, "boxes": counts}
        return {
            "detections.json": json.dumps(reply | {"faults": NO_FAULTS | (faults or {})}).encode(),
            **arrays("every", went_in),
            **arrays("board", went_in),
            **arrays("again", [went_in[place] for place in again], moved),
            **arrays("other", other),
        } | (files or {})

    return sent


def detected(folder: Path, files: Files, status: str = "ok", place: Any = None) -> Any:
    place = place or context(folder, files, status)
    (folder / "model.onnx").write_bytes(b"model")
    detector = HandedDetector(place.store.put(folder / "model.onnx", "model.onnx"))
    return detect(Asking(detector), staged(folder), place)


def kept(result: Any, place: Any, part: str) -> np.ndarray:
    return np.load(place.store.path(getattr(result.value.every, part)))


def test_boxes_come_back_in_the_order_of_the_held_out_set(tmp_path: Path) -> None:
    place = context(tmp_path, sends())
    result = detected(tmp_path, {}, place=place)
    assert isinstance(result, Done) and result.findings == () and isinstance(result.value, DetectorAnswers)
    assert kept(result, place, "images").tolist() == list(range(len(NAMES)))
    assert kept(result, place, "scores").tolist() == pytest.approx([0.5, 0.6, 0.7, 0.8])
    value = result.value
    assert (value.asked_twice, value.depends_on_order, value.every.count) == (len(NAMES), False, 4)
    assert DetectorAnswers.model_validate_json(value.model_dump_json()) == value


@pytest.mark.parametrize(("moved", "other"), [(1e-5, False), (5e-3, True), (0.4, True)])
def test_another_box_for_the_same_image_is_noticed(moved: float, other: bool, tmp_path: Path) -> None:
    result = detected(tmp_path, sends(moved=moved))
    assert result.value.depends_on_order is other
    assert [one.code for one in result.findings] == (["detector-depends-on-order"] if other else [])


def test_what_runs_code_is_asked_in_a_second_sandbox_that_remembers_nothing(tmp_path: Path) -> None:
    place = context(tmp_path, sends(family="torch_module"))
    assert detected(tmp_path, {}, place=place).value.depends_on_order is False
    engine = place.sandbox
    assert isinstance(engine, Sends) and len(engine.jobs) == 2 and json.loads(engine.jobs[1].request)["again"] == []


def test_faults_are_findings_with_how_many(tmp_path: Path) -> None:
    result = detected(
        tmp_path, sends(faults={"no_score": 3, "no_box": 1, "no_class": 2, "too_many": 10**6}, graph_agrees=False)
    )
    said = {one.code for one in result.findings}
    assert said == {"detector-faulty-boxes", "detector-boxes-left-out", "detector-graph-disagrees"}
    assert any("1,000,000 boxes" in one.message and "1,000 surest" in one.message for one in result.findings)


def test_a_detector_that_sees_nothing_is_said(tmp_path: Path) -> None:
    nothing = {name: content for part in ("every", "board", "again") for name, content in arrays(part, []).items()}

    def sent(job: Job) -> dict[str, bytes]:
        found = sends()(job) | nothing
        reply = json.loads(found["detections.json"]) | {"boxes": dict.fromkeys(("every", "board", "again", "other"), 0)}
        return found | {"detections.json": json.dumps(reply).encode()}

    result = detected(tmp_path, sent)
    assert [one.code for one in result.findings] == ["detector-sees-nothing"] and result.value.every.count == 0


BOXES = np.tile(np.array([0, 0, 1, 1], np.float32), (4, 1))


@pytest.mark.parametrize(
    "files",
    [
        {"every-boxes.npy": npy(np.full((4, 4), np.nan, np.float32))},
        {"every-boxes.npy": npy(BOXES[:, ::-1].copy())},
        {"every-boxes.npy": npy(BOXES * 1e6)},
        {"every-boxes.npy": npy(np.zeros((10**6, 4), np.float32))},
        {"every-boxes.npy": npy(BOXES[:3])},
        {"board-boxes.npy": npy(BOXES.astype(np.float64))},
        {"every-scores.npy": npy(np.array([0.5, 0.5, 0.5, 1.5], np.float32))},
        {"every-scores.npy": npy(np.array([0.5, 0.5, 0.5, np.nan], np.float32))},
        {"again-scores.npy": npy(np.zeros((4, 1), np.float32))},
        {"every-labels.npy": npy(np.array([0, 1, 2, -1], np.int32))},
        {"every-labels.npy": npy(np.array([0, 1, 2, 2**31 - 1], np.int32))},
        {"every-labels.npy": npy(np.zeros(4, np.int64))},
        {"every-images.npy": npy(np.array([0, 1, 2, 4], np.int32))},
        {"again-images.npy": npy(np.array([-1, 0, 1, 2], np.int32))},
        {"detections.json": b"{}"},
        {"detections.json": b"[" * 100_000},
        {"every-boxes.npy": b"not an array"},
    ],
)
def test_anything_but_plain_boxes_is_rejected(files: dict[str, bytes], tmp_path: Path) -> None:
    result = detected(tmp_path, sends(files))
    assert isinstance(result, Failed) and result.status == "rejected"
    assert [one.code for one in result.findings] == ["prediction-failed"]


def test_more_boxes_of_one_image_than_agreed_are_rejected(tmp_path: Path) -> None:
    many = most_of_an_image(len(NAMES)) + 1

    def sent(job: Job) -> dict[str, bytes]:
        found = sends()(job) | {
            "every-boxes.npy": npy(np.zeros((many, 4), np.float32)),
            "every-scores.npy": npy(np.zeros(many, np.float32)),
            "every-labels.npy": npy(np.zeros(many, np.int32)),
            "every-images.npy": npy(np.zeros(many, np.int32)),
        }
        reply = json.loads(found["detections.json"])
        return found | {"detections.json": json.dumps(reply | {"boxes": reply["boxes"] | {"every": many}}).encode()}

    result = detected(tmp_path, sent)
    assert isinstance(result, Failed) and "1,000 boxes" in result.reason


@pytest.mark.parametrize(
    "changes", [{"labels": 0}, {"width": -1}, {"names": ["x" * 201]}, {"scale": 1e999}, {"family": "../x"}, {"more": 1}]
)
def test_a_description_that_is_none_is_rejected(changes: dict[str, Any], tmp_path: Path) -> None:
    assert isinstance(detected(tmp_path, sends(**changes)), Failed)


def test_a_refusal_and_a_job_that_died_are_failures_with_a_reason(tmp_path: Path) -> None:
    refused = detected(tmp_path, {"refused.json": b'{"reason": "its scores are NaN"}'})
    assert isinstance(refused, Failed) and refused.detail == "its scores are NaN"
    assert detected(tmp_path, {}, "timeout").status == "timeout"


def test_what_a_detector_says_that_it_needs_is_no_way_out_for_what_it_saw(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs = {"needs.json": b'{"environment": "keras", "why": "a duck at 0.1 0.2"}'}
    result = detected(tmp_path, needs)
    assert isinstance(result, Failed) and result.detail == "a duck at 0.1 0.2", "it asks for it there, too"
    assert "duck" not in result.reason and all("duck" not in said_to_student(one.message) for one in result.findings)
    monkeypatch.setattr(Sends, "software_id", lambda self, software: None)
    with pytest.raises(EnvironmentMissing, match=r"environment keras\n"):
        detected(tmp_path, needs)


def test_a_need_that_only_the_second_sandbox_has_is_a_failure(tmp_path: Path) -> None:
    def sent(job: Job) -> dict[str, bytes]:
        first = json.loads(job.request)["again"]
        return sends(family="own_code")(job) if first else {"needs.json": b'{"environment": "keras", "why": "a duck"}'}

    result = detected(tmp_path, sent)
    assert isinstance(result, Failed) and "duck" not in result.reason and result.detail == "a duck"


def test_a_missing_environment_is_said_with_why_where_no_image_is_a_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = context(tmp_path, {"needs.json": b'{"environment": "keras", "why": "it is TensorFlow Lite"}'})
    (tmp_path / "model.onnx").write_bytes(b"model")
    asking = Asking(HandedDetector(place.store.put(tmp_path / "model.onnx", "model.onnx")))
    with pytest.raises(Unanswered, match="TensorFlow Lite"):
        look(asking, staged(tmp_path), (0, 1), place)
    monkeypatch.setattr(Sends, "software_id", lambda self, software: None)
    with pytest.raises(EnvironmentMissing, match="TensorFlow Lite"):
        look(asking, staged(tmp_path), (0, 1), place)


def test_own_code_goes_in_under_the_names_that_it_knows(tmp_path: Path) -> None:
    place = context(tmp_path, sends())
    blobs = {}
    for name in ("predict.py", "best.pt", "model.onnx", "weights.bin"):
        (tmp_path / name).write_text(name)
        blobs[name] = place.store.put(tmp_path / name, name)
    files = (("predict.py", blobs["predict.py"]), ("weights/best.pt", blobs["best.pt"]))
    request, inputs = HandedDetector(None, files, void=(3,)).request(place)
    assert request["file"] == "own/predict.py" and request["void"] == [3]
    assert set(inputs) == {"own/predict.py", "own/weights/best.pt"}
    rule = Preprocess(width=300, height=300, colour="RGB", scale=1, mean=(0, 0, 0), std=(1, 1, 1), resize="stretch")
    onnx = HandedDetector(blobs["model.onnx"], data=(("weights/w.bin", blobs["weights.bin"]),), preprocess=rule)
    request, inputs = onnx.request(place)
    assert request["file"] == "model" and request["data"] == {"weights/w.bin": "data-0"}
    assert set(inputs) == {"model", "data-0"} and request["rule"] == rule.model_dump()


def test_a_box_without_a_partner_counts_as_the_largest_difference() -> None:
    def rows(scores: list[float], labels: list[int]) -> Rows:
        many = len(scores)
        boxes = np.tile(np.array([0.1, 0.1, 0.5, 0.5], np.float32), (many, 1))
        return Rows(boxes, np.array(scores, np.float32), np.array(labels, np.int32), np.zeros(many, np.int32))

    one = rows([0.9, 0.6], [1, 2])
    assert largest_difference(one, rows([0.9, 0.6], [1, 2]), [0]) == 0
    assert largest_difference(one, rows([0.9, 0.58], [1, 2]), [0]) == pytest.approx(0.02, abs=1e-6)
    assert largest_difference(one, rows([0.9, 0.6], [1, 1]), [0]) == 1
    assert largest_difference(rows([0.9], [1]), one, [0]) == 1
    assert largest_difference(rows([0.9, 0.02], [1, 2]), rows([0.9], [1]), [0]) == 0, "too unsure to say anything"
    assert largest_difference(rows([0.04], [1]), rows([0.04], [2]), [0]) == 1, "AP asks only for the scores' order"
    assert largest_difference(rows([0.04, 0.01], [1, 2]), rows([0.04], [1]), [0]) == 0
    assert largest_difference(one, one, []) == 0
