"""What a data set that took over its sandbox could send: refused, or at most a wrong count."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hostile import context, npy

from harness.inputs.assignment.sections import OwnDataset
from harness.inputs.submission import Submission
from harness.stages.audit.stage import AuditRules, audit
from harness.stages.evidence.stage_result import Done, Failed

SEEN = {
    "width": 40,
    "height": 30,
    "sha256": "0" * 64,
    "blur": 0.2,
    "brightness": 0.5,
    "bright_share": 0.0,
    "dark_share": 0.0,
    "camera": False,
    "rights": False,
    "plain_border": False,
}


def row(**changes: Any) -> dict[str, Any]:
    values = {
        "name": "ball/1.jpg",
        "label": "ball",
        "split": "",
        "shows_one_class": True,
        "box_faults": [],
        "seen": SEEN,
    }
    return values | changes


def sent(
    rows: list[dict[str, Any]], left_out: int = 0, odd: int = 0, drawn: list[str] | None = None, **changes: bytes
) -> dict[str, bytes]:
    readable = sum(one["seen"] is not None for one in rows)
    half = len(rows) // 2
    reply = {
        "layout": "class-folders",
        "parts": 2,
        "left_out": left_out,
        "odd": odd,
        "faults": [],
        "drawn": drawn or [],
    }
    files = {
        "audit.json": json.dumps(reply).encode(),
        "images-0.json": json.dumps({"images": rows[:half]}).encode(),
        "images-1.json": json.dumps({"images": rows[half:]}).encode(),
        "greys.npy": npy(np.zeros((readable, 128, 128), np.uint8)),
        "thumbnails.npy": npy(np.zeros((readable, 112, 112, 3), np.uint8)),
    }
    named = {name.replace("__", ".").replace("_", "-"): content for name, content in changes.items()}
    return files | named


def audited(folder: Path, files: dict[str, bytes], withholds: bool = False) -> Any:
    handed_in = Submission("id", "student", folder, None, (), (), Path("dataset"), "0" * 64, ())
    return audit(handed_in, AuditRules(OwnDataset(), withholds, None), context(folder, files))


def test_an_honest_reply_is_taken(tmp_path: Path):
    result = audited(tmp_path, sent([row(), row(name="mug/1.jpg", label="mug"), row(name="mug/2.jpg", seen=None)]))
    assert isinstance(result, Done)
    assert result.value.classes == {"ball": 1, "mug": 1} and result.value.unreadable == ("mug/2.jpg",)
    assert result.value.duplicates == (("ball/1.jpg", "mug/1.jpg"),)
    codes = {finding.code for finding in result.findings} - {"dataset-two-labels"}
    assert codes == {"dataset-unreadable-images", "dataset-too-few-classes", "dataset-too-few-images"}


def test_images_in_several_lists_are_named_once_for_what_that_is(tmp_path: Path):
    files = sent([row(), row(name="mug/1.jpg", label="mug")])
    said = json.loads(files["audit.json"]) | {"in_several": 2}
    result = audited(tmp_path, files | {"audit.json": json.dumps(said).encode()})
    [message] = [one.message for one in result.findings if one.code == "dataset-merged-sets"]
    assert message.startswith("2 images stand in several of the lists train, val and test")


def test_one_photograph_in_two_classes_is_named_and_one_twice_in_a_class_is_not(tmp_path: Path):
    other = row(name="mug/2.jpg", label="mug", seen=SEEN | {"sha256": "1" * 64})
    twice = other | {"name": "mug/3.jpg"}
    rows = [row(), row(name="ball/2.jpg"), row(name="mug/1.jpg", label="mug"), other, twice]
    result = audited(tmp_path, sent(rows))
    assert isinstance(result, Done)
    assert result.value.two_labels == (("ball/1.jpg", "ball/2.jpg", "mug/1.jpg"),)
    [found] = [finding for finding in result.findings if finding.code == "dataset-two-labels"]
    assert "3 images" in found.message and "ball/1.jpg and mug/1.jpg" in found.message


def test_what_was_not_looked_at_is_said(tmp_path: Path):
    result = audited(tmp_path, sent([row(), row(name="mug/1.jpg", label="mug")], left_out=15_000, odd=3))
    assert isinstance(result, Done)
    said = {finding.code: finding.message for finding in result.findings}
    assert "15000 more images" in said["dataset-cut"] and "left out: 3" in said["dataset-odd-files"]
    nothing = audited(tmp_path / "2", sent([row(), row(name="mug/1.jpg", label="mug")]))
    assert not {"dataset-cut", "dataset-odd-files"} & {finding.code for finding in nothing.findings}


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"audit.json": b"[" * 100_000},
        sent([row()], images_1__json=b""),
        sent([row(seen=SEEN | {"blur": float("nan")})]),
        sent([row(seen=SEEN | {"sha256": "../../x"})]),
        sent([row(name="x" * 201)]),
        sent([row(split="everything")]),
        sent([row(box_faults=[["explodes", "ball"]])]),
        sent([row(objects=[[0, 0.1, 0.1, 0.5, 0.5, 0]])]),  # of a class that has no name
        sent([row(objects=[[0, 0.5, 0.1, 0.1, 0.5, 0]])], drawn=["ball"]),
        sent([row(objects=[[0, 0.1, 0.1, float("nan"), 0.5, 0]])], drawn=["ball"]),
        sent([row(objects=[[0, -0.1, 0.1, 0.5, 0.5, 0]])], drawn=["ball"]),
        sent([row(objects=[[0, 0.1, 0.1, 0.5, 0.5, 2]])], drawn=["ball"]),
        sent([row(objects=[[0, 0.1, 0.1, 0.5, 0.5, 0]] * 101)], drawn=["ball"]),
        sent([row()], drawn=["ball"] * 1001),
        sent([row()], drawn=["x" * 201]),
        sent([row()], greys__npy=npy(np.zeros((9, 128, 128), np.uint8))),
        sent([row()], greys__npy=npy(np.zeros((1, 128, 128), np.float32))),
        sent([row()], greys__npy=npy(np.array([{"a": 1}], dtype=object), allow_pickle=True)),
        sent([row()], thumbnails__npy=b"PK\x03\x04"),
        sent([row()], embeddings__npy=npy(np.full((1, 1280), np.nan, np.float32))),
        sent([row()], embeddings__npy=npy(np.zeros((1, 7), np.float32))),
    ],
)
def test_anything_else_is_rejected(files: dict[str, bytes], tmp_path: Path):
    result = audited(tmp_path, files)
    assert isinstance(result, Failed) and result.status == "rejected"


def test_objects_in_range_are_taken(tmp_path: Path):
    result = audited(tmp_path, sent([row(objects=[[0, 0, 0.1, 1, 0.5, 1]] * 100)], drawn=["ball"]))
    assert isinstance(result, Done) and result.value.objects == {}, "they say nothing where classes alone are asked for"


def test_an_archive_that_cannot_be_opened_is_said(tmp_path: Path):
    result = audited(tmp_path, {"audit.json": json.dumps({"refused": "it is no zip"}).encode()})
    assert isinstance(result, Failed) and [f.code for f in result.findings] == ["dataset-unusable"]


def test_withheld_images_that_do_not_come_out_are_rejected(tmp_path: Path):
    rows = [row(name=f"{c}/{i}.jpg", label=c, seen=SEEN | {"sha256": f"{i:064x}"}) for i, c in enumerate("ab" * 20)]
    result = audited(tmp_path, sent(rows), withholds=True)
    assert isinstance(result, Failed) and result.status == "rejected" and "was not sent" in result.reason
