"""`harness bench` for real: sandbox, engines, scenarios, precisions. No time is asserted: the machine is shared."""

from __future__ import annotations

import csv
import dataclasses
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from model_files import CLASSES, torch_model, write_detector, write_images, write_torch, write_yolo
from silent import Silent

from harness.bench import boards
from harness.bench.compare import compare
from harness.bench.measure import measure
from harness.bench.request import Request, TorchvisionModel
from harness.bench.results import Accuracy, BenchResults
from harness.bench.rules import SCENARIOS, Effort
from harness.errors import MachineError, UsageError
from harness.report.bench import write_bench
from harness.report.export.bench_files import write_bench as write_bench_files
from harness.sandbox.bubblewrap import Bubblewrap

SHORT = Effort("quick", 0.6, 2, 2, 0.1)


@pytest.fixture(scope="module")
def sandbox() -> Bubblewrap:
    return Bubblewrap()


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    for name, form in (("tiny.onnx", "onnx"), ("single.onnx", "onnx_batch_1"), ("script.pt", "traced")):
        write_torch(torch_model("tiny"), form, folder / name)
    return folder


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Class folders named as the model's classes."""
    folder = tmp_path_factory.mktemp("images")
    for seed, name in enumerate(CLASSES):
        write_images(folder / name, 4, seed)
    return folder


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path_factory.getbasetemp() / "bench-cache"))


@pytest.fixture
def run(sandbox: Bubblewrap) -> Any:
    def measured(*models: Path | TorchvisionModel, **changes: Any) -> BenchResults:
        plain = Request(
            models=models,
            reference=None,
            images=None,
            scenario=SCENARIOS["single-stream"],
            effort=SHORT,
            engines=("cpu",),
            precisions=("fp32",),
            mode="model-only",
            boards=(),
            cores=1,
        )
        return measure(dataclasses.replace(plain, **changes), sandbox, Silent())

    return measured


def test_two_models_side_by_side_page_and_files(run: Any, models: Path, tmp_path: Path) -> None:
    found = run(models / "tiny.onnx", reference=models / "single.onnx")
    assert [one.model for one in found.measurements] == ["single", "tiny"]
    assert [one.is_reference for one in found.measurements] == [True, False]
    for one in found.measurements:
        assert one.queries >= 64 and one.early_stopping and one.early_stopping.estimate_ms
        assert one.p50_ms <= one.p90_ms <= one.p99_ms
        assert one.p50_interval[0] <= one.p50_ms * 1.01 and one.p50_ms <= one.p50_interval[1] * 1.01
        assert 40e6 < one.peak_memory_bytes < 600e6
        assert len(one.rounds) == 2 and all(round.machine.other_load is not None for round in one.rounds)
    write_bench_files(found, tmp_path)
    write_bench(found, tmp_path)
    again = BenchResults.model_validate_json((tmp_path / "bench.json").read_bytes())
    assert again == found
    with (tmp_path / "bench.csv").open(encoding="utf-8") as stream:
        assert [row["model"] for row in csv.DictReader(stream)] == ["single", "tiny"]
    assert "Quick run" in (tmp_path / "index.html").read_text(encoding="utf-8")
    assert {pair.verdict for pair in compare(found, again)} == {"too few rounds"}  # of each there are two


@pytest.mark.alone  # how many queries there are depends on the time of each
@pytest.mark.parametrize(
    ("scenario", "samples", "model"),
    [
        ("multi-stream", 8, "tiny.onnx"),
        ("multi-stream", 8, "single.onnx"),
        ("offline", 8, "tiny.onnx"),
        ("fixed-rate", 1, "tiny.onnx"),
    ],
)
def test_every_scenario_with_a_free_and_a_fixed_batch(
    scenario: Any, samples: int, model: str, run: Any, models: Path
) -> None:
    (one,) = run(models / model, scenario=SCENARIOS[scenario], effort=Effort("quick", 0.4, 1, 1, 0.1)).measurements
    assert one.throughput_per_s == pytest.approx(samples * one.queries / one.seconds)
    if scenario == "fixed-rate":
        assert one.throughput_per_s < 45, "images come 30 times a second, whatever the model can do"
    if scenario != "offline":
        assert one.early_stopping and one.early_stopping.needed == 662
        assert one.valid == (one.queries >= 662)


