"""What the agent believes of the process that runs a student's code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.agent.models import own_process
from harness.agent.models.loaded_model import Unusable
from harness.agent.models.student_model import StudentModel

SAID = {
    "format": "whole_module", "layout": "NCHW", "height": 32, "width": 32, "input_dtype": "float32",
    "default": "torchvision-imagenet", "dynamic_batch": True, "names": [], "output": [1, 1],
}  # fmt: skip


def opened(folder: Path, monkeypatch: pytest.MonkeyPatch, **said: object) -> StudentModel:
    """A model whose process says so when it is asked to load."""
    reply = json.dumps({"said": SAID | said, "array": None})
    program = folder / "program.py"
    program.write_text(f"input(); print({reply!r}, flush=True); input()")
    monkeypatch.setattr(own_process, "_PROGRAM", program)
    model = StudentModel(5, (32, 32), False, 1)
    model._process.end()
    return model


def test_a_process_says_how_it_reads_its_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert opened(tmp_path, monkeypatch).format == "whole_module"


def test_a_process_that_calls_its_model_an_onnx_graph_is_not_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stage would take what it said for measured."""
    with pytest.raises(Unusable, match="ONNX graph"):
        opened(tmp_path, monkeypatch, format="onnx")
