"""Which published rows are used, and why the others are not."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.bench.boards import architectures, fitted, published
from harness.bench.boards.published import COLUMNS
from harness.errors import UsageError

GOOD = {
    "board": "Jetson Nano", "framework": "TensorRT", "precision": "fp16", "batch": "1", "input_hw": "224x224",
    "model": "resnet50", "metric": "latency_mean", "value": "36", "unit": "ms", "source": "me",
}  # fmt: skip


def table(folder: Path, *rows: dict[str, str]) -> Path:
    file = folder / "rows.csv"
    lines = [",".join(row.get(name, "") for name in COLUMNS) for row in rows]
    file.write_text("\n".join([",".join(COLUMNS), *lines]) + "\n", encoding="utf-8")
    return file


def test_a_good_row(tmp_path: Path) -> None:
    (row,), unused = published.read(table(tmp_path, GOOD))
    assert not unused
    assert (row.board.name, row.runtime.name, row.ms, row.family) == ("jetson-nano-4gb", "tensorrt", 36.0, "resnet")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"board": "Jetson TX9"}, "unknown board"),
        ({"framework": "Foo"}, "unknown runtime"),
        ({"model": "secretnet"}, "kernels of 'secretnet' are not known"),
        ({"precision": ""}, "precision not stated"),
        ({"batch": "8"}, "not batch 1"),
        ({"batch": "gpu 1 + 2x dla 1"}, "DLA"),
        ({"framework": "TensorRT DLA"}, "ran on the DLA"),
        ({"board": "Jetson Xavier NX (DLA0)"}, "ran on the DLA"),
        ({"board": "Orin Nano 4GB"}, "unknown board"),
        ({"metric": "throughput", "unit": "fps", "batch": ""}, "not batch 1: not stated"),
        ({"value": "abc"}, "not a number"),
        ({"value": "nan"}, "not a time"),
        ({"value": "-1"}, "not a time"),
        ({"value": "0.1"}, "above the board's peak"),
        ({"unit": "W", "metric": "power_mean"}, "not a typical time"),
        ({"unit": "bananas"}, "does not fit"),
        ({"input_hw": "big"}, "not like 224x224"),
        ({"note": "differs from another run"}, "disputed"),
        ({"framework": "TensorRT end to end"}, "whole path"),
    ],
)
def test_every_bad_row_says_why(change: dict[str, str], reason: str, tmp_path: Path) -> None:
    used, (unused,) = published.read(table(tmp_path, GOOD | change))
    assert not used and reason in unused.reason and unused.line == 2


@pytest.mark.parametrize(
    ("change", "runtime", "precision", "size", "ms"),
    [
        ({"board": "Nano B01 CUDA FP16", "framework": "OpenCV DNN", "precision": ""}, "opencv-cuda", "fp16", 224, 36),
        ({"board": "Jetson Nano B01 CUDA", "framework": "OpenCV", "precision": ""}, "opencv-cuda", "fp32", 224, 36),
        ({"framework": "CUDA FP16", "source": "opencv_zoo", "precision": ""}, "opencv-cuda", "fp16", 224, 36),
        ({"framework": "OpenCV DNN (CPU)", "precision": ""}, "opencv-cpu", "fp32", 224, 36),
        ({"framework": "torch2trt", "precision": "float16"}, "tensorrt", "fp16", 224, 36),
        ({"framework": "TensorRT FP16", "precision": ""}, "tensorrt", "fp16", 224, 36),
        ({"framework": "TF Lite", "precision": "INT 8", "value": "400"}, "tflite-cpu", "int8", 224, 400),
        ({"input_hw": "224"}, "tensorrt", "fp16", 224, 36),
        ({"input_hw": "1x3x448X448", "value": "150"}, "tensorrt", "fp16", 448, 150),
        ({"input_hw": "448 × 448 px", "value": "150"}, "tensorrt", "fp16", 448, 150),
        ({"input_hw": "", "model": "ResNet50_448x448", "value": "150"}, "tensorrt", "fp16", 448, 150),
        ({"batch": ""}, "tensorrt", "fp16", 224, 36),
        ({"batch": "bs=1"}, "tensorrt", "fp16", 224, 36),
        ({"metric": "FPS", "unit": "FPS", "value": "25"}, "tensorrt", "fp16", 224, 40),
        ({"metric": "Inference time", "unit": "s", "value": "0.036"}, "tensorrt", "fp16", 224, 36),
        ({"metric": "median", "unit": "μs", "value": "36000"}, "tensorrt", "fp16", 224, 36),
    ],
)  # fmt: skip
def test_what_other_tables_write(
    change: dict[str, str], runtime: str, precision: str, size: int, ms: float, tmp_path: Path
) -> None:
    (row,), unused = published.read(table(tmp_path, GOOD | change))
    assert not unused
    assert (row.board.name, row.runtime.name, row.precision) == ("jetson-nano-4gb", runtime, precision)
    assert (row.height, row.width, row.ms) == (size, size, pytest.approx(ms))


@pytest.mark.parametrize(
    "framework", ["PyTorch (CPU)", "TF-Lite GPU delegate", "MNN OpenCL", "torch.compile", "CUDA FP16", "OpenCV OpenCL"]
)
def test_another_processor_is_another_runtime(framework: str, tmp_path: Path) -> None:
    """PyTorch's rows are of the GPU: what it takes on the CPU is none of them."""
    used, (unused,) = published.read(table(tmp_path, GOOD | {"framework": framework}))
    assert not used and unused.reason == f"unknown runtime {framework!r}"


