"""A student's package is read whole, or the error says which part is missing, damaged or changed."""

import json
from pathlib import Path, PureWindowsPath

import pytest

from harness.errors import AssignmentError
from harness.inputs.student_package import ReferenceScores, is_package, name_of, read_package

SCORES = {
    "schema": 1,
    "backbone": "mobilenet_v2",
    "images_sha256": "0" * 64,
    "accuracy": 0.5,
    "accuracy_interval": [0.1, 0.9],
    "right": {"ball/1.png": True, "mug/1.png": False},
    "latency": {"machine": "a laptop", "p50_ms": 10.0, "p90_ms": 12.0},
    "boards": [
        {"board": "Jetson Nano", "runtime": "tensorrt", "precision": "fp16", "latency_ms": 9, "interval_90": [6, 14]}
    ],
}


@pytest.fixture
def package(tmp_path: Path) -> Path:
    for name in SCORES["right"]:
        image = tmp_path / "images" / name
        image.parent.mkdir(parents=True)
        image.write_bytes(b"")
    (tmp_path / "assignment.toml").write_text('title = "x"')
    (tmp_path / "reference_scores.json").write_text(json.dumps(SCORES))
    return tmp_path


def test_a_whole_package_is_read(package: Path):
    assert is_package(package)
    read = read_package(package)
    assert read.scores.right == {"ball/1.png": True, "mug/1.png": False}
    assert ReferenceScores.model_validate_json(read.scores.model_dump_json()) == read.scores


@pytest.mark.parametrize(
    "spoil, said",
    [
        (lambda p: (p / "images/mug/1.png").unlink(), "1 public images are missing, 'mug/1.png' first"),
        (lambda p: (p / "images/mug/2.png").write_bytes(b""), "1 images are not the course's, 'mug/2.png' first"),
        (lambda p: (p / "assignment.toml").unlink(), "assignment.toml: no such file"),
        (lambda p: (p / "reference_scores.json").write_text("{"), "reference_scores.json: the file: Invalid JSON"),
        (
            lambda p: (p / "reference_scores.json").write_text(json.dumps({**SCORES, "accuracy": 0.9})),
            "accuracy is 0.9, but 0.5 of the answers",
        ),
    ],
)
def test_a_spoilt_package_is_refused_with_the_part(package: Path, spoil, said: str):
    spoil(package)
    with pytest.raises(AssignmentError, match="once more") as refused:
        read_package(package)
    assert said in refused.value.message


def test_an_image_has_one_name_on_every_system():
    images = PureWindowsPath(r"C:\course\images")
    assert name_of(images / "ball" / "1.png", images) == "ball/1.png"
