"""labels.txt and handin.json, as people and tools write them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.stages.handin_files import Undeclared, read_handin, read_labels

NAMES = ("mug", "ball", "water bottle")

WHOLE: dict[str, Any] = {
    "schema": 1,
    "classes": list(NAMES),
    "width": 224,
    "height": 224,
    "colour": "RGB",
    "scale": 1 / 255,
    "mean": [0.485, 0.456, 0.406],
    "std": [0.229, 0.224, 0.225],
    "resize": "shorter-side-crop",
    "crop_fraction": 0.875,
    "layout": "NCHW",
    "output": "logits",
}


@pytest.mark.parametrize(
    "content",
    [
        b"mug\nball\nwater bottle\n",
        b"mug\nball\nwater bottle",
        b"\xef\xbb\xbfmug\r\nball\r\nwater bottle\r\n",
        b"\n\n  mug \n\nball\t\n\nwater bottle\n\n",
        "mug\nball\nwater bottle".encode("utf-16"),
        b"mug, ball, water bottle\n",
        b"mug;ball;water bottle",
        b"0 mug\n1 ball\n2 water bottle\n",
        b"0: mug\n1: ball\n2: water bottle\n",
        b"n03797390 mug\nn02778669 ball\nn04557648 water bottle\n",
    ],
    ids=["plain", "no-end", "bom-crlf", "blanks", "utf-16", "commas", "semicolons", "numbered", "colon", "wordnet"],
)
def test_labels_as_people_write_them(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_bytes(content)
    assert read_labels(tmp_path / "labels.txt") == NAMES


def test_labels_keep_accents_and_the_order_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_bytes("Zwiebel\nÄpfel".encode("cp1252"))
    assert read_labels(tmp_path / "labels.txt") == ("Zwiebel", "Äpfel")


def test_class_names_that_are_numbers_stay(tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text("10\n20\n50\n")
    assert read_labels(tmp_path / "labels.txt") == ("10", "20", "50")


def test_a_blank_labels_file_holds_no_names(tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_bytes(b"\xef\xbb\xbf\r\n \r\n")
    assert read_labels(tmp_path / "labels.txt") == ()


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"mug\nMug \n", "twice"), (b"x" * 201, "200 characters"), (b"a\n" * 200_000, "256 KiB")],
)
def test_labels_that_cannot_be_used(content: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_bytes(content)
    with pytest.raises(Undeclared, match=said):
        read_labels(tmp_path / "labels.txt")


def handin(folder: Path, **changes: Any) -> Path:
    values = {key: value for key, value in (WHOLE | changes).items() if value is not ...}
    (folder / "handin.json").write_text(json.dumps(values))
    return folder / "handin.json"


def test_a_whole_declaration(tmp_path: Path) -> None:
    read = read_handin(handin(tmp_path))
    assert read.classes == NAMES and read.output == "logits"
    assert read.preprocess is not None
    assert (read.preprocess.width, read.preprocess.crop_fraction) == (224, 0.875)


def test_stretching_cuts_nothing(tmp_path: Path) -> None:
    read = read_handin(handin(tmp_path, resize="stretch"))
    assert read.preprocess is not None and read.preprocess.crop_fraction == 1.0


def test_classes_alone_declare_no_pre_processing(tmp_path: Path) -> None:
    file = tmp_path / "handin.json"
    file.write_text('{"schema": 1, "classes": ["a", "b"]}')
    assert read_handin(file).preprocess is None


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"width": 3}, "width"),
        ({"std": [0.2, 0.0, 0.2]}, "std"),
        ({"mean": [0.1, 0.2]}, "mean"),
        ({"scale": float("nan")}, "scale"),
        ({"colour": "GBR"}, "colour"),
        ({"mean": ...}, "mean missing"),
        ({"schema": 2}, "schema"),
        ({"extra": 1}, "extra"),
    ],
)
def test_a_wrong_declaration_names_the_key(changes: dict[str, Any], said: str, tmp_path: Path) -> None:
    with pytest.raises(Undeclared, match=said):
        read_handin(handin(tmp_path, **changes))


def test_what_is_no_json_is_said(tmp_path: Path) -> None:
    (tmp_path / "handin.json").write_text("{'schema': 1}")
    with pytest.raises(Undeclared, match="JSON"):
        read_handin(tmp_path / "handin.json")
    (tmp_path / "handin.json").write_text("[" * 200_000)
    with pytest.raises(Undeclared):
        read_handin(tmp_path / "handin.json")
