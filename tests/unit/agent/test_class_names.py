"""Names of classes inside a model's file, in the forms that tools write, and nothing that is no list of names."""

from __future__ import annotations

import argparse
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.agent.models.class_names import MOST, names_in, names_in_extras, names_of, plain_names

NAMES = ("mug", "ball", "cup of tea")


@pytest.mark.parametrize(
    "value",
    [
        list(NAMES), NAMES, np.array(NAMES), dict(enumerate(NAMES)), {name: i for i, name in enumerate(NAMES)},
        {str(i): name for i, name in enumerate(NAMES)}, str(dict(enumerate(NAMES))), json.dumps(list(NAMES)),
        json.dumps({name: i for i, name in enumerate(NAMES)}), "mug\nball\r\ncup of tea\n", "mug, ball, cup of tea",
        str({2: "cup of tea", 0: "mug", 1: "ball"}),
    ],
)  # fmt: skip
def test_every_usual_form_is_read(value: Any) -> None:
    assert names_of(value) == NAMES


@pytest.mark.parametrize(
    "value",
    [
        None, 5, "one", b"a,b", ["a", "a"], ["a", ""], ["a", 1], ["a"], {0: "a", 2: "b"}, {"a": 0, "b": 0},
        "{" * 10_000, "[1, 2]", ["a" * 201, "b"], ["a\x1b[31m", "b"], [str(i) for i in range(MOST + 1)],
    ],
)  # fmt: skip
def test_nothing_else_is(value: Any) -> None:
    assert names_of(value) == ()


@pytest.mark.parametrize(
    "held",
    [
        {"epoch": 3, "class_to_idx": {name: i for i, name in enumerate(NAMES)}},
        {"hyper_parameters": {"lr": 0.1, "class_names": list(NAMES)}},
        {"args": argparse.Namespace(classes=list(NAMES))}, {"Image.Labels": ",".join(NAMES)},
        {"classes": 3, "names": str(dict(enumerate(NAMES)))}, {"config": {"id2label": dict(enumerate(NAMES))}},
    ],
)  # fmt: skip
def test_the_usual_keys_are_looked_at(held: Any) -> None:
    assert names_in(held) == NAMES


def test_what_a_process_says_is_bounded() -> None:
    assert plain_names([["a"], "b"]) == () and plain_names({"a": 1}) == () and plain_names(["a", "b"]) == ("a", "b")


def test_texts_beside_a_model_in_its_zip_are_read(tmp_path: Path) -> None:
    """TensorFlow Lite appends such a zip to the model; TorchScript has a folder for them."""
    lite, script = tmp_path / "model.tflite", tmp_path / "model.pt"
    lite.write_bytes(b"\x1c\x00\x00\x00TFL3" + bytes(100))
    with zipfile.ZipFile(lite, "a") as archive:
        archive.writestr("labels.txt", "\n".join(NAMES))
    with zipfile.ZipFile(script, "w") as archive:
        archive.writestr("model/code/names.txt", "not,these")
        archive.writestr("model/extra/config.json", json.dumps({"classes": NAMES}))
    assert names_in_extras(lite, "", (".txt",)) == NAMES and names_in_extras(script) == NAMES


def test_a_file_that_is_no_zip_has_none(tmp_path: Path) -> None:
    (tmp_path / "model.tflite").write_bytes(b"\x1c\x00\x00\x00TFL3PK\x05\x06" + bytes(30))
    assert names_in_extras(tmp_path / "model.tflite", "", (".txt",)) == ()
