"""What lies beside a download, in two of them, or only looks like one; and folders around a class."""

from __future__ import annotations

from pathlib import Path

import pytest
from downloads import (
    CANVAS,
    EXPECTED,
    MOODLE,
    NOTEBOOK,
    codes,
    files,
    lay_out,
    taken,
    unpacked,
    zipped,
)

from harness.errors import UsageError
from harness.inputs.submissions import collect


def test_a_mixture_is_taken_and_said(tmp_path: Path):
    """A folder that came by mail among Canvas' files is a submission of its own, with a finding."""
    tree = {**CANVAS, "Piet by mail/notebook.ipynb": NOTEBOOK, **MOODLE}
    tree = {name: content for name, content in tree.items() if "/" not in name or "mail" in name or "Anna" in name}
    found = taken(lay_out(tree, tmp_path / "given", "unpacked"), tmp_path)
    assert codes(found["Piet-by-mail"]) == ["beside-download"]
    assert "Canvas and Moodle" in found["Piet-by-mail"].findings[0].message
    assert found["Anna-de-Vries-123456"].origin.source == "moodle"


@pytest.mark.parametrize(
    "names",
    [
        ("group_12_3456_final.ipynb", "anna.ipynb", "piet.ipynb"),
        ("anna_2025_11_03.ipynb", "piet_2025_11_04.ipynb"),
        ("lab-1/notebook.ipynb", "lab-2/notebook.ipynb"),
        ("12-34 - Anna/notebook.ipynb", "13-34 - Piet/notebook.ipynb"),
        ("anna_attempt_2/notebook.ipynb", "piet/notebook.ipynb"),
    ],
)
def test_names_that_look_a_little_like_a_download_stay_plain(tmp_path: Path, names: tuple[str, ...]):
    found = taken(lay_out(dict.fromkeys(names, NOTEBOOK), tmp_path / "given", "unpacked"), tmp_path)
    assert len(found) == len(names)
    assert {one.origin.source for one in found.values()} == {"plain"}


def test_a_students_zip_cannot_pose_as_a_download(tmp_path: Path):
    """Among others' submissions, a zip with names as an LMS gives them is that one student's."""
    given = tmp_path / "given"
    unpacked({"anna/notebook.ipynb": NOTEBOOK, "mallory.zip": zipped(MOODLE)}, given)
    assert set(taken(given, tmp_path)) == {"anna", "mallory"}


def test_windows_separators_in_the_lmss_zip(tmp_path: Path):
    tree = {name.replace("/", "\\"): content for name, content in MOODLE.items()}
    found = taken(lay_out(tree, tmp_path / "given", "the zip"), tmp_path)
    assert files(found["Anna-de-Vries-123456"]) >= {"notebook.ipynb", "model.onnx"}


def test_one_bad_member_of_the_lmss_zip_costs_one_hand_in(tmp_path: Path):
    tree = {**MOODLE, "Mallory_1_assignsubmission_file_/../../../evil.ipynb": NOTEBOOK}
    found = taken(lay_out(tree, tmp_path / "given", "the zip"), tmp_path)
    assert codes(found["Mallory-1"]) == ["unsafe-path"]
    assert found["Anna-de-Vries-123456"].notebook
    assert not list(tmp_path.rglob("evil.ipynb"))


def test_a_zip_that_is_none_is_an_error_with_what_to_do(tmp_path: Path):
    (tmp_path / "class.zip").write_bytes(b"PK\x03\x04 cut")
    with pytest.raises(UsageError, match=r"class\.zip"):
        taken(tmp_path / "class.zip", tmp_path)


def test_two_downloads_of_one_course_are_one_class(tmp_path: Path):
    given = tmp_path / "given"
    again = {"jansenpiet_12346_999_notebook-3.ipynb": NOTEBOOK, "nieuwnel_500_999_notebook.ipynb": NOTEBOOK}
    unpacked({"submissions.zip": zipped(CANVAS), "submissions (1).zip": zipped(again)}, given)
    found = taken(given, tmp_path)
    assert len(found) == len(EXPECTED["canvas"][1]) + 1
    assert len(found["jansenpiet-12346"].origin.earlier) == 1


# --- plain folders and the wrong level ----------------------------------------------------------


def test_a_loose_notebook_and_model_of_one_name_are_one_hand_in(tmp_path: Path):
    given = tmp_path / "given"
    unpacked({"anna.ipynb": NOTEBOOK, "anna.onnx": b"1", "piet.ipynb": NOTEBOOK}, given)
    found = taken(given, tmp_path)
    assert set(found) == {"anna", "piet"}
    assert (found["anna"].notebook, found["anna"].model) == (Path("anna.ipynb"), Path("anna.onnx"))


def test_the_folder_of_one_hand_in_is_that_hand_in(tmp_path: Path):
    """Given one student's own folder: its files are not four students."""
    given = tmp_path / "anna"
    unpacked({"notebook.ipynb": NOTEBOOK, "vgg.onnx": b"1", "labels.txt": b"a\nb", "dataset/a/1.jpg": b"x"}, given)
    found = taken(given, tmp_path)
    assert set(found) == {"anna"}
    assert files(found["anna"]) == {"notebook.ipynb", "vgg.onnx", "labels.txt", "dataset/a/1.jpg"}


@pytest.mark.parametrize("layout", ["zip in a folder", "the zip", "unpacked into a folder of its name"])
def test_plain_hand_ins_one_level_too_deep_are_found(tmp_path: Path, layout: str):
    tree = {f"{name}/{sub}notebook.ipynb": NOTEBOOK for name, sub in (("anna", ""), ("piet", "a/b/"), ("xu", "c/"))}
    assert set(taken(lay_out(tree, tmp_path / "given", layout), tmp_path)) == {"anna", "piet", "xu"}


def test_a_students_own_subfolders_are_not_students(tmp_path: Path):
    given = tmp_path / "given"
    unpacked({"anna/notebook/a.ipynb": NOTEBOOK, "anna/model/m.onnx": b"1"}, given)
    assert set(taken(given, tmp_path)) == {"anna"}


def test_a_nested_bomb_stops_at_the_hand_ins_limit(tmp_path: Path):
    from harness.inputs.submissions.archives import UnpackLimits

    given = tmp_path / "given"
    unpacked({"anna/a.zip": zipped({"zeros": bytes(3 * 10**6)}), "piet/notebook.ipynb": NOTEBOOK}, given)
    work = tmp_path / "work"
    work.mkdir()
    found = {one.id: one for one in collect(given, work, UnpackLimits(total_bytes=2 * 10**6))}
    assert codes(found["anna"]) == ["archive-too-large"]
    assert found["piet"].notebook