def test_columns_in_another_order_and_case_and_missing_ones(tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text(
        "Model,Year,Board,Unit, Value ,Metric,Framework,Precision\n"
        "resnet50,2020,Nano,ms,36,latency,TensorRT,fp16,surplus\n"
        "resnet50,2020\n"
    )
    (row,), (short,) = published.read(file)
    assert (row.ms, row.width, row.source) == (36, 224, "not stated")
    assert "not a typical time" in short.reason


def test_a_spreadsheet_with_semicolons_and_decimal_commas(tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    lines = [";".join(COLUMNS), ";".join((GOOD | {"value": "36,5"}).get(name, "") for name in COLUMNS)]
    file.write_text("\r\n".join(lines), encoding="utf-8-sig")
    (row,), _ = published.read(file)
    assert row.ms == 36.5


def test_one_run_counts_once_and_its_median_is_taken(tmp_path: Path) -> None:
    runs = [{"metric": "latency_mean", "value": "37"}, {"metric": "latency_p50", "value": "36"}]
    (row,), unused = published.read(table(tmp_path, *(GOOD | run for run in runs)))
    assert row.ms == 36 and len(unused) == 1 and "line 3" in unused[0].reason


def test_a_rate_is_a_time(tmp_path: Path) -> None:
    (row,), _ = published.read(table(tmp_path, GOOD | {"metric": "throughput", "unit": "fps", "value": "25"}))
    assert row.ms == 40


@pytest.mark.parametrize("content", ["", "a,b\n1,2\n", "\x00\x01"])
def test_a_file_that_is_no_table(content: str, tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(UsageError):
        published.read(file)


def test_most_published_rows_are_used_and_each_other_has_a_reason() -> None:
    used, unused = published.read(published.PUBLISHED)
    assert len(used) > 1200 and len(used) + len(unused) == 1753
    assert all(row.reason for row in unused)


@pytest.mark.parametrize(
    ("name", "architecture"),
    [
        ("MobileNetV2-7.onnx", "mobilenet_v2"),
        ("image_classification_mobilenetv2_2022apr.onnx", "mobilenet_v2"),
        ("resnet50_int8", "resnet50"),
        ("ResNet50_224x224", "resnet50"),
        ("vgg_16", "vgg16"),
        ("ResNet-18", "resnet18"),
        ("ResNet-50 (224x224)", "resnet50"),
        ("timm/resnet50.a1_in1k", "resnet50"),
        ("resnet50-v2-7.onnx", "resnet_v2_50"),
        ("torch2trt.tests.torchvision.classification.squeezenet1_1", "squeezenet1_1"),
        ("SqueezeNet v1.0", "squeezenet1_0"),
        ("VGG-16 BN", "vgg16_bn"),
        ("mobilenetv2_100.ra_in1k", "mobilenet_v2"),
        ("MobileNetV3-Small", "mobilenet_v3_small"),
        ("mobilenet_v1_0.25_128", "mobilenet_v1_0p25"),
        ("image_classification_ppresnet50_2022jan-act_int8-wt_int8-quantized.onnx", "resnet50_vd"),
        ("MobileNetV2 (quantized)", "mobilenet_v2"),
        ("YOLOX-S", "yoloxs"),
        ("YOLOv11n", "yolo11n"),
        ("resnet18d", None),
        ("resnet-26", None),
        ("yolov8n-cls", None),
        ("SSD-MobileNet-v2", None),
        ("mobilenetv2_140", None),
        ("ViT-B/16", None),
        ("", None),
        ("nothing", None),
    ],
)
def test_names_that_tables_use(name: str, architecture: str | None) -> None:
    assert architectures.find(name) == architecture


@pytest.mark.parametrize(
    ("architecture", "side", "giga"),
    [
        ("vgg16", 224, 15.47), ("resnet50", 224, 4.09), ("mobilenet_v1", 224, 0.57), ("densenet121", 224, 2.83),
        ("inception_v3", 299, 5.71), ("alexnet", 224, 0.71), ("yolov8n", 640, 4.37),
    ],
)  # fmt: skip
def test_the_table_of_kernels_has_the_published_multiply_adds(architecture: str, side: int, giga: float) -> None:
    found = architectures.network(architecture, side, side)
    assert found.multiply_adds == pytest.approx(giga * 1e9, rel=0.015)


def test_a_larger_image_is_more_work_and_no_more_weights() -> None:
    small, large = (architectures.network("vgg16", side, side) for side in (224, 448))
    assert (large.weights == small.weights).all()
    assert 3.9 < large.multiply_adds / small.multiply_adds <= 4.0  # all but the dense layers


def test_the_shipped_fit_belongs_to_the_shipped_rows() -> None:
    assert fitted.shipped().made_from == fitted.identity(fitted.rows())


def test_figures_of_one_run_that_contradict_each_other_are_said_to(tmp_path: Path) -> None:
    """Percentiles of one run are near each other; ten times apart is a mistake in the table."""
    header = "board,framework,precision,model,metric,value,unit\n"
    row = "Jetson Nano,TensorRT,fp16,{model},latency,{ms},ms\n"
    rows = (("resnet18", 14), ("resnet18", 140), ("resnet50", 35), ("resnet50", 36))
    file = tmp_path / "own.csv"
    file.write_text(header + "".join(row.format(model=model, ms=ms) for model, ms in rows))
    used, unused = published.read(file)
    assert [one.ms for one in used] == [140, 36]
    assert [one.reason for one in unused] == [
        "another figure of the run in line 3, which it contradicts: 14 ms against 140 ms",
        "another figure of the run in line 5",
    ]