@pytest.mark.alone  # it compares times
def test_a_model_of_torchvision_is_exported_and_measured_by_batch_and_by_layer(run: Any) -> None:
    short = Effort("quick", 0.2, 2, 2, 0.1, layers=True)
    found = run(TorchvisionModel("squeezenet1_1", 64), effort=short, batches=(1, 2))
    one, two = found.measurements
    assert [(each.model, each.batch) for each in found.measurements] == [("squeezenet1_1", 1), ("squeezenet1_1", 2)]
    for each in found.measurements:
        assert "random weights" in each.notes[0] and each.answers and not each.answers.different
        assert each.throughput_interval[0] <= each.throughput_per_s <= each.throughput_interval[1]
        assert each.throughput_per_s == pytest.approx(each.batch * each.queries / each.seconds)
    assert one.layers and two.layers is None, "of several batches the smallest is profiled"
    assert {"Conv", "Concat"} <= {each.operator for each in one.layers.operators}
    assert 0.5 < one.layers.share_of_query <= 1, "layers are a part of the query, and most of it"


def test_a_name_that_torchvision_does_not_know_gets_the_nearest_one(run: Any) -> None:
    with pytest.raises(UsageError, match="did you mean 'resnet18'"):
        run(TorchvisionModel("resnt18", 224))


@pytest.mark.parametrize("engine", ["openvino", "torch"])
def test_other_engines_answer_as_onnx_runtime_does(engine: Any, run: Any, models: Path, images: Path) -> None:
    (one,) = run(models / "script.pt", engines=(engine,), images=images).measurements
    assert one.engine == engine and engine in one.described
    assert one.max_abs_difference is not None and one.max_abs_difference < 1e-3
    assert one.self_reported == (engine == "torch")


def test_precisions_with_their_accuracy_on_the_same_images(run: Any, models: Path, images: Path) -> None:
    """A quarter of the images calibrates int8; every precision is scored on the rest."""
    found = run(models / "tiny.onnx", precisions=("fp32", "fp16", "int8"), images=images)
    by_precision = {one.precision: one for one in found.measurements}
    assert set(by_precision) == {"fp32", "fp16", "int8"}, found.unmeasured
    scores = [one.accuracy for one in found.measurements]
    assert all(isinstance(score, Accuracy) and score.images == 15 for score in scores)
    sizes = {name: one.file_bytes for name, one in by_precision.items()}
    assert sizes["fp16"] < sizes["fp32"]
    assert all(one.max_abs_difference < 1e-3 for one in found.measurements), "timed with the answers it was scored on"


def test_end_to_end_answers_as_the_model_alone(run: Any, models: Path, images: Path) -> None:
    (one,) = run(models / "single.onnx", images=images, mode="end-to-end").measurements
    assert one.mode == "end-to-end" and one.max_abs_difference < 1e-3


@pytest.mark.alone  # one that is timed too short is not valid
@pytest.mark.parametrize("mode", ["model-only", "end-to-end"])
@pytest.mark.parametrize("write", [write_detector, write_yolo])
def test_a_detector(write: Any, mode: Any, run: Any, images: Path, tmp_path: Path) -> None:
    """As jetson-inference exports its ssd-mobilenet, and as Ultralytics exports a YOLO; timed, and not scored."""
    write(tmp_path / "detector.onnx")
    (one,) = run(tmp_path / "detector.onnx", images=images, mode=mode).measurements
    assert one.accuracy is None and "No accuracy: it is a detector." in one.notes
    assert one.max_abs_difference is None and one.valid


def test_in_the_envelope_of_a_nano_2gb(run: Any, models: Path) -> None:
    found = run(models / "tiny.onnx", boards=[boards.load("jetson-nano-2gb")], cores=None)
    assert found.envelope and found.envelope.board_cores == 4
    assert 1.3e9 < found.envelope.memory_bytes < 1.6e9
    assert found.measurements[0].fits[0].board == "Jetson Nano 2GB" and found.measurements[0].fits[0].fits


