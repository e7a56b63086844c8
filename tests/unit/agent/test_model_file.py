"""A model file is told by its content; its name says nothing, and nothing is loaded."""

from __future__ import annotations

import json
import pickle
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from harness.agent.models.loaded_model import Context, NeedsEnvironment, Unusable
from harness.agent.models.registry import all_formats, format_of


@pytest.fixture
def network() -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3)).eval()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "model.bin"


def found(file: Path) -> str:
    return format_of(file)[0]


def test_each_format_offers_what_a_format_must() -> None:
    formats = all_formats()
    assert set(formats) == {
        "exported", "keras", "onnx", "safetensors", "saved_model", "state_dict", "tflite", "torchscript",
        "whole_module",
    }  # fmt: skip
    for form in formats.values():
        assert all(callable(getattr(form, name)) for name in ("matches", "load", "to_onnx"))


def test_what_tensorflow_wrote_is_told_by_its_content(file: Path) -> None:
    file.write_bytes(b"\x1c\0\0\0TFL3" + b"\0" * 100)
    assert found(file) == "tflite"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("model/saved_model.pb", b"")
        archive.writestr("model/variables/variables.index", b"")
    assert found(file) == "saved_model"


def test_where_tensorflow_is_not_installed_a_format_says_what_it_needs(file: Path) -> None:
    file.write_bytes(b"\x1c\0\0\0TFL3" + b"\0" * 100)
    with pytest.raises(NeedsEnvironment) as raised:
        format_of(file)[1].load(file, Context(2, None, None, 1))
    assert raised.value.environment == "keras" and raised.value.why == "it is TensorFlow Lite"


def test_a_file_belongs_to_one_format_only(network: nn.Module, file: Path) -> None:
    torch.save(network.state_dict(), file)
    assert [name for name, form in all_formats().items() if form.matches(file)] == ["state_dict"]


def test_state_dicts_of_every_age(network: nn.Module, file: Path) -> None:
    for content in (network.state_dict(), {"epoch": 3, "state_dict": network.state_dict()}):
        for new in (True, False):
            torch.save(content, file, _use_new_zipfile_serialization=new)
            assert found(file) == "state_dict"


def test_whole_modules_of_every_age(network: nn.Module, file: Path) -> None:
    for new in (True, False):
        torch.save(network, file, _use_new_zipfile_serialization=new)
        assert found(file) == "whole_module"
    file.write_bytes(pickle.dumps(network))
    assert found(file) == "whole_module"


def test_torchscript_and_exported_programs(network: nn.Module, file: Path, tmp_path: Path) -> None:
    torch.jit.script(network).save(str(file))
    assert found(file) == "torchscript"
    torch.export.save(torch.export.export(network, (torch.zeros(1, 3, 16, 16),)), tmp_path / "m.pt2")
    (tmp_path / "m.pt2").rename(file)
    assert found(file) == "exported"


def test_safetensors(network: nn.Module, file: Path) -> None:
    from safetensors.torch import save_file

    save_file(network.state_dict(), file)
    assert found(file) == "safetensors"
    header = json.dumps({"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    file.write_bytes(struct.pack("<Q", len(header)) + header)  # cut off before its data
    assert found(file) == "safetensors"


def test_keras_in_both_forms(file: Path) -> None:
    import h5py

    with zipfile.ZipFile(file, "w") as archive:
        for name in ("metadata.json", "config.json", "model.weights.h5"):
            archive.writestr(name, "{}")
    assert found(file) == "keras"
    file.unlink()
    with h5py.File(file, "w") as stored:
        stored["x"] = np.zeros(3)
    assert found(file) == "keras"


def test_onnx_whole_or_cut_off(network: nn.Module, file: Path) -> None:
    torch.onnx.export(network, (torch.zeros(1, 3, 16, 16),), str(file), dynamo=False)
    assert found(file) == "onnx"
    file.write_bytes(file.read_bytes()[:300])
    assert found(file) == "onnx"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"hello world, this is no model", "none of the accepted formats"),
        (b"<!DOCTYPE html><html>", "web page"),
        (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS"),
        (b"PK\x03\x04" + b"\0" * 100, "cut off or damaged"),
    ],
)
def test_what_is_no_model_gets_a_reason(content: bytes, said: str, file: Path) -> None:
    file.write_bytes(content)
    with pytest.raises(Unusable, match=said):
        format_of(file)
