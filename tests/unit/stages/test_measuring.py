"""What is not declared is measured on training images, and what a sandbox says of them is bounded and checked."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hostile import LABELS, Files, Sends, context, conversion, npy

from harness.inputs.images import TrainingImages
from harness.sandbox.engine import Job
from harness.stages.evidence.stage_result import Done
from harness.stages.measuring import measured

ASSUMED = {
    "width": 32, "height": 32, "colour": "RGB", "scale": 1.0, "mean": [0, 0, 0], "std": [1, 1, 1], "resize": "stretch",
    "crop_fraction": 1.0,
}  # fmt: skip
ZERO_ONE = ASSUMED | {"scale": 1 / 255}
WAYS = {"raw-0-255": ASSUMED, "zero-one": ZERO_ONE}


def rows_of(classes: list[int]) -> np.ndarray:
    return np.eye(len(LABELS), dtype=np.float32)[classes]


def answering(as_assumed: Callable[[int], int], otherwise: Callable[[int], int], **changes: Any) -> Files:
    """A model that names these outputs for an image of class `i`, with the assumed pixels and with 0..1."""

    def sent(job: Job) -> dict[str, bytes]:
        shows = [LABELS.index(file.parent.name) for file in job.images["images"]]
        asked = json.loads(job.request)["ways"]
        ways = {name: rule for name, rule in WAYS.items() if name == "raw-0-255" or asked is None or name in asked}
        reply = {"images": list(range(len(shows))), "ways": [{"name": n, "rule": r} for n, r in ways.items()]}
        says = [as_assumed, otherwise]
        files = {f"answers-{n}.npy": npy(rows_of([says[n](i) for i in shows])) for n in range(len(ways))}
        return {"measured.json": json.dumps(reply | changes).encode(), **files}

    return sent


def measure(
    folder: Path, files: Files, each: int = 20, status: str = "ok", guessed: tuple[str, ...] = ("preprocessing",)
) -> tuple[Any, list[Job]]:
    images = {}
    for name in LABELS:
        (folder / name).mkdir(exist_ok=True)
        images[name] = [folder / name / f"{number:02}.png" for number in range(each)]
        for file in images[name]:
            file.write_bytes(file.name.encode())
    place = context(folder, files, status)
    handed = conversion(place.store, folder, guessed=guessed, assumed="as usual" if "preprocessing" in guessed else "")
    training = TrainingImages(None, "x", tuple, lambda: images)
    result = measured(Done(value=handed, findings=()), training, LABELS, place)
    sandbox = place.sandbox
    assert isinstance(sandbox, Sends)
    return result, sandbox.jobs


def right(one: int) -> int:
    return one


def always_first(_: int) -> int:
    return 0


def test_what_is_clear_on_the_first_images_is_taken_after_one_look(tmp_path: Path) -> None:
    result, jobs = measure(tmp_path, answering(always_first, right))
    assert result.value.preprocess.scale == 1 / 255 and not result.value.unsettled
    assert result.value.assumed == "RGB pixels 0 to 1, stretched to 32 x 32; measured on 24 training images"
    [found] = result.findings
    assert found.code == "preprocessing-measured" and "100% are right" in found.message and "33%" in found.message
    assert [len(job.images["images"]) for job in jobs] == [24]


def test_labels_stay_outside_and_images_go_in_by_no_order(tmp_path: Path) -> None:
    _, jobs = measure(tmp_path, answering(always_first, right), guessed=("preprocessing", "labels"))
    for job in jobs:
        assert not any(name in job.request.decode() for name in LABELS)
        shown = [file.parent.name for file in job.images["images"]]
        assert shown != sorted(shown) and {shown.count(name) for name in LABELS} == {8}
        assert set(job.inputs) == {"model"}


def test_an_order_of_the_labels_is_taken(tmp_path: Path) -> None:
    def shifted(one: int) -> int:
        return (one + 1) % 3

    result, jobs = measure(tmp_path, answering(shifted, shifted), guessed=("labels",))
    assert result.value.labels == ("mug", "ball", "bottle") and result.value.preprocess.scale == 1.0
    assert [found.code for found in result.findings] == ["labels-measured"]
    assert json.loads(jobs[0].request)["ways"] == []  # what is declared is not tried


def test_few_images_leave_it_open(tmp_path: Path) -> None:
    result, _ = measure(tmp_path, answering(always_first, right), each=3)
    assert result.value.unsettled and result.value.preprocess.scale == 1.0
    assert [found.code for found in result.findings] == ["undeclared-unclear", "preprocessing-assumed"]
    assert "9 training images do not show what is meant" in result.findings[0].message


def test_what_fits_stays_and_the_finding_says_what_was_measured(tmp_path: Path) -> None:
    result, jobs = measure(tmp_path, answering(right, right), guessed=("preprocessing", "labels"))
    assert not result.value.unsettled and result.value.labels == LABELS and len(jobs) == 1
    assert [found.code for found in result.findings] == ["preprocessing-assumed", "labels-missing"]
    assert all("24 training images" in found.message for found in result.findings)


def test_nothing_runs_when_all_is_declared_or_there_are_no_images(tmp_path: Path) -> None:
    for guessed, each in (((), 20), (("preprocessing",), 0)):
        result, jobs = measure(tmp_path, answering(always_first, right), each=each, guessed=guessed)
        assert jobs == [] and result.findings == () and not result.value.unsettled


@pytest.mark.parametrize("status", ["timeout", "memory", "killed", "failed", "output"])
def test_a_model_that_breaks_while_it_is_measured_waits_for_a_person(status: str, tmp_path: Path) -> None:
    result, _ = measure(tmp_path, answering(right, right), status=status)
    assert result.value.unsettled and result.value.preprocess.scale == 1.0
    assert [found.code for found in result.findings] == ["undeclared-not-measured"]


ONE = {"name": "raw-0-255", "rule": ASSUMED}


@pytest.mark.parametrize(
    "changes",
    [
        {"images": []},
        {"images": [0, 0]},
        {"images": [1, 0]},
        {"images": [-1]},
        {"images": [10**9]},
        {"ways": []},
        {"ways": [{"name": "zero-one", "rule": ZERO_ONE}]},
        {"ways": [ONE, ONE]},
        {"ways": [ONE, {"name": "mine", "rule": ZERO_ONE}]},
        {"ways": [ONE, {"name": "zero-one", "rule": ZERO_ONE | {"width": 64}}]},
        {"classes": ["ball"]},
    ],
)
def test_a_reply_that_is_not_as_agreed(changes: dict[str, Any], tmp_path: Path) -> None:
    result, _ = measure(tmp_path, answering(always_first, right, **changes))
    assert result.value.unsettled and result.value.preprocess.scale == 1.0
    assert [found.code for found in result.findings] == ["undeclared-not-measured"]


@pytest.mark.parametrize("broken", [np.full((24, 3), np.nan, np.float32), np.ones((24, 3), np.float32)])
def test_a_way_without_usable_answers_is_left_out(broken: np.ndarray, tmp_path: Path) -> None:
    def sent(job: Job) -> dict[str, bytes]:
        return {**answering(right, right)(job), "answers-1.npy": npy(broken)}  # type: ignore[operator]

    result, _ = measure(tmp_path, sent)
    assert [found.code for found in result.findings] == ["preprocessing-assumed"] and not result.value.unsettled
