"""What `predict` gets out of a sandbox is bounded and checked: a violation is a finding, never a crash."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hostile import Files, context, conversion, npy, order, staged

from harness.sandbox.engine import Job
from harness.stages.evidence.stage_result import Done, Failed
from harness.stages.predict import predict

ROWS = np.asarray([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.2, 0.2, 0.6], [0.3, 0.3, 0.4]], np.float32)

PREDICTED: dict[str, Any] = {"seconds_per_image": 0.01, "probed": 2, "probes": ["zero-one"]}


def predict_files(
    rows: bytes | None = None,
    again: np.ndarray = ROWS,
    files: dict[str, bytes] | None = None,
    answers: np.ndarray = ROWS,
    **changes: Any,
) -> Callable[[Job], dict[str, bytes]]:
    """What the phase sends: rows in the order in which the images went in; `again`: those of the second answers.

    `answers`: row i is the first answer to image i. `rows`: sent in place of them, whatever the order.
    """

    def sent(job: Job) -> dict[str, bytes]:
        asked = json.loads(job.request)
        went_in = order(job)
        return {
            "predictions.json": json.dumps(PREDICTED | {"probed": len(asked["probes"][:2])} | changes).encode(),
            "probabilities.npy": npy(answers[went_in]) if rows is None else rows,
            "again.npy": npy(again[[went_in[place] for place in asked["again"]]]),
            "probe-zero-one.npy": npy(ROWS[[went_in[place] for place in asked["probes"][:2]]]),
        } | (files or {})

    return sent


def predicted(tmp_path: Path, files: Files, status: str = "ok", **model: Any) -> Any:
    place = context(tmp_path, files, status)
    return predict(conversion(place.store, tmp_path, **model), staged(tmp_path), place)


def test_predictions_come_back_in_the_order_of_the_held_out_set(tmp_path: Path) -> None:
    place = context(tmp_path, predict_files())
    result = predict(conversion(place.store, tmp_path), staged(tmp_path), place)
    assert isinstance(result, Done) and result.findings == ()
    value = result.value
    assert np.array_equal(np.load(place.store.path(value.probabilities)), ROWS)
    assert np.array_equal(np.load(place.store.path(value.probes["zero-one"])), ROWS[list(value.probe_images)])
    assert (value.asked_twice, value.largest_difference, value.depends_on_order) == (4, 0.0, False)


@pytest.mark.parametrize(
    ("moved", "other"),
    [(1e-6, False), (1e-5, False), (5e-4, False), (2e-3, True), (0.5, True)],
)
def test_another_answer_to_the_same_image_is_noticed(moved: float, other: bool, tmp_path: Path) -> None:
    again = ROWS.copy()
    again[0] += np.asarray([-moved, moved, 0], np.float32)
    result = predicted(tmp_path, predict_files(again=again))
    assert isinstance(result, Done) and result.value.depends_on_order is other
    assert [f.code for f in result.findings] == (["answers-depend-on-order"] if other else [])


def test_another_answer_in_a_fresh_sandbox_is_noticed_too(tmp_path: Path) -> None:
    """A process of a student's can remember what it said; the next sandbox cannot."""
    jobs: list[Job] = []
    honest, other = predict_files(), predict_files(answers=ROWS[::-1])

    def sent(job: Job) -> dict[str, bytes]:
        jobs.append(job)
        return (honest if len(jobs) % 2 else other)(job)

    result = predicted(tmp_path, sent, native=True)
    assert len(jobs) == 2 and result.value.depends_on_order
    assert predicted(tmp_path, honest, native=True).value.depends_on_order is False
    assert predicted(tmp_path, honest).value.asked_twice == 4, "a graph remembers nothing, and is asked in one sandbox"


