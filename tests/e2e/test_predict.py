"""`harness predict` and its neighbours, from the command line through a real sandbox."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from harness.agent.torchvision_ops import declare_missing

declare_missing()


def harness(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "harness", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import torchvision

    file = tmp_path_factory.mktemp("model") / "model.onnx"
    network = torchvision.models.mobilenet_v2(weights=None, num_classes=6).eval()
    torch.onnx.export(network, (torch.zeros(1, 3, 224, 224),), str(file), dynamo=False)
    return file


def test_a_model_is_predicted_with_intervals_on_each_board(model: Path) -> None:
    boards = ("--board", "jetson-nano", "--board", "jetson-agx-orin-64gb")
    done = harness("predict", model, *boards, "--precision", "fp16", "--precision", "fp32", "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["operations"] == 2 * said["multiply_adds"]
    assert said["multiply_adds"] == pytest.approx(0.30e9, rel=0.01)
    assert said["unknown_operators"] == {}
    rows = said["predictions"]
    assert [row["board"] for row in rows] == ["jetson-nano-4gb"] * 2 + ["jetson-agx-orin-64gb"] * 2
    for row in rows:
        assert row["low_ms"] < row["latency_ms"] < row["high_ms"]
        assert row["sibling"] == "mobilenet_v2" and row["rests_on"] and row["memory"]["fits"]
        assert len(row["costliest"]) == 10
    assert rows[0]["latency_ms"] > rows[2]["latency_ms"]


def test_what_cannot_be_predicted_is_an_instruction(tmp_path: Path, model: Path) -> None:
    broken = tmp_path / "model.onnx"
    broken.write_bytes(b"not a model")
    for arguments in (
        ("predict", broken, "--board", "jetson-nano"),
        ("predict", tmp_path / "none.onnx"),
        ("predict", model, "--board", "jetson-nanoo"),
        ("predict", model, "--runtime", "fast"),
        ("calibrate", "--measured", tmp_path / "none.csv"),
        ("boards", "evaluate", tmp_path / "none.csv"),
    ):
        done = harness(*arguments)
        assert done.returncode == 2, (arguments, done.stderr)
        assert "do:" in done.stderr and "Traceback" not in done.stderr


def test_a_linear_layer_alone_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "linear.onnx"
    torch.onnx.export(nn.Linear(4, 2).eval(), (torch.zeros(1, 4),), str(file), dynamo=False)
    done = harness("predict", file, "--board", "jetson-nano")
    assert done.returncode == 2 and "dimensions" in done.stderr


def test_a_strangers_table_is_evaluated_and_every_bad_row_is_said(tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text(
        "board,power_mode,framework,precision,batch,input_hw,task,model,metric,value,unit,source,note\n"
        "Jetson Nano,,TensorRT,fp16,1,224x224,classification,resnet34,latency_mean,24.4,ms,me,\n"
        "Jetson TX1,,TensorRT,fp16,1,224x224,classification,resnet50,latency_mean,30,ms,me,\n"
        "Jetson Nano,,TensorRT,fp16,1,224x224,classification,resnet50,latency_mean,fast,ms,me,\n"
        "Jetson Nano\n",
        encoding="utf-8",
    )
    done = harness("boards", "evaluate", file, "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["used"] == 1 and [row["line"] for row in said["unused"]] == [3, 4, 5]
    assert said["scores"][0]["board"] == "jetson-nano-4gb" and said["scores"][0]["family_factor"] < 2
    listed = harness("boards", "sources")
    assert listed.returncode == 0 and "torch2trt" in listed.stdout


def test_a_board_of_ones_own_is_predicted_for(tmp_path: Path, model: Path) -> None:
    """From a TOML's path, with what its figures say of memory and of the time."""
    file = tmp_path / "mine.toml"
    file.write_text('title = "Mine"\ngpu = "Maxwell"\nassumed_like = "jetson-nano"\nmemory_gb = 4\nsources = ["me"]\n')
    done = harness("predict", model, "--board", file, "--json")
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(done.stdout)["predictions"]
    assert row["board"] == "mine" and row["memory"]["fits"] and row["costliest"]
    (nano,) = json.loads(harness("predict", model, "--board", "jetson-nano", "--json").stdout)["predictions"]
    assert row["latency_ms"] == nano["latency_ms"] and row["new"] == nano["new"], "the same silicon"
    assert "mine" in harness("predict", model, "--board", file).stdout
