"""Predictions: sane, with intervals that widen for what is new and narrow for what was measured."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from kernel_examples import graph

from harness.bench import boards
from harness.bench.boards import (
    advice,
    architectures,
    baselines,
    fitted,
    intervals,
    memory,
    physics,
    prediction,
    roofline,
    runtimes,
    scoring,
)
from harness.bench.boards import (
    latency_model as model,
)
from harness.bench.boards.calibration import Calibration
from harness.bench.boards.factors import OWN, SHARED, Case, Structure
from harness.bench.boards.physics import Physics
from harness.bench.boards.prediction import Prediction
from harness.bench.boards.runtimes import Runtime
from harness.errors import UsageError
from harness.stages.evidence.conversion import Precision
from harness.stages.evidence.kernels import KernelList

TENSORRT = Runtime("tensorrt")


def one(
    kernels: KernelList, board: str = "jetson-nano-4gb", precision: Precision = "fp16", runtime: Runtime = TENSORRT
) -> Prediction:
    (found,) = prediction.predict(kernels, [boards.load(board)], [runtime], [precision])
    return found


def times(found: Prediction) -> float:
    return found.high_ms / found.low_ms


def test_more_work_takes_longer() -> None:
    for runtime in (TENSORRT, Runtime("pytorch"), Runtime("ncnn-cpu", 4)):
        for names in (("resnet18", "resnet50", "resnet152"), ("vgg11", "vgg16", "vgg19")):
            found = [one(graph(name), runtime=runtime).latency_ms for name in names]
            assert found == sorted(found)
        sizes = [one(graph("mobilenet_v2", side), runtime=runtime).latency_ms for side in (128, 224, 448)]
        assert sizes == sorted(sizes)


@pytest.mark.parametrize("name", ["vgg16", "mobilenet_v2", "resnet50"])
def test_larger_boards_are_faster(name: str) -> None:
    order = ("jetson-nano-4gb", "jetson-xavier-nx", "jetson-orin-nx-16gb", "jetson-agx-orin-64gb")
    found = [one(graph(name), board).latency_ms for board in order]
    assert found == sorted(found, reverse=True)


@pytest.mark.parametrize("runtime", ["tensorrt", "pytorch", "onnxruntime-cpu", "ncnn-vulkan"])
def test_half_precision_is_never_slower(runtime: runtimes.RuntimeName) -> None:
    for board in boards.names():
        for name in ("vgg16", "mobilenet_v2"):
            half, single = (one(graph(name), board, p, Runtime(runtime)) for p in ("fp16", "fp32"))
            assert half.latency_ms <= single.latency_ms


def test_a_published_run_is_met() -> None:
    """VGG16 on the Nano with TensorRT fp16: 85.1 ms in torch2trt's table, which the model knows."""
    found = one(graph("vgg16"))
    assert found.low_ms < 85.1 < found.high_ms
    assert found.latency_ms == pytest.approx(85.1, rel=0.15)
    assert found.sibling == "vgg16" and "vgg16" in found.rests_on[0]


def test_what_is_new_is_named_and_has_no_narrower_interval() -> None:
    known = one(graph("vgg16"))
    assert known.new == ()
    stranger = one(graph("vgg16", renamed=True))
    assert stranger.new == ("family",) and stranger.sibling == "" and times(stranger) >= 0.99 * times(known)
    elsewhere = one(graph("resnet18"), "jetson-xavier-nx", runtime=Runtime("pytorch"))
    assert "board" in elsewhere.new
    assert times(elsewhere) >= times(one(graph("resnet18"), "jetson-agx-xavier", runtime=Runtime("pytorch")))
    assert one(graph("vgg16"), "jetson-orin-nx-8gb").notes, "another board's figures stand in"
    new_runtime = one(graph("vgg16"), runtime=Runtime("onnxruntime-cuda"))
    assert "runtime" in new_runtime.new and times(new_runtime) > times(known)


