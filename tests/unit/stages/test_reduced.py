"""What a rerun may see: by name from what the audit read, and nothing else."""

import json
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from harness.evidence.audit import DatasetAudit, WithheldPicture
from harness.evidence.record import Blob
from harness.stages.reduced import reduced_hand_in, training_folders
from harness.submission import Submission

BLOB = Blob(name="x", sha256="0" * 64, bytes=1)
PIXELS = b"\xff\xd8 pixels"


def audit_of(kept: dict[str, str], withheld: dict[str, str]) -> DatasetAudit:
    labels = kept | withheld
    return DatasetAudit(
        classes=dict.fromkeys(sorted(set(labels.values())), 1),
        unreadable=(),
        pixels=dict.fromkeys(labels, "0" * 64),
        labels=labels,
        withheld=tuple(WithheldPicture(picture=name, label=label, file=BLOB) for name, label in withheld.items()),
    )


@pytest.fixture
def handed_in(tmp_path: Path) -> Submission:
    root = tmp_path / "handin"
    files = {
        "dataset/train/a.jpg": PIXELS,
        "dataset/train/b.jpg": PIXELS,
        "dataset/train/a.xml": b"<annotation/>",
        "dataset/train/b.xml": b"<annotation/>",
        "dataset/train_labels.csv": b"filename,class\na.jpg,ace\nb.jpg,king\n",
        "dataset/val.txt": b"train/a\ntrain/b\n",
        "dataset/coco.json": json.dumps(
            {"images": [{"id": 1, "file_name": "a.jpg"}, {"id": 2, "file_name": "b.jpg"}],
             "annotations": [{"image_id": 1}, {"image_id": 2}], "categories": []}
        ).encode(),
        "dataset/cache.npy": PIXELS,
        "dataset/big.csv": b"0,1,2\n" * 100_000,
        "dataset/unknown.jpg": PIXELS,
        "weights.h5": b"weights",
        "words.txt": b"allowed",
        "notebook.ipynb": json.dumps(
            {"cells": [{"cell_type": "code", "source": "1", "outputs": [{"data": {"image/png": "iVBOR"}}]},
                       {"cell_type": "markdown", "source": "x", "attachments": {"a.png": {}}}]}
        ).encode(),
    }  # fmt: skip
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return Submission("id", "s", root, Path("notebook.ipynb"), Path("weights.h5"), (), Path("dataset"), "0" * 64, ())


AUDIT = audit_of({"train/a.jpg": "ace"}, {"train/b.jpg": "king"})


def test_only_the_rest_is_there_in_the_same_layout(handed_in: Submission, tmp_path: Path):
    target = tmp_path / "rerun"
    reduced = reduced_hand_in(handed_in, AUDIT, ("words.txt", "../secret", "/etc/passwd"), target)
    there = {str(path.relative_to(target)) for path in target.rglob("*") if path.is_file()}
    assert there == {
        "notebook.ipynb",
        "words.txt",
        "dataset/train/a.jpg",
        "dataset/train/a.xml",
        "dataset/train_labels.csv",
        "dataset/val.txt",
        "dataset/coco.json",
    }
    assert reduced.model is None and reduced.root == target
    assert (target / "dataset/train_labels.csv").read_text() == "filename,class\na.jpg,ace\n"
    assert (target / "dataset/val.txt").read_text() == "train/a\n"
    coco = json.loads((target / "dataset/coco.json").read_text())
    assert [image["id"] for image in coco["images"]] == [1] and coco["annotations"] == [{"image_id": 1}]


def test_the_notebook_carries_no_pictures_along(handed_in: Submission, tmp_path: Path):
    reduced_hand_in(handed_in, AUDIT, (), tmp_path / "rerun")
    cells = json.loads((tmp_path / "rerun" / "notebook.ipynb").read_text())["cells"]
    assert cells == [{"cell_type": "code", "source": "1", "outputs": []}, {"cell_type": "markdown", "source": "x"}]


def test_a_zip_stays_a_zip_and_is_unpacked_beside(handed_in: Submission, tmp_path: Path):
    place = handed_in.root / "dataset.zip"
    with zipfile.ZipFile(place, "w") as archive:
        for name in ("train/a.jpg", "train/b.jpg", "../../out.jpg", "cache.npy"):
            archive.writestr(name, PIXELS)
    zipped = replace(handed_in, dataset=Path("dataset.zip"))
    reduced_hand_in(zipped, AUDIT, (), tmp_path / "rerun")
    with zipfile.ZipFile(tmp_path / "rerun" / "dataset.zip") as archive:
        assert archive.namelist() == ["train/a.jpg"]
    assert (tmp_path / "rerun" / "dataset" / "train" / "a.jpg").read_bytes() == PIXELS
    training_folders(place, AUDIT, tmp_path / "train")
    assert {str(path.relative_to(tmp_path / "train")) for path in (tmp_path / "train").rglob("*.jpg")} == {
        "ace/00000.jpg"
    }


def test_of_two_files_with_one_path_the_one_that_was_audited_stays(handed_in: Submission, tmp_path: Path):
    """The other one is a picture that nobody has seen: a copy of a withheld one, perhaps."""
    place = handed_in.root / "dataset.zip"
    with zipfile.ZipFile(place, "w") as archive:
        for name, content in (("train/a.jpg", PIXELS), ("train\\\\a.jpg", b"twin"), ("./train/a.jpg", b"twin")):
            archive.writestr(name, content)
    zipped = replace(handed_in, dataset=Path("dataset.zip"))
    reduced_hand_in(zipped, AUDIT, (), tmp_path / "rerun")
    with zipfile.ZipFile(tmp_path / "rerun" / "dataset.zip") as archive:
        assert [archive.read(member) for member in archive.infolist()] == [PIXELS]
    training_folders(place, AUDIT, tmp_path / "train")
    assert [file.read_bytes() for file in (tmp_path / "train").rglob("*.jpg")] == [PIXELS]


def test_a_class_name_leads_nowhere(handed_in: Submission, tmp_path: Path):
    audit = audit_of({"train/a.jpg": "../../ace"}, {"train/b.jpg": "king"})
    training_folders(handed_in.root / "dataset", audit, tmp_path / "train")
    assert {path.name for path in (tmp_path / "train").iterdir()} == {"_.._ace", "king"}


def test_the_students_own_test_part_is_not_trained_on(handed_in: Submission, tmp_path: Path):
    audit = audit_of({"train/a.jpg": "ace", "unknown.jpg": "king"}, {}).model_copy(
        update={"own_test": ("unknown.jpg",)}
    )
    training_folders(handed_in.root / "dataset", audit, tmp_path / "train")
    assert [path.parent.name for path in (tmp_path / "train").rglob("*.jpg")] == ["ace"]
