"""What a decoder that was taken over could send as a data set written anew: nothing lands outside, or unasked."""

import json
from pathlib import Path
from typing import Any

import pytest
from hostile import Sends
from rewriting import handed_in, written

from harness.stages.execute.rewrite import NotRewritten

CARRIED = {"information": 1, "usual": 2048, "where": "", "there": 0}
REPLY = {
    "unreadable": "", "images": 1, "names_replaced": False, "information": 1, "usual": 1536, "files_left_out": 0,
    "examples": [], "archive": "", "allowed": [], "carried": CARRIED,
}  # fmt: skip
ROW = [0, "mug/0.jpg", "mug/0.jpg", False]


def sent(rows: list[Any], **changes: Any) -> dict[str, bytes]:
    files = {"rewritten.json": REPLY | changes.pop("reply", {}), "images.json": rows}
    whole = {name: json.dumps(value).encode() for name, value in files.items()}
    return whole | {"notebook.ipynb": b"{}", "texts": b"", "image-0": b"pixels"} | changes


def outcome(tmp_path: Path, files: dict[str, bytes]) -> str:
    """Why it was refused; empty when it was not. Nothing may lie outside the two folders, whichever."""
    root = handed_in(tmp_path / "in", ["dataset/mug/0.jpg", "dataset/mug/1.jpg"], {})
    before = {file for file in tmp_path.rglob("*") if file.is_file()}
    try:
        labels = {"mug/0.jpg": "mug", "mug/1.jpg": "mug"}
        written(root, labels, ["mug/1.jpg"], tmp_path / "out", engine=Sends(files))
        reason = ""
    except NotRewritten as error:
        reason = error.result.reason
    new = {file for file in tmp_path.rglob("*") if file.is_file()} - before
    assert all(file.is_relative_to(tmp_path / "out") for file in new)
    return reason


def test_what_was_agreed_is_laid_out(tmp_path: Path):
    assert outcome(tmp_path, sent([ROW], texts=b"list.txt\n0\n\0")) == ""
    assert (tmp_path / "out/rerun/dataset/mug/0.jpg").read_bytes() == b"pixels"
    assert (tmp_path / "out/rerun/dataset/list.txt").read_bytes() == b"0\n"


@pytest.mark.parametrize(
    "path",
    [
        "../0.jpg",
        "/tmp/0.jpg",
        "a/../../0.jpg",
        "mug\\0.jpg",
        "mug/0.py",
        "mug/0",
        "",
        ".",
        "a\n.jpg",
        "a" * 300 + ".jpg",
    ],
)
def test_an_image_goes_to_no_other_place_and_is_no_program(tmp_path: Path, path: str):
    assert "no name of a file" in outcome(tmp_path, sent([[0, "mug/0.jpg", path, False]]))


@pytest.mark.parametrize("path", [b"../list.txt", b"/etc/list.txt", b"x.py", b"\xff.txt/../../a.txt", b"a\x1b[2J.txt"])
def test_nor_does_a_list(tmp_path: Path, path: bytes):
    assert "no name of a file" in outcome(tmp_path, sent([ROW], texts=path + b"\ncontent\0"))


@pytest.mark.parametrize(
    "files",
    [
        sent([[0, "mug/1.jpg", "mug/1.jpg", False]]),  # a withheld one
        sent([[0, "other.jpg", "mug/0.jpg", False]]),
        sent([[9999, "mug/0.jpg", "mug/0.jpg", False]]),
        sent([ROW, ROW]),
        sent([[1, "mug/0.jpg", "mug/0.jpg", False]]),  # not sent
        sent([ROW], **{"image-0": b"x" * (4 * 2**20 + 1)}),
        sent([ROW], texts=b"a.txt\n1\0a.txt\n2\0"),
        sent([ROW], texts=b"a.txt\n1\0a.txt/b.txt\n2\0"),
        sent([ROW], texts=b"x" * (32 * 2**20 + 1)),
        sent([ROW], reply={"images": 10**9}),
        sent([ROW], reply={"archive": "../../x.zip"}),
        sent([ROW], reply={"more": 1}),
        sent([ROW], **{"rewritten.json": b"[" * 10**5}),
        sent([ROW], **{"images.json": b"{}"}),
    ],
    ids=range(14),
)  # fmt: skip
def test_what_was_not_agreed_is_refused(tmp_path: Path, files: dict[str, bytes]):
    assert outcome(tmp_path, files)


def test_the_notebooks_reason_is_a_finding_and_the_rest_is_laid_out(tmp_path: Path):
    root = handed_in(tmp_path / "in", ["dataset/mug/0.jpg"], {})
    files = sent([ROW], reply={"unreadable": "it is no notebook"})
    found = written(root, {"mug/0.jpg": "mug"}, (), tmp_path / "out", engine=Sends(files))
    assert found.unreadable is not None and found.unreadable.findings[0].code == "notebook-unreadable"
    assert not (tmp_path / "out/rerun/notebook.ipynb").exists()
    assert len(list((tmp_path / "out/train").rglob("*.jpg"))) == 1


@pytest.mark.parametrize("name", ["../../planted/0.jpg", "{outside}/planted/0.jpg"])
def test_a_withheld_images_folder_leads_nowhere(tmp_path: Path, name: str):
    """Its name comes out of the sandbox, too."""
    root = handed_in(tmp_path / "in", ["dataset/mug/0.jpg"], {})
    hostile = name.format(outside=tmp_path)
    labels = {"mug/0.jpg": "mug", hostile: "planted"}
    written(root, labels, [hostile], tmp_path / "out", engine=Sends(sent([ROW])))
    planted = [path for path in tmp_path.rglob("planted") if not path.is_relative_to(tmp_path / "out" / "train")]
    assert not planted
