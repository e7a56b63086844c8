"""What a file is said to be, by its content; written by the libraries themselves where these are there."""

from __future__ import annotations

import io
import json
import pickle
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper

from harness.findings.file_kinds import FILE_KINDS
from harness.inputs.submission import SubmittedFile
from harness.inputs.submissions.file_kinds import broken, recognised


def packed(*names: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return stream.getvalue()


def saved(what: Any, **options: Any) -> bytes:
    stream = io.BytesIO()
    torch.save(what, stream, **options)
    return stream.getvalue()


def scripted() -> bytes:
    stream = io.BytesIO()
    torch.jit.save(torch.jit.trace(torch.nn.Linear(2, 2), torch.zeros(1, 2)), stream)
    return stream.getvalue()


def hdf5(fill: Callable[[Any], None]) -> bytes:
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        fill(file)
    return stream.getvalue()


def graph() -> bytes:
    side = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
    other = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])
    made = helper.make_model(helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "g", [side], [other]))
    return bytes(onnx.ModelProto.SerializeToString(made))


def of_another(module: str) -> bytes:
    """A pickle that imports a class of this module, which need not be here."""
    return b"\x80\x02c" + module.encode() + b"\nLearner\n."


STATE = {"head.weight": torch.zeros(2, 2)}
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"
CONFLICT = b"import x\n<<<<<<< HEAD\na = 1\n=======\na = 2\n>>>>>>> theirs\n"
CELLS = {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
FILES: dict[str, tuple[bytes, str]] = {
    "model.dat": (graph(), "onnx"),
    "model_best.pth.tar": (saved({"state_dict": STATE, "epoch": 3}), "torch-weights"),
    "checkpoint.zip": (saved(STATE), "torch-weights"),
    "before-1.6.bin": (saved(STATE, _use_new_zipfile_serialization=False), "torch-weights"),
    "epoch=9.ckpt": (saved({"state_dict": STATE, "pytorch-lightning_version": "2.1"}), "torch-lightning"),
    "whole.zip": (saved(torch.nn.Sequential(torch.nn.Linear(2, 2))), "torch-module"),
    "older-whole": (saved(torch.nn.Linear(2, 2), _use_new_zipfile_serialization=False), "torch-module"),
    "script": (scripted(), "torchscript"),
    "objects.zip": (packed("metadata.json", "config.json", "model.weights.h5"), "keras"),
    "vgg.h5": (hdf5(lambda file: file.attrs.update(model_config="{}")), "hdf5-model"),
    "old.hdf5": (hdf5(lambda file: file.attrs.update(layer_names=[b"dense"])), "keras-weights"),
    "best.weights.h5": (hdf5(lambda file: file.create_group("layers/dense/vars")), "keras-weights"),
    "features.h5": (hdf5(lambda file: file.create_dataset("train", data=np.zeros((4, 8)))), "hdf5-data"),
    "cut.h5": (hdf5(lambda file: file.create_dataset("train", data=np.ones(999)))[:3000], "cut-off"),
    "cut.pt": (saved(STATE)[:700], "cut-off"),
    "export.pkl": (of_another("fastai.learner"), "fastai"),
    "best.pt": (of_another("ultralytics.nn.tasks"), "ultralytics"),
    "svm.pkl": (of_another("sklearn.svm._classes"), "sklearn"),
    "history.pkl": (pickle.dumps({"loss": [1.0], "val_accuracy": [0.5]}), "history"),
    "labels.pickle": (pickle.dumps(["ball", "mug"]), "pickle"),
    "mobilenet": (b"\x1c\x00\x00\x00TFL3" + bytes(90), "tflite"),
    "w.bin": ((9).to_bytes(8, "little") + b'{"a":[1]}' + bytes(8), "safetensors"),
    "model.json": (json.dumps({"format": "layers-model", "modelTopology": {}}).encode(), "tfjs"),
    "graph.json": (json.dumps({"weightsManifest": []}).encode(), "tfjs"),
    "metadata.json": (json.dumps({"tfjsVersion": "1.7", "labels": ["a"]}).encode(), "tfjs-metadata"),
    "architecture.json": (json.dumps({"class_name": "Sequential", "config": {}}).encode(), "keras-architecture"),
    "net.mlmodel": (b"\x08\x04\x12\x03abc\xaa\x25\x01", "coreml"),
    "resnet.engine": (b"\x00\x01\x02\x03" + bytes(60), "tensorrt"),
    "plan": (b"ftrt" + bytes(60), "tensorrt"),
    "net.xml": (b'<?xml version="1.0"?>\n<net name="n"><layers></layers></net>', "openvino"),
    "ckpt.data-00000-of-00001": (b"\x00\x01\x02\x03" * 9, "tf-checkpoint"),
    "model.h5": (POINTER, "lfs-pointer"),
    "both.onnx": (CONFLICT.replace(b"a = 1", POINTER.strip()), "lfs-pointer"),
    "train.py": (CONFLICT, "conflict"),
    "model.keras": (b"<!DOCTYPE html><html><title>Google Drive - Virus scan warning</title>", "web-page"),
    "denied.pth": (b'{"error": {"code": 403, "message": "forbidden"}}', "web-page"),
    "TL.gdoc": (b'{"doc_id": "1x", "email": "a@b"}', "link"),
    "TL.url": (b"[InternetShortcut]\r\nURL=https://example.org\r\n", "link"),
    "TL.ipynb.txt": (json.dumps(CELLS).encode(), "notebook"),
    "with-a-mark.ipynb.json": (b"\xef\xbb\xbf" + json.dumps(CELLS).encode(), "notebook"),
    "large.json": (json.dumps(CELLS | {"cells": ["x" * 9_000_000]}).encode(), "notebook"),
    "TL.html": (b"<!doctype html>\n<html><body class='jp-Notebook'></body></html>", "notebook-page"),
    "TL.py": (b"#!/usr/bin/env python\n# coding: utf-8\n\n# In[1]:\n\nprint(1)\n", "notebook-as-code"),
    "jupytext.py": (b"# %%\nprint(1)\n", "notebook-as-code"),
    "model.py": (b"import torch\n\n\ndef build_model(n):\n    return torch.nn.Linear(2, n)\n", "python"),
    "report.docx": (packed("[Content_Types].xml", "word/document.xml"), "document"),
    "x.npz": (packed("a.npy", "b.npy"), "numpy"),
    "data.zip": (packed("a.jpg", "b.jpg"), "archive"),
    "photo.txt": (b"\xff\xd8\xff\xe0" + bytes(20), "image"),
    "IMG.HEIC": (b"\x00\x00\x00\x18ftypheic" + bytes(20), "image"),
    "film.mov": (b"\x00\x00\x00\x18ftypqt  " + bytes(20), "video"),
    "nothing.onnx": (b"", "empty"),
    "noise.onnx": (bytes(range(256)) * 4, "unrecognised"),
    "utf16.txt": ("ball\nmug\n".encode("utf-16"), "text"),
}  # fmt: skip


def write(folder: Path) -> list[Path]:
    for name, (content, _) in FILES.items():
        (folder / name).write_bytes(content)
    return [Path(name) for name in FILES]


def test_each_file_is_what_its_content_says(tmp_path: Path) -> None:
    found = {str(file.path): file.kind for file in recognised(tmp_path, write(tmp_path))}
    assert found == {name: kind for name, (_, kind) in FILES.items()}
    assert set(found.values()) <= FILE_KINDS.keys()


def test_what_is_no_plain_file_is_said_so_and_the_rest_is_read(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(graph())
    (tmp_path / "link.onnx").symlink_to(tmp_path / "secret")
    (tmp_path / "model.onnx").write_bytes(graph())
    names = [Path("link.onnx"), Path("gone.onnx"), Path("model.onnx")]
    assert [file.kind for file in recognised(tmp_path, names)] == ["unreadable", "unreadable", "onnx"]


def test_a_file_that_is_too_much_costs_only_itself(tmp_path: Path) -> None:
    """Nested a hundred thousand times, and what a pattern or a decoder would never finish."""
    (tmp_path / "marks.txt").write_bytes(b"<<<<<<< \n" * 900_000)
    (tmp_path / "deep.json").write_bytes(b'{"a":' * 200_000)
    (tmp_path / "deep.pkl").write_bytes(b"\x80\x04" + b"(" * 30_000_000)
    (tmp_path / "model.onnx").write_bytes(graph())
    names = [Path("deep.json"), Path("deep.pkl"), Path("marks.txt"), Path("model.onnx")]
    before = time.process_time()
    assert [file.kind for file in recognised(tmp_path, names)] == ["json", "pickle", "text", "onnx"]
    assert time.process_time() - before < 5, "the work is the other process's"


def test_when_the_time_is_over_the_rest_is_not_recognised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "model.onnx").write_bytes(graph())
    monkeypatch.setattr("harness.inputs.submissions.file_kinds._SECONDS", -1.0)
    assert [file.kind for file in recognised(tmp_path, [Path("model.onnx")])] == ["unrecognised"]


def test_files_in_place_of_others_are_named_together() -> None:
    images = [SubmittedFile(Path(f"dataset/mug/{number}.jpg"), "lfs-pointer") for number in range(60)]
    (pointers, page) = broken(
        [*images, SubmittedFile(Path("model.onnx"), "web-page"), SubmittedFile(Path("notes.html"), "web-page")]
    )
    assert "and 57 more" in pointers.message and "Git LFS" in pointers.message and "git lfs pull" in pointers.message
    assert page.message.startswith("model.onnx: a web page") and "notes" not in page.message


@pytest.mark.parametrize("kind", [kind for kind, words in FILE_KINDS.items() if words.use in ("foreign", "broken")])
def test_what_cannot_be_used_has_a_way_out(kind: str) -> None:
    assert FILE_KINDS[kind].way_out and not FILE_KINDS[kind].way_out.endswith(".")