def test_models_are_predicted_for_boards_against_the_reference(run: Any, models: Path) -> None:
    """The reference and the other are the same graph, so their ratio is 1 on every board."""
    asked = [boards.load("jetson-nano-4gb"), boards.load("jetson-orin-nano")]
    found = run(models / "single.onnx", reference=models / "tiny.onnx", boards=asked)
    assert found.envelope is None, "of two boards no envelope is timed in"
    reference, other = found.outlooks
    assert [row.board for row in other.boards] == [board.title for board in asked]
    assert all(row.versus_reference is None for row in reference.boards)
    for row in other.boards:
        assert row.versus_reference.ratio == pytest.approx(1, rel=0.02) and row.versus_reference.band == "as fast"
        assert row.interval_90[0] < row.latency_ms < row.interval_90[1] and row.fits
    assert len(other.rooflines) == 2 and other.rooflines[0].kernels and other.costliest


@pytest.mark.alone  # it compares times
def test_a_model_that_became_slower_is_said_to_be_and_the_other_way_round_faster(run: Any, tmp_path: Path) -> None:
    """A file of the same name, once with MobileNet v2 in it and once with a network of one layer: ten times apart."""
    runs = {}
    for name in ("tiny", "mobilenet_v2"):
        (tmp_path / name).mkdir()
        write_torch(torch_model(name), "onnx", tmp_path / name / "handed_in.onnx")
        runs[name] = run(tmp_path / name / "handed_in.onnx", effort=Effort("quick", 3.0, 3, 3, 0.1))
    for old, new, verdict in (("tiny", "mobilenet_v2", "slower"), ("mobilenet_v2", "tiny", "faster")):
        (said,) = compare(runs[new], runs[old])
        assert said.verdict == verdict, said


def test_a_model_that_does_not_fit_the_board_is_said_to(run: Any, models: Path) -> None:
    """A made-up board that leaves some 40 MB: Python and ONNX Runtime alone take more."""
    small = boards.load("jetson-nano-2gb").model_copy(update={"memory_gb": 0.66, "title": "Jetson Tiny"})
    with pytest.raises(UsageError, match="does not fit a Jetson Tiny"):
        run(models / "tiny.onnx", boards=[small])


def test_what_cannot_be_measured_is_said_and_the_rest_goes_on(run: Any, models: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.onnx"
    broken.write_bytes((models / "tiny.onnx").read_bytes()[:2000])
    found = run(models / "tiny.onnx", broken)
    assert [one.model for one in found.measurements] == ["tiny"]
    assert found.unmeasured[0].model == "broken" and "cut off or damaged" in found.unmeasured[0].reason
    with pytest.raises(UsageError, match="no model could be measured"):
        run(broken)


def test_an_engine_that_is_not_here_names_its_package(run: Any, models: Path) -> None:
    with pytest.raises(MachineError, match="onnxruntime-gpu"):
        run(models / "tiny.onnx", engines=("cuda",))
    with pytest.raises(UsageError, match="torch model"):
        run(models / "tiny.onnx", engines=("torch",))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["none.onnx"], "there is no such file"),
        (["tiny.onnx", "--images", "."], "no images in it"),
        (["tiny.onnx", "--board", "jetson-nan-4gb"], "did you mean 'jetson-nano-4gb'?"),
        (["tiny.onnx", "--compare", "other.json"], "schema 7"),
        (["tiny.onnx", "--precision", "int8"], "give --images"),
        (["tiny.onnx", "--mode", "end-to-end"], "give --images"),
        (["tiny.onnx", "./tiny.onnx"], "named twice"),
    ],
)
def test_wrong_usage(arguments: list[str], said: str, models: Path) -> None:
    (models / "other.json").write_text('{"schema": 7}')
    done = subprocess.run(
        [sys.executable, "-m", "harness", "bench", *arguments, "--sandbox", "bubblewrap"],
        cwd=models, capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert done.returncode == 2 and said in done.stderr and "Traceback" not in done.stderr


def test_doctor_names_what_makes_timing_unfair() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "harness", "doctor", "--timing", "--json"],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    checks = {check["name"]: check for check in json.loads(done.stdout)}
    assert done.returncode == 0
    assert {"swap", "SMT", "frequency scaling", "boost", "shared host", "load"} <= set(checks)
