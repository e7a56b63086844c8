"""A rerun's data set has boxes in the layout in which they came, at the places to which the images moved."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
import yaml
from PIL import Image
from rewriting import handed_in, photograph, there, written

from harness.agent.dataset import open_tree, read

LABELS = {f"train/images/{n}.jpg": "ace" if n % 2 else "king" for n in range(6)}
GONE = ["train/images/2.jpg"]


def boxes_of(folder: Path, scratch: Path) -> dict[str, list[tuple[str, float, float]]]:
    """Of each image the class and the centre of its boxes, as shares."""
    found = {}
    for one in read(open_tree(folder, scratch)).images:
        width, height = Image.open(one.file).size
        found[str(one.file.relative_to(folder))] = [
            (box.label, (box.left + box.right) / 2 / width, (box.top + box.bottom) / 2 / height) for box in one.boxes
        ]
    return found


def test_yolo_stays_yolo_and_carries_nothing_else(tmp_path: Path):
    files = {
        f"dataset/train/labels/{n}.txt": f"{n % 2} 0.5 0.4 0.25 0.25\n{'SMUGGLED' if n == 1 else ''}\n"
        for n in range(6)
    }
    said = "train: ../train/images\nval: SMUGGLED/x\nnote: SMUGGLED\nnames: [king, ace, SMUGGLED]\n"
    root = handed_in(tmp_path / "in", [f"dataset/{name}" for name in LABELS], {**files, "dataset/data.yaml": said})
    found = written(root, LABELS, GONE, tmp_path / "out")
    place = tmp_path / "out/rerun/dataset"
    kept = [name for name in LABELS if name not in GONE]
    labels = [name.replace("images", "labels").replace(".jpg", ".txt") for name in kept]
    assert there(tmp_path / "out") == {"notebook.ipynb", *(f"dataset/{name}" for name in (*kept, *labels, "data.yaml"))}
    assert yaml.safe_load((place / "data.yaml").read_text()) == {
        "train": "train/images", "nc": 3, "names": {0: "king", 1: "ace"},
    }  # fmt: skip
    assert not any(b"SMUGGLED" in file.read_bytes() for file in place.rglob("*") if file.is_file())
    moved = boxes_of(place, tmp_path / "scratch")
    assert set(moved) == set(kept)
    for name, [(label, x, y)] in moved.items():
        assert label == LABELS[name] and abs(x - 0.5) < 0.03 and abs(y - 0.4) < 0.03
    assert not found.findings


def test_open_images_keeps_the_columns_that_are_understood(tmp_path: Path):
    labels = {f"train/{n:04}.jpg": "ace" if n % 2 else "king" for n in range(6)}
    rows = "".join(f"{n:04},SMUGGLED,0.25,0.75,0.2,0.6,{'ace' if n % 2 else 'king'}\n" for n in reversed(range(6)))
    table = f"ImageID,Source,XMin,XMax,YMin,YMax,ClassName\n{rows}"
    name = "sub-train-annotations-bbox.csv"
    root = handed_in(tmp_path / "in", [f"dataset/{one}" for one in labels], {f"dataset/{name}": table})
    written(root, labels, ["train/0003.jpg"], tmp_path / "out")
    place = tmp_path / "out/rerun/dataset"
    found = list(csv.DictReader(io.StringIO((place / name).read_text())))
    assert list(found[0]) == ["ImageID", "XMin", "XMax", "YMin", "YMax", "ClassName"]
    assert [row["ImageID"] for row in found] == ["0000", "0001", "0002", "0004", "0005"]  # in no order of the student's
    moved = boxes_of(place, tmp_path / "scratch")
    for image, [(label, x, y)] in moved.items():
        assert label == labels[image] and abs(x - 0.5) < 0.03 and abs(y - 0.4) < 0.03


def test_custom_visions_json_is_written_back_with_what_is_understood(tmp_path: Path):
    labels = {f"{n:04}.jpg": "ace" if n % 2 else "king" for n in range(6)}
    sides = {"left": 0.25, "top": 0.2, "width": 0.5, "height": 0.4}
    entries = [
        {"filename": name, "note": "SMUGGLED", "tags": [{"tag": label, **sides, "by": "SMUGGLED"}]}
        for name, label in reversed(labels.items())
    ]
    text = json.dumps({"files": entries, "from": "SMUGGLED"})
    root = handed_in(tmp_path / "in", [f"dataset/{one}" for one in labels], {"dataset/tagged-images.json": text})
    written(root, labels, ["0003.jpg"], tmp_path / "out")
    place = tmp_path / "out/rerun/dataset"
    found = json.loads((place / "tagged-images.json").read_text())
    assert set(found) == {"files"} and "SMUGGLED" not in str(found)
    assert [one["filename"] for one in found["files"]] == ["0000.jpg", "0001.jpg", "0002.jpg", "0004.jpg", "0005.jpg"]
    moved = boxes_of(place, tmp_path / "scratch")
    assert len(moved) == 5
    for image, [(label, x, y)] in moved.items():
        assert label == labels[image] and abs(x - 0.5) < 0.03 and abs(y - 0.4) < 0.03


@pytest.mark.parametrize("stated", [(96, 72), (72, 96)])
def test_boxes_of_a_turned_photograph_stay_on_their_object(stated: tuple[int, int], tmp_path: Path):
    """A camera stores it on its side. Some tools annotate it so, and state that size; others upright."""
    object_, turn = "<object><name>ace</name><bndbox>{}</bndbox></object>", Image.Exif()
    turn[0x0112] = 6  # shown turned clockwise
    corners = (25, 37, 48, 54) if stated == (96, 72) else (19, 25, 36, 48)  # of one place: a quarter across, half down
    sides = "".join(
        f"<{side}>{at}</{side}>" for side, at in zip(("xmin", "ymin", "xmax", "ymax"), corners, strict=True)
    )
    size = f"<size><width>{stated[0]}</width><height>{stated[1]}</height></size>"
    root = handed_in(
        tmp_path / "in", ["dataset/1.jpg"], {"dataset/1.xml": f"<annotation>{size}{object_.format(sides)}</annotation>"}
    )
    photograph((96, 72)).save(root / "dataset/1.jpg", quality=95, exif=turn)
    written(root, {"1.jpg": "ace"}, [], tmp_path / "out")
    place = tmp_path / "out/rerun/dataset"
    assert Image.open(place / "1.jpg").size == (72, 96)
    [(label, x, y)] = boxes_of(place, tmp_path / "scratch")["1.jpg"]
    assert label == "ace" and abs(x - 0.375) < 0.03 and abs(y - 0.375) < 0.03
