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
        b"1. mug\n2. ball\n3. water bottle\n",
        b"mug 0\nball 1\nwater bottle 2\n",
        b"ball,1\nwater bottle,2\nmug,0\n",
        b"index,name\n0,mug\n1,ball\n2,water bottle\n",
        b'"mug",\n"ball",\n"water bottle"\n',
        b"'mug'\n'ball'\n'water bottle'\n",
        b"['mug', 'ball', 'water bottle']",
        b"class_names = ['mug',\n  'ball', 'water bottle',]\n",
        b"['mug' 'ball' 'water bottle']",
        b"array(['mug', 'ball', 'water bottle'], dtype='<U12')",
        b"dict_keys(['mug', 'ball', 'water bottle'])",
        b"('mug', 'ball', 'water bottle')",
        b"{'ball': 1, 'mug': 0, 'water bottle': 2}",
        b"{0: 'mug', 1: 'ball', 2: 'water bottle'}",
        b'{"ball": 1, "mug": 0, "water bottle": 2}',
        b'{"0": "mug", "2": "water bottle", "1": "ball"}',
        b'{"1": "mug", "2": "ball", "3": "water bottle"}',
        b'["mug", "ball", "water bottle"]',
        b'{"classes": ["mug", "ball", "water bottle"], "width": 224}',
        b'{"categories": [{"id": 1, "name": "mug"}, {"id": 3, "name": "water bottle"}, {"id": 2, "name": "ball"}]}',
        b"train: images/train\nnc: 3\nnames: ['mug', 'ball', 'water bottle']\n",
        b"names:\n  0: mug\n  1: ball\n  2: water bottle\n",
        b"- mug\n- ball\n- water bottle\n",
        b"names:\n- mug\n- ball\n- water bottle\n",
    ],
)
def test_labels_as_people_write_them(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_bytes(content)
    assert read_labels(tmp_path / "labels.txt") == NAMES


def test_labels_keep_accents_and_the_order_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_bytes("Zwiebel\nÄpfel".encode("cp1252"))
    assert read_labels(tmp_path / "labels.txt") == ("Zwiebel", "Äpfel")


@pytest.mark.parametrize(
    "names",
    [("10", "20", "50"), ("1 euro", "2 euro"), ("class 0", "class 1"), ("0.5 mm", "1.0 mm"), ("5 cent", "1 euro"),
     ("0 euro", "5 euro"), ("no", "yes"), ("null", "true"), ("type-1", "type-2"), ("[a]", "b"), ("mug", "0 ball")],
)  # fmt: skip
def test_class_names_with_numbers_or_odd_ones_stay(names: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text("\n".join(names) + "\n")
    assert read_labels(tmp_path / "labels.txt") == names


def test_yes_and_no_in_yaml_are_names(tmp_path: Path) -> None:
    (tmp_path / "data.yaml").write_text("nc: 2\nnames:\n  0: no\n  1: yes\n")
    assert read_labels(tmp_path / "data.yaml") == ("no", "yes")


def test_a_blank_labels_file_holds_no_names(tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_bytes(b"\xef\xbb\xbf\r\n \r\n")
    assert read_labels(tmp_path / "labels.txt") == ()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"mug\nMug \n", "twice"),
        (b"x" * 201, "200 characters"),
        (b"a\n" * 200_000, "larger than 0.26"),
        (b"{'mug': 0, 'ball': 2}", "without a gap"),
        (b"[" * 50_000 + b"]" * 50_000, "a list or a dict"),
        (b"{1: [2]}", "neither a list"),
        (b"names: &a [*a, *a]", "alias"),
        (b"names: " + b"[" * 30_000 + b"]" * 30_000, "nested too deeply"),
        (b"names:\n" + b"- " * 30_000 + b"x", "nested too deeply"),
        (b"{'a': 0, 'b': 0}", "without a gap"),
        (b'["\\ud83d", "ball"]', "half of a character"),
        (b"['\\ud83d', 'ball']", "half of a character"),
    ],
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