def test_a_ratio_is_surer_than_a_time_and_says_a_band() -> None:
    board = boards.load("jetson-orin-nano")
    found = prediction.ratio(graph("vgg19"), graph("vgg16"), board, TENSORRT, "fp16")
    assert 1.0 < found.ratio < 1.5 and found.low < found.ratio < found.high
    assert found.high / found.low < times(one(graph("vgg16"), "jetson-orin-nano"))
    assert prediction.ratio(graph("vgg16"), graph("vgg16"), board, TENSORRT, "fp16").band == "as fast"
    assert prediction.band(0.3) == "much faster" and prediction.band(50) == "far slower"


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three ResNets on a board that is 30 % slower than predicted."""
    file = tmp_path_factory.mktemp("own") / "mine.csv"
    with file.open("w", encoding="utf-8", newline="") as stream:
        columns = ["board", "framework", "precision", "batch", "input_hw", "model", "metric", "value", "unit"]
        writer = csv.DictWriter(stream, columns)
        writer.writeheader()
        for name in ("resnet18", "resnet50", "resnet101"):
            ms = 1.3 * one(graph(name), "jetson-orin-nx-8gb").latency_ms
            row = dict.fromkeys(columns, "1") | {"board": "Jetson Orin NX 8GB", "framework": "TensorRT"}
            row |= {"precision": "fp16", "input_hw": "224x224", "model": name, "metric": "latency_p50"}
            writer.writerow(row | {"value": f"{ms:.4f}", "unit": "ms"})
    return file


def test_three_measured_models_narrow_the_interval(measured: Path) -> None:
    board = boards.load("jetson-orin-nx-8gb")
    made, unused = Calibration.fit(measured)
    assert not unused
    made.write(measured, measured.with_suffix(".json"))
    again = Calibration.read(measured.with_suffix(".json"))
    for name in ("resnet34", "vgg16", "mobilenet_v2"):
        before = one(graph(name), board.name)
        (after,) = prediction.predict(graph(name), [board], [TENSORRT], ["fp16"], again)
        assert times(after) < times(before), name
    (sibling,) = prediction.predict(graph("resnet34"), [board], [TENSORRT], ["fp16"], again)
    assert sibling.latency_ms == pytest.approx(1.3 * one(graph("resnet34"), board.name).latency_ms, rel=0.1)


def test_a_board_of_ones_own_is_calibrated_by_its_toml(tmp_path: Path) -> None:
    own = tmp_path / "mine.toml"
    own.write_text('title = "Mine"\ngpu = "Ampere"\nassumed_like = "jetson-orin-nano"\nsources = ["me"]\n')
    file = tmp_path / "measured.csv"
    rows = "".join(
        f"mine.toml,TensorRT,fp16,1,{name},latency,{ms},ms\n" for name, ms in (("resnet50", 30), ("vgg16", 90))
    )
    file.write_text(f"board,framework,precision,batch,model,metric,value,unit\n{rows}", encoding="utf-8")
    calibration, unused = Calibration.fit(file)
    assert not unused
    calibration.write(file, tmp_path / "calibration.json")
    board = boards.load(str(own))
    after = Calibration.read(tmp_path / "calibration.json")
    (before,) = prediction.predict(graph("resnet18"), [board], [TENSORRT], ["fp16"])
    (moved,) = prediction.predict(graph("resnet18"), [board], [TENSORRT], ["fp16"], after)
    assert times(moved) < times(before)
    assert moved.latency_ms > 2 * before.latency_ms, "it is a slow board"
    (known,) = prediction.predict(graph("resnet18"), [boards.load("jetson-orin-nano")], [TENSORRT], ["fp16"], after)
    assert known.latency_ms == pytest.approx(moved.latency_ms), "of the same silicon"


def test_a_row_that_does_not_go_with_the_others_is_named(tmp_path: Path) -> None:
    """All of a board that is three times slower go together; one that is ten times slower than they does not."""
    known = [row for row in fitted.rows() if row.board.name == "jetson-nano-4gb" and row.runtime == TENSORRT]
    first = {row.architecture: row for row in known if row.precision == "fp16"}
    times = {name: row.ms * 3 for name, row in list(first.items())[:4]}
    slow = next(iter(times))
    file = tmp_path / "mine.csv"
    for factor, named in ((1, []), (10, [slow])):
        rows = [
            f"jetson-nano-4gb,TensorRT,fp16,1,{n},latency,{ms * (factor if n == slow else 1)},ms\n"
            for n, ms in times.items()
        ]
        file.write_text("board,framework,precision,batch,model,metric,value,unit\n" + "".join(rows), encoding="utf-8")
        calibration, unused = Calibration.fit(file)
        assert not unused and [row.model for row, _ in calibration.doubtful()] == named


def test_a_calibration_of_nothing_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "mine.csv"
    file.write_text("board,framework,model,metric,value,unit\nMars,x,y,z,1,ms\n", encoding="utf-8")
    with pytest.raises(UsageError, match="no row can be used"):
        Calibration.fit(file)


@pytest.mark.parametrize("structure", [SHARED, OWN])
def test_the_derivatives_are_those_of_the_model(structure: Structure) -> None:
    every = fitted.rows()
    rows = [*every[::60], *[row for row in every if row.runtime.unfused][::12]]
    design = physics._Design(structure, [model.case_of(row) for row in rows])
    theta = design.mean + np.random.default_rng(0).normal(0, 0.3, len(design.mean))
    target, weights = np.log(model.seconds_of(rows)), np.linspace(0.1, 1, len(rows))
    at, slopes = design.evaluate(theta)
    target[0] = at[0]  # a case that is modelled without a misfit
    misfits, misfit_slopes = design.misfits(theta, target, weights), design.misfit_slopes(theta, target, weights)
    for index in range(0, len(theta), 17):
        moved = theta.copy()
        moved[index] += 1e-5
        assert (design.evaluate(moved)[0] - at) / 1e-5 == pytest.approx(slopes[:, index], abs=1e-4)
        change = (design.misfits(moved, target, weights) - misfits) / 1e-5
        assert change == pytest.approx(misfit_slopes[:, index], abs=1e-3)


@pytest.mark.parametrize("runtime", ["tensorrt", "pytorch"])
def test_the_kernels_of_a_network_take_its_time_together(runtime: runtimes.RuntimeName) -> None:
    network = architectures.network("densenet121", 224, 224)
    case = Case.measured(network, boards.load("jetson-agx-xavier"), runtimes.Runtime(runtime), "fp16")
    blend = fitted.latency_model().physics
    fit = blend.shared
    once = np.exp(fit.factors.get(f"fixed / runtime / {runtime}", np.log(1e-4)))
    assert fit.kernel_seconds(case).sum() + once == pytest.approx(fit.seconds([case])[0], rel=1e-6)
    whole = np.exp(blend.log_seconds([case])[0])
    assert blend.kernel_seconds(case).sum() == pytest.approx(whole * (1 - once / fit.seconds([case])[0]), rel=1e-6)


def test_a_boards_own_numbers_count_where_rows_stand_behind_them() -> None:
    network = architectures.network("resnet50", 224, 224)
    case = Case.measured(network, boards.load("jetson-nano-4gb"), TENSORRT, "fp16")
    known = fitted.latency_model().physics
    shared, own = np.log(known.shared.seconds([case])), np.log(known.own.seconds([case]))
    assert known.log_seconds([case]) == pytest.approx((shared + own) / 2), "rows of many families"
    one_family = replace(known, families={case.place: 1})
    assert one_family.log_seconds([case]) == pytest.approx(0.75 * shared + 0.25 * own)
    assert replace(known, families={}).log_seconds([case]) == pytest.approx(shared)


def test_three_numbers_of_a_board_predict_what_follows_them() -> None:
    """Rows whose times are exactly such a model's come back; where too few are left, nothing does."""
    every = [row for row in fitted.rows() if row.board.name == "jetson-nano-4gb" and row.runtime == TENSORRT]
    law = Physics(Structure(baselines._THREE.factors, overlapping=False), {"launch / place / all": float(np.log(3e-5))})
    seconds = law.seconds([model.case_of(row) for row in every])
    rows = [replace(row, ms=float(time) * 1e3) for row, time in zip(every, seconds, strict=True)]
    errors = baselines.three_parameters(rows, rows)
    assert np.abs(errors[np.isfinite(errors)]).max() < 0.05 and np.isfinite(errors).any()
    assert np.isnan(baselines.three_parameters(rows, rows[:2])).all()


