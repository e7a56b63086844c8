"""Which published rows are used, and why the others are not."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.boards import architectures, fitted, published
from harness.boards.published import COLUMNS
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


def test_a_larger_picture_is_more_work_and_no_more_weights() -> None:
    small, large = (architectures.network("vgg16", side, side) for side in (224, 448))
    assert (large.weights == small.weights).all()
    assert 3.9 < large.multiply_adds / small.multiply_adds <= 4.0  # all but the dense layers


def test_the_shipped_fit_belongs_to_the_shipped_rows() -> None:
    assert fitted.shipped().made_from == fitted.identity(fitted.rows())