@pytest.mark.parametrize("again", [ROWS[:3], ROWS[:, :2], ROWS.astype(np.float64), np.full_like(ROWS, np.nan)])
def test_second_answers_that_are_none(again: np.ndarray, tmp_path: Path) -> None:
    result = predicted(tmp_path, predict_files(files={"again.npy": npy(again)}))
    assert isinstance(result, Failed) and result.status == "rejected"


def bad_rows() -> dict[str, bytes]:
    nan, negative, much = ROWS.copy(), ROWS.copy(), ROWS.copy()
    nan[0, 0] = np.nan
    negative[0] = (-0.5, 1.0, 0.5)
    much[0, 0] = 3.0
    return {
        "nan": npy(nan),
        "infinite": npy(np.full_like(ROWS, np.inf)),
        "negative": npy(negative),
        "sum": npy(much),
        "float64": npy(ROWS.astype(np.float64)),
        "transposed": npy(np.ascontiguousarray(ROWS.T)),
        "a column more": npy(np.full((4, 4), 0.25, np.float32)),
        "an image less": npy(ROWS[:3]),
        "pickled": npy(np.asarray([{"a": 1}] * 4, dtype=object), allow_pickle=True),
        "a pickle": pickle.dumps(ROWS),
        "npz": b"PK\x03\x04" + b"\0" * 60,
        "empty": b"",
        "huge shape": npy(ROWS).replace(b"(4, 3), }      ", b"(4, 300000000)}"),
        "big endian": npy(ROWS.astype(">f4")),
        "huge header": b"\x93NUMPY\x01\x00\xff\xff" + b" " * 3000,
        "too large": npy(ROWS) + b"\0" * 10_000,
    }


@pytest.mark.parametrize("defect", bad_rows())
def test_probabilities_that_are_none(defect: str, tmp_path: Path) -> None:
    result = predicted(tmp_path, predict_files(bad_rows()[defect]))
    assert isinstance(result, Failed) and result.status == "rejected"
    assert [f.code for f in result.findings] == ["prediction-failed"]


@pytest.mark.parametrize(
    "changes",
    [
        {"seconds_per_image": -1},
        {"seconds_per_image": float("inf")},
        {"probed": 5},
        {"probed": -1},
        {"names": ["other.png"]},
        {"probes": ["../../etc/passwd"]},
        {"accuracy": 1.0},
    ],
)
def test_a_prediction_reply_that_is_not_as_agreed(changes: dict[str, Any], tmp_path: Path) -> None:
    result = predicted(tmp_path, predict_files(**changes))
    assert isinstance(result, Failed) and result.status == "rejected"


@pytest.mark.parametrize("content", [b"", b"[" * 100_000, b"\xff\xfe", b"{}", b" " * (33 * 2**20)])
def test_a_prediction_reply_that_is_no_json(content: bytes, tmp_path: Path) -> None:
    result = predicted(tmp_path, predict_files(files={"predictions.json": content}))
    assert isinstance(result, Failed)


def test_nothing_sent_at_all(tmp_path: Path) -> None:
    result = predicted(tmp_path, {})
    assert isinstance(result, Failed) and "predictions.json was not sent" in result.reason


@pytest.mark.parametrize("status", ["timeout", "memory", "killed", "failed", "output"])
def test_a_job_that_ended_badly_is_believed_over_its_files(status: str, tmp_path: Path) -> None:
    assert isinstance(predicted(tmp_path, predict_files(), status), Failed)


def test_a_probe_that_overflowed_is_left_out(tmp_path: Path) -> None:
    files = predict_files(files={"probe-zero-one.npy": npy(np.full((2, 3), np.nan, np.float32))})
    result = predicted(tmp_path, files)
    assert isinstance(result, Done) and result.value.probes == {}


def test_the_same_answer_for_every_image_is_noticed(tmp_path: Path) -> None:
    same = np.tile(ROWS[0], (4, 1))
    result = predicted(tmp_path, predict_files(npy(same), same))
    assert isinstance(result, Done)
    assert [f.code for f in result.findings] == ["constant-output"]