def test_intervals_cover_what_they_promise_on_families_that_were_left_out() -> None:
    """Classifiers of torch2trt's tables, four families of very different build, each predicted without its family."""
    found = fitted.shipped()
    families = ("vgg", "resnet", "squeezenet", "mnasnet")
    rows = [row for row in fitted.rows() if "torch2trt" in row.source and row.family in families]
    result = scoring.held_out(rows, fitted.rows(), "family", found.physics())
    inside = scoring.covered_by(found.widths, rows, result)
    assert inside.mean() >= 0.85
    assert np.median(np.abs(result.errors)) < np.log(1.3)


def test_a_case_is_new_in_what_no_row_of_its_runtime_has() -> None:
    rows = [row for row in fitted.rows() if row.runtime.name == "tensorflow"]
    one = next(row for row in rows if row.network.special_layers == {"depthwise"})
    assert intervals.Seen(rows).novelties(intervals.about(one)) == ()
    without = [row for row in rows if not row.network.special_layers]
    assert set(intervals.Seen(without).novelties(intervals.about(one))) == {"family", "layers"}
    elsewhere = replace(intervals.about(one), publisher="somebody else")
    assert intervals.Seen(rows).novelties(elsewhere) == ("source",)
    assert "runtime" in intervals.Seen([]).novelties(intervals.about(one))


