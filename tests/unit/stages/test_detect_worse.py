"""The stage `detect_worse`: what comes back is put in order, bounded and checked, and boxes never go in."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from example_detector import detector_answers, kept_nowhere
from example_evidence import BLOB
from hostile import NAMES, context, npy, order

from harness.inputs.assignment.sections import Robustness
from harness.inputs.given_weights import GivenWeights
from harness.inputs.images import NO_TRAINING_IMAGES, HeldOutSet, ImageObjects, LabelledBox, StagedImages
from harness.sandbox.engine import Job
from harness.stages.context import StageContext
from harness.stages.detection.detect_worse import DETECT_WORSE, DetectWorseRequest, affordable
from harness.stages.detection.swap_backgrounds import SWAP_BACKGROUNDS, SwapBackgroundsRequest
from harness.stages.evidence.stage_result import Done, Skipped

RULES = Robustness(images=4, severities=(2,), corruptions=("blur", "rotation"))
EACH = 3
MANY = 10**6 + 1


def arrays(name: str, images: list[int], numbers: list[int]) -> dict[str, bytes]:
    """A box for each of `images`, in the phase's numbering, with a label that says what it stands for."""
    count = len(images)
    return {
        f"{name}-boxes.npy": npy(np.tile(np.array([0.1, 0.1, 0.5, 0.5], np.float32), (count, 1))),
        f"{name}-scores.npy": npy(np.full(count, 0.5, np.float32)),
        f"{name}-labels.npy": npy(np.array(numbers, np.int32)),
        f"{name}-images.npy": npy(np.array(images, np.int32)),
    }


def honest(job: Job) -> dict[str, bytes]:
    went_in = order(job)
    numbers = [10 * image + version for image in went_in for version in range(EACH)]
    return {
        "worse.json": json.dumps({"corrupted": len(numbers), "unseen": 30}).encode(),
        **arrays("corrupted", list(range(len(numbers))), numbers),
        **arrays("unseen", list(range(30)), list(range(30))),
    }


def staged(folder: Path) -> StagedImages:
    for name in NAMES:
        (folder / name).write_text(name)
    return StagedImages(folder, NAMES, "0" * 64)


def asked(folder: Path, place: StageContext, rules: Robustness = RULES, **changes: Any) -> Any:
    (folder / "model.onnx").write_bytes(b"model")
    model = place.store.put(folder / "model.onnx", "model.onnx")
    said = detector_answers(kept_nowhere(BLOB), model=model, **changes)
    request = DetectWorseRequest(said, NO_TRAINING_IMAGES, GivenWeights(None, {}, {}), staged(folder), None, rules)
    return DETECT_WORSE.work(request, place)


def test_boxes_are_put_in_order_whatever_the_order_in_which_images_went_in(tmp_path: Path):
    place = context(tmp_path, honest)
    result = asked(tmp_path, place)
    assert isinstance(result, Done), result
    value = result.value
    assert value.versions == (("blur", 2), ("rotation", 2)) and sorted(value.images) == [0, 1, 2, 3]
    rows, numbers = (np.load(place.store.path(getattr(value.corrupted, part))) for part in ("images", "labels"))
    expected = [10 * image + version for version in range(EACH) for image in value.images]
    assert numbers.tolist() == expected and rows.tolist() == list(range(len(expected)))
    assert value.seeds[0] == int.from_bytes(hashlib.sha256(NAMES[value.images[0]].encode()).digest()[:4])
    assert (value.unseen_images, value.unseen_source, value.unseen.count) == (30, "patterns", 30)


def test_the_request_tells_nothing_of_boxes(tmp_path: Path):
    place = context(tmp_path, honest)
    asked(tmp_path, place)
    (job,) = place.sandbox.jobs  # type: ignore[attr-defined]
    assert set(json.loads(job.request)) == {
        "file", "rule", "scaling", "data", "void", "named", "cpus", "versions", "patterns", "most", "seconds"
    }  # fmt: skip
    assert not job.images["check"] and not job.images["unseen"]


@pytest.mark.parametrize("scenes", [(), (5, 5, 6, 7)])
def test_where_objects_get_another_background_each_image_goes_in_with_its_scene(
    scenes: tuple[int, ...], tmp_path: Path
):
    def sent(job: Job) -> dict[str, bytes]:
        pictures = {f"{number}-{kind}.png": b"png" for number in range(4) for kind in ("own", "other")}
        return pictures | {"backgrounds.json": b'{"source": "parts"}'}

    place, objects = context(tmp_path, sent), (ImageObjects(9, 9, (LabelledBox(0, 0.1, 0.1, 0.5, 0.5),)),) * 4
    held_out = HeldOutSet(("mug",), tuple(map(Path, NAMES)), (), "1" * 64, scenes=scenes, objects=objects)
    result = SWAP_BACKGROUNDS.work(SwapBackgroundsRequest(held_out, staged(tmp_path), None, 4), place)
    assert isinstance(result, Done), result
    (job,) = place.sandbox.jobs  # type: ignore[attr-defined]
    assert json.loads(job.request)["scenes"] == [(scenes or range(4))[image] for image in order(job)]


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"worse.json": b'{"corrupted": -1, "unseen": 0}'},
        {"worse.json": json.dumps({"corrupted": MANY, "unseen": 0}).encode()},
        {"worse.json": b'{"corrupted": 1, "unseen": 0, "truth": []}'},
        {
            "worse.json": b'{"corrupted": 1, "unseen": 1}',
            **arrays("corrupted", [12], [0]),
            **arrays("unseen", [0], [0]),
        },
        {
            "worse.json": b'{"corrupted": 1, "unseen": 1}',
            **arrays("corrupted", [0], [0]),
            **arrays("unseen", [30], [0]),
        },
        {"refused.json": b'{"reason": "the model is too slow for this"}'},
    ],
)
def test_any_other_reply_leaves_the_stage_out(tmp_path: Path, files: dict[str, bytes]):
    result = asked(tmp_path, context(tmp_path, files))
    assert isinstance(result, Skipped) and "worse images" in result.reason


def test_nothing_is_asked_where_the_assignment_does_not_want_it(tmp_path: Path):
    place = context(tmp_path, honest)
    assert isinstance(asked(tmp_path, place, Robustness(enabled=False)), Skipped)
    assert not place.sandbox.jobs  # type: ignore[attr-defined]


@pytest.mark.parametrize(("seconds", "images"), [(0.05, 40), (0.15, 20), (0.5, 5), (60, 5)])
def test_a_slow_detector_is_tried_on_fewer_images(seconds: float, images: int):
    assert affordable(Robustness(), seconds) == images
