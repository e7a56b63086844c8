"""Whatever comes out of a sandbox is bounded and checked: a violation is a finding, never a crash."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hostile import LABELS, Files, context, conversion, npy, order, predictions, staged

from harness.inputs.assignment.sections import BenchmarkRules, ReferenceSolution
from harness.sandbox.engine import Job
from harness.stages.benchmark import benchmark
from harness.stages.convert import HandedModel, convert
from harness.stages.evidence.stage_result import Done, Failed, Skipped
from harness.stages.inspect import inspect
from harness.stages.latency_statistics import nearest_rank, ratio_interval_in_turn
from harness.stages.predict import predict
from harness.stages.store import Store
from harness.stages.train import train

ROWS = np.asarray([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.2, 0.2, 0.6], [0.3, 0.3, 0.4]], np.float32)

PREDICTED: dict[str, Any] = {"seconds_per_image": 0.01, "probed": 2, "probes": ["zero-one"]}


def predict_files(
    rows: bytes | None = None, again: np.ndarray = ROWS, files: dict[str, bytes] | None = None, **changes: Any
) -> Callable[[Job], dict[str, bytes]]:
    """What the phase sends: rows in the order in which the images went in; `again`: those of the second answers."""

    def sent(job: Job) -> dict[str, bytes]:
        asked = json.loads(job.request)
        went_in = order(job)
        return {
            "predictions.json": json.dumps(PREDICTED | {"probed": len(asked["probes"][:2])} | changes).encode(),
            "probabilities.npy": npy(ROWS[went_in]) if rows is None else rows,
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
    honest, other = predict_files(), predict_files(npy(ROWS[::-1].copy()))

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


CONVERTED: dict[str, Any] = {
    "source_format": "onnx",
    "layout": "NCHW",
    "input_dtype": "float32",
    "outputs": 3,
    "output_kind": "logits",
    "within_unit": False,
    "only_original_varies": False,
    "default": "torchvision-imagenet",
    "rule": {
        "width": 32,
        "height": 32,
        "colour": "RGB",
        "scale": 1.0,
        "mean": [0, 0, 0],
        "std": [1, 1, 1],
        "resize": "stretch",
        "crop_fraction": 1.0,
    },
    "images_compared": 8,
    "native": "",
    "dynamic_batch": True,
    "max_abs_difference": 1e-6,
    "opset": 18,
}


def converted(tmp_path: Path, files: dict[str, bytes] | None = None, **changes: Any) -> Any:
    (tmp_path / "handed.onnx").write_bytes(b"a model")
    sent = {"conversion.json": json.dumps(CONVERTED | changes).encode(), "model.onnx": b"converted"}
    place = context(tmp_path, sent if files is None else files)
    return convert(HandedModel(tmp_path / "handed.onnx"), LABELS, (), None, place)


def test_a_conversion_as_agreed(tmp_path: Path) -> None:
    result = converted(tmp_path)
    assert isinstance(result, Done) and result.value.labels == LABELS
    assert [f.code for f in result.findings] == ["labels-missing", "preprocessing-assumed"]


@pytest.mark.parametrize(
    "changes",
    [
        {"source_format": "../../x"},
        {"layout": "CHWN"},
        {"outputs": -1},
        {"outputs": 2**70},
        {"max_abs_difference": -1},
        {"max_abs_difference": float("nan")},
        {"default": "mine"},
        {"rule": {**CONVERTED["rule"], "width": 10**9}},
        {"rule": {**CONVERTED["rule"], "mean": [0]}},
        {"labels": ["a"]},
    ],
)
def test_a_conversion_that_is_not_as_agreed(changes: dict[str, Any], tmp_path: Path) -> None:
    result = converted(tmp_path, **changes)
    assert isinstance(result, Failed) and result.status == "rejected"


def test_a_conversion_without_its_model(tmp_path: Path) -> None:
    result = converted(tmp_path, {"conversion.json": json.dumps(CONVERTED).encode()})
    assert isinstance(result, Failed) and "model.onnx was not sent" in result.reason


def test_another_number_of_outputs_than_labels(tmp_path: Path) -> None:
    result = converted(tmp_path, outputs=4)
    assert isinstance(result, Failed) and result.status == "rejected"
    assert [f.code for f in result.findings] == ["labels-missing", "labels-wrong-count"]


def test_a_refusal_is_shown_in_one_line(tmp_path: Path) -> None:
    reason = json.dumps({"reason": "bad\n<script>\x1b[31m" + "x" * 3000}).encode()
    result = converted(tmp_path, {"refused.json": reason})
    assert isinstance(result, Failed)
    assert "\n" not in result.reason and "\x1b" not in result.reason and len(result.reason) < 500


def layers(*changes: float | None, used: bool | None = True, why: str = "") -> dict[str, Any]:
    compared = [
        {"name": f"features.{i}", "elements": 100, "identical": change == 0, "relative_change": change}
        for i, change in enumerate(changes)
    ]
    return {
        "layers": compared,
        "untouched_parameters": 100 * changes.count(0),
        "new_layers": 1,
        "used": used,
        "why_unused": why,
    }


def inspected(tmp_path: Path, backbones: dict[str, Any], model: dict[str, Any] | None = None, **changes: Any) -> Any:
    reply = {
        "parameters": 1000,
        "multiply_adds": 20,
        "uncounted": [],
        "weight_tensors": 5,
        "convolutions": 4,
        "structure": 1.0,
        "head_initialised_as": "",
        "scales_its_input": False,
        "backbones": backbones,
    } | changes
    place = context(tmp_path, {"inspection.json": json.dumps(reply).encode()})
    given = {name: tmp_path / f"{name}.pth" for name in ("vgg16", "mobilenet_v2")}
    return inspect(conversion(place.store, tmp_path, **(model or {})), given, staged(tmp_path), len(LABELS), place)


@pytest.mark.parametrize(
    ("changes", "verdict", "codes"),
    [
        ((0, 0, 0, 0), "feature-extraction", []),
        ((0, 0, 0, None), "feature-extraction", []),
        ((0, 0, 0, 0.2), "fine-tuned", []),
        ((0.01, 0.02, 0.01, 0.02), "fine-tuned", []),
        ((0.2, 0.3, 0.4, 0.3), "fine-tuned", ["no-layer-frozen"]),
        ((None, None, None, None), "from-scratch", ["trained-from-scratch"]),
    ],
)
def test_the_verdict_follows_from_the_layers(
    changes: tuple[float | None, ...], verdict: str, codes: list[str], tmp_path: Path
) -> None:
    result = inspected(tmp_path, {"vgg16": layers(*changes), "mobilenet_v2": layers(None, None, None)})
    assert isinstance(result, Done)
    assert result.value.verdict == verdict
    assert result.value.backbone == (None if verdict == "from-scratch" else "vgg16")
    assert [f.code for f in result.findings] == codes


def test_layers_are_counted_as_frozen_moved_and_new(tmp_path: Path) -> None:
    value = inspected(tmp_path, {"vgg16": layers(0, 0, 0.01, 0.2, None)}).value
    assert (value.frozen_layers, value.moved_layers, value.new_layers) == (2, 2, 1)
    assert (value.first_moved_layer, value.total_parameters, value.trainable_parameters) == (3, 1000, 800)


def test_weights_that_the_answers_do_not_rest_on_are_no_transfer_learning(tmp_path: Path) -> None:
    result = inspected(tmp_path, {"vgg16": layers(0, 0, 0, 0, used=False, why="not-carried")})
    value = result.value
    assert (value.verdict, value.frozen_layers, value.trainable_parameters) == ("from-scratch", 0, 1000)
    assert [f.code for f in result.findings] == ["backbone-unused"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, False),
        ({"native": True}, True),
        ({"source_format": "whole_module"}, True),
        ({"source_format": "keras"}, False),
    ],
)
def test_what_a_format_that_runs_code_says_is_self_reported(
    changes: dict[str, Any], said: bool, tmp_path: Path
) -> None:
    value = inspected(tmp_path, {"vgg16": layers(0, 0, 0, used=None)}, model=changes).value
    assert value.self_reported is said


def test_a_backbone_whose_use_cannot_be_shown_is_named(tmp_path: Path) -> None:
    result = inspected(tmp_path, {"vgg16": layers(0, 0, 0, 0, used=None, why="unusual-graph")})
    assert (result.value.verdict, result.value.why_unused) == ("unknown", "unusual-graph")
    assert [f.code for f in result.findings] == ["backbone-use-unclear"]
    assert result.origin == "measured-inside"


def test_what_a_native_model_says_of_its_weights_is_self_reported(tmp_path: Path) -> None:
    result = inspected(tmp_path, {"vgg16": layers(0, 0, 0, used=None)}, model={"native": True})
    assert result.origin == "self-reported"


def test_a_model_that_says_the_same_to_every_image_proves_nothing(tmp_path: Path) -> None:
    assert inspected(tmp_path, {"vgg16": layers(0, 0, 0, 0, used=None)}).value.verdict == "unknown"


@pytest.mark.parametrize(
    ("convolutions", "structure", "verdict"),
    [(52, 1.9, "unknown"), (52, 1.02, "from-scratch"), (4, 3.0, "from-scratch")],
)
def test_a_backbone_that_is_not_known_here_is_not_called_trained_from_scratch(
    convolutions: int, structure: float, verdict: str, tmp_path: Path
) -> None:
    result = inspected(tmp_path, {"vgg16": layers(None, None, None)}, convolutions=convolutions, structure=structure)
    assert result.value.verdict == verdict
    assert [f.code for f in result.findings] == (["trained-from-scratch"] if verdict == "from-scratch" else [])


@pytest.mark.parametrize(
    "changes",
    [{"parameters": -1}, {"multiply_adds": 2**60}, {"uncounted": ["x" * 100]}, {"layers": []}],
)
def test_an_inspection_that_is_not_as_agreed(changes: dict[str, Any], tmp_path: Path) -> None:
    assert isinstance(inspected(tmp_path, {}, **changes), Failed)


def test_a_backbone_that_nobody_asked_about_does_not_count(tmp_path: Path) -> None:
    result = inspected(tmp_path, {"resnet": layers(0, 0, 0, 0)})
    assert isinstance(result, Done) and result.value.backbone is None


TIMED: dict[str, Any] = {
    "blocks": {"model": [4, 4], "reference": [2, 2]},
    "answers": {"model": {"inputs": [0, 1], "counts": [4, 4]}, "reference": {"inputs": [0], "counts": [4]}},
    "stateful": {"model": [], "reference": []},
    "peak_memory_bytes": {"model": 10**8, "reference": 10**8},
    "warm_up_seconds": 1.0,
    "images": 2,
    "cpus": 2,
    "engine": "onnxruntime 1.30.0 CPU",
}


def benchmarked(
    tmp_path: Path, files: dict[str, bytes] | Callable[[Job], dict[str, bytes]] | None = None, **changes: Any
) -> Any:
    def sent(job: Job) -> dict[str, bytes]:
        return {
            "benchmark.json": json.dumps(TIMED | changes).encode(),
            "latencies-model.npy": npy(np.full(8, 10, np.float32)),
            "latencies-reference.npy": npy(np.full(4, 5, np.float32)),
            "answers-low-model.npy": npy(ROWS[order(job)][:2]),
            "answers-high-model.npy": npy(ROWS[order(job)][:2]),
        } | ((files(job) if callable(files) else files) or {})

    place = context(tmp_path, sent)
    model = conversion(place.store, tmp_path)
    kept = predictions(place.store, tmp_path, ROWS)
    return benchmark(model, model, kept, staged(tmp_path), BenchmarkRules(), place)


def test_a_benchmark_as_agreed(tmp_path: Path) -> None:
    result = benchmarked(tmp_path)
    assert isinstance(result, Done)
    assert result.value.ratio == 2.0 and result.value.ratio_interval == (2.0, 2.0)
    assert result.value.model.throughput_per_s == pytest.approx(100)
    assert result.value.outputs_agree
    assert [f.code for f in result.findings] == ["benchmark-unsteady"]  # 8 queries of 64


@pytest.mark.parametrize("end", ["low", "high"])
def test_other_answers_than_before_are_noticed(end: str, tmp_path: Path) -> None:
    """Half of them, to one of two images; the other half was right."""

    def one_is_another(job: Job) -> dict[str, bytes]:
        rows = ROWS[order(job)][:2].copy()
        rows[1] = np.roll(rows[1], 1)
        return {f"answers-{end}-model.npy": npy(rows)}

    result = benchmarked(tmp_path, one_is_another)
    assert isinstance(result, Done) and not result.value.outputs_agree
    assert (result.value.answers.checked, result.value.answers.different) == (8, 4)
    assert "benchmark-outputs-differ" in [f.code for f in result.findings]


def test_a_model_that_may_keep_a_state_is_named(tmp_path: Path) -> None:
    result = benchmarked(tmp_path, stateful={"model": ["RandomNormal"], "reference": []})
    assert isinstance(result, Done) and result.value.stateful_operators == ("RandomNormal",)
    (said,) = [f.message for f in result.findings if f.code == "stateful-model"]
    assert "RandomNormal" in said


@pytest.mark.parametrize(
    ("files", "changes"),
    [
        ({"latencies-model.npy": npy(np.zeros(8, np.float32))}, {}),
        ({"latencies-model.npy": npy(np.full(8, np.nan, np.float32))}, {}),
        ({"latencies-model.npy": npy(np.full(9, 1, np.float32))}, {}),
        ({"answers-low-model.npy": npy(ROWS)}, {}),
        ({}, {"images": 5}),
        ({}, {"images": 0}),
        ({}, {"names": ["other.png"]}),
        ({}, {"answers": {"model": {"inputs": [0, 2], "counts": [4, 4]}, "reference": {"inputs": [0], "counts": [4]}}}),
        ({}, {"answers": {"model": {"inputs": [0, 1], "counts": [4, 3]}, "reference": {"inputs": [0], "counts": [4]}}}),
        (
            {},
            {"answers": {"model": {"inputs": [0, 1], "counts": [9, -1]}, "reference": {"inputs": [0], "counts": [4]}}},
        ),
        ({}, {"answers": {"model": {"inputs": [0, 1], "counts": [8]}, "reference": {"inputs": [0], "counts": [4]}}}),
        ({}, {"answers": {"reference": {"inputs": [0], "counts": [4]}}}),
        ({}, {"stateful": {"model": ["<b>"], "reference": []}}),
        ({}, {"blocks": {"model": [8]}}),
        ({}, {"blocks": {"model": [4, 4], "reference": [4]}}),
        ({}, {"blocks": {"model": [4, -4], "reference": [2, 2]}}),
        ({}, {"engine": "<b>fast</b>"}),
        ({"refused.json": b'{"reason": "it died"}'}, {}),
    ],
)
def test_a_benchmark_that_is_not_as_agreed(files: dict[str, bytes], changes: dict[str, Any], tmp_path: Path) -> None:
    result = benchmarked(tmp_path, files, **changes)
    assert isinstance(result, Failed) and result.status == "rejected"
    assert [f.code for f in result.findings] == ["benchmark-failed"]


def test_a_model_that_is_not_onnx_is_not_timed(tmp_path: Path) -> None:
    place = context(tmp_path, {})
    native = conversion(place.store, tmp_path, native=True)
    kept = predictions(place.store, tmp_path, ROWS)
    assert isinstance(benchmark(native, None, kept, staged(tmp_path), BenchmarkRules(), place), Skipped)


def test_percentiles_are_nearest_ranks() -> None:
    latencies = np.arange(1, 101, dtype=np.float32)
    assert [nearest_rank(latencies, p) for p in (50, 90, 99)] == [50, 90, 99]
    assert nearest_rank(np.asarray([7.0], np.float32), 99) == 7


def test_the_ratios_interval_is_narrow_when_both_slow_down_together() -> None:
    """A machine that is at times twice as slow: the ratio of models timed in turn still holds."""
    slow = np.random.default_rng(0).choice([1.0, 2.0], 40).astype(np.float32)
    low, high = ratio_interval_in_turn(slow * 30, slow * 10)
    assert low == pytest.approx(3, rel=0.5) and high == pytest.approx(3, rel=0.5)


def test_a_reference_that_writes_no_labels_is_said(tmp_path: Path) -> None:
    place = context(tmp_path, {"model.onnx": b"x", "handin.json": b"{}"})
    spec = ReferenceSolution(code=tmp_path / "transfer.py")
    result = train(spec, tmp_path, tmp_path / "w.pth", place)
    assert isinstance(result, Failed) and "labels.txt" in result.reason


def test_a_trained_reference_is_kept(tmp_path: Path) -> None:
    place = context(tmp_path, {name: name.encode() for name in ("model.onnx", "labels.txt", "handin.json")})
    result = train(ReferenceSolution(code=tmp_path / "transfer.py"), tmp_path, tmp_path / "w.pth", place)
    assert isinstance(result, Done)
    assert Store(tmp_path / "store").path(result.value.labels).read_bytes() == b"labels.txt"