def test_a_width_covers_nine_tenths() -> None:
    rows = fitted.rows()
    errors = np.random.default_rng(0).standard_t(3, len(rows))
    widths = intervals.widths_of(rows, errors, np.arange(len(rows)))
    inside = np.abs(errors) <= np.array([widths[row.runtime.name] for row in rows])
    weights = intervals.group_weights(rows)
    assert 0.9 <= (inside * weights).sum() / weights.sum() < 0.95


def test_a_device_that_few_groups_measured_is_as_wide_as_all_rows_at_least() -> None:
    """Eight publishers who happen to agree cannot vouch for a ninth; nine can, with 90 % confidence."""
    rows = fitted.rows()
    on_cpu = np.array([row.runtime.on_cpu for row in rows])
    errors = np.where(on_cpu, 0.1, 1.0)
    many = np.arange(len(rows))
    few = np.where(on_cpu, many % 8, many)
    assert intervals.widths_of(rows, errors, few)["cpu"] > 0.5
    nine = np.where(on_cpu, many % 9, many)
    assert intervals.widths_of(rows, errors, nine)["cpu"] == pytest.approx(0.1)


def test_vggs_first_dense_layer_is_named() -> None:
    kernels = graph("vgg16")
    roof = roofline.roofline(kernels, boards.load("jetson-nano-4gb"), TENSORRT, "fp16")
    assert roof is not None
    assert any("74% of the parameters" in sentence for sentence in advice.faster(kernels, roof))
    assert sum(cost.share for cost in roof.kernels) == pytest.approx(1)
    assert len(roof.costliest()) == 10
    assert roofline.operations(kernels) == 2 * kernels.multiply_adds


def test_what_fits_and_what_does_not() -> None:
    small, huge = graph("mobilenet_v2"), graph("vgg16")
    nano = boards.load("jetson-nano-2gb")
    assert memory.fit_in_memory(small, nano, TENSORRT, "fp16").fits
    assert memory.fit_in_memory(huge, nano, TENSORRT, "fp16").fits
    assert memory.fit_in_memory(huge, nano, TENSORRT, "fp32").fits is False, "its file is in memory, too, at first"
    assert memory.fit_in_memory(huge, boards.load("jetson-nano-4gb"), TENSORRT, "fp32").fits
    on_cpu = memory.fit_in_memory(huge, nano, Runtime("onnxruntime-cpu"), "fp32").needed_bytes
    assert on_cpu == pytest.approx(1.11e9, rel=0.2), "what ONNX Runtime was measured to take for VGG16"
    assert memory.fit_in_memory(huge, nano, Runtime("pytorch"), "fp32").fits is False
    assert memory.fit_in_memory(small, nano, TENSORRT, "fp16", measured_bytes=3 * 10**9).fits is False
    assert memory.fit_in_memory(small, boards.load("jetson-tx2-nx"), TENSORRT, "fp16").fits is None


@pytest.mark.parametrize("name", ["mobilenet_v2", "resnet50", "vgg16", "yolov8n"])
def test_every_network_is_told_what_would_help_and_nothing_that_would_not(name: str) -> None:
    """A kernel that is only started is not made faster by being narrower."""
    kernels = graph(name)
    roof = roofline.roofline(kernels, boards.load("jetson-nano-4gb"), TENSORRT, "fp16")
    assert roof is not None
    assert (sentences := advice.faster(kernels, roof))
    launched = {cost.name for cost in roof.kernels if cost.limited_by == "launch"}
    assert not [s for s in sentences if s.endswith("narrower.") and s.split(" alone ")[0] in launched - {""}]
    averaged = name != "vgg16"
    assert any("global average pooling" in sentence for sentence in sentences) is not averaged
