"""A student's folder becomes one zip, and intake takes it as one submission, whatever its files are called."""

import json
import os
import sys
import zipfile
from pathlib import Path, PurePosixPath

import pytest

from harness.errors import UsageError
from harness.grading.check import packing
from harness.grading.check.packing import chosen, write_zip
from harness.inputs.submissions import collect
from harness.inputs.submissions.manifest import MANIFEST, Manifest

SHORT = 600  # bytes of a manifest: room for the folders at the top
NOTEBOOK = json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two folders, each like a submission of its own, among what is not handed in."""
    root = tmp_path / "work"
    for name, content in {
        "anna/notebook.ipynb": NOTEBOOK,
        "ben/other.ipynb": NOTEBOOK,
        "data/train/ball/1.png": "the course's",
        "images/ball/1.png": "the package's",
        "assignment.toml": "the package's",
        "handin.zip": "an older one",
        ".ipynb_checkpoints/x.ipynb": "litter",
        "py/pyvenv.cfg": "",
        "py/lib/x.py": "an environment's",
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)
    (root / "link").symlink_to("/etc/passwd")
    return root


def packed(folder: Path, to: Path) -> Path:
    to.mkdir()
    write_zip(chosen(folder, [PurePosixPath("data/train")]), to / "x.zip", "0")
    return to / "x.zip"


def test_only_the_students_own_files_are_packed_and_links_are_named(folder: Path):
    found = chosen(folder, [PurePosixPath("data/train")])
    assert sorted(found.files) == ["anna/notebook.ipynb", "ben/other.ipynb"]
    assert found.links == ("link",)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems have no such names and pipes")
def test_odd_names_and_pipes_stop_nothing(tmp_path: Path):
    work = tmp_path / "work"
    work.mkdir()
    (work / "notebook.ipynb").write_text(NOTEBOOK)
    (work / os.fsdecode(b"caf\xe9.txt")).write_text("")
    os.mkfifo(work / "pipe")
    found = chosen(work)
    assert found.links == ("pipe",)
    write_zip(found, tmp_path / "x.zip", "0")
    assert sorted(manifest_in(tmp_path / "x.zip")) == ["café.txt", "notebook.ipynb"]
    deep = work.joinpath(*["x" * 200] * 6)
    deep.mkdir(parents=True)
    (deep / "a").write_text("")
    with pytest.raises(UsageError, match="too long to be handed in"):
        chosen(work)


def manifest_in(zipped: Path) -> dict[str, str]:
    return Manifest.model_validate_json(zipfile.ZipFile(zipped).read(MANIFEST)).files


def test_the_same_files_make_the_same_zip(folder: Path, tmp_path: Path):
    assert packed(folder, tmp_path / "a").read_bytes() == packed(folder, tmp_path / "b").read_bytes()


def test_an_empty_folder_and_one_that_is_too_large_are_refused(tmp_path: Path):
    with pytest.raises(UsageError, match="nothing in it"):
        chosen(tmp_path)
    with (tmp_path / "huge").open("wb") as file:
        file.truncate(5 * 10**9)
    with pytest.raises(UsageError, match="more than a hand-in may"):
        chosen(tmp_path)


@pytest.mark.parametrize("place", ["a folder of zips", "the zip itself", "the zip, unpacked"])
def test_intake_takes_it_as_one_submission_without_a_finding(folder: Path, tmp_path: Path, place: str):
    zipped = packed(folder, tmp_path / "in")
    given = zipped.parent if place == "a folder of zips" else zipped
    if place == "the zip, unpacked":
        given = tmp_path / "unpacked"
        zipfile.ZipFile(zipped).extractall(given)
    (one,) = collect(given, tmp_path / "out")
    assert one.notebook == Path("anna/notebook.ipynb")
    assert [found.code for found in one.findings] == ["several-notebooks"]


def test_files_that_differ_from_the_manifest_are_a_finding(folder: Path, tmp_path: Path):
    zipped = packed(folder, tmp_path / "in")
    changed = tmp_path / "changed"
    zipfile.ZipFile(zipped).extractall(changed / "group")
    (changed / "group/anna/notebook.ipynb").write_text(NOTEBOOK + " ")
    (changed / "group/ben/other.ipynb").unlink()
    (changed / "group/new.txt").write_text("")
    (one,) = collect(changed, tmp_path / "out")
    (found,) = [found for found in one.findings if found.code == "manifest-mismatch"]
    assert "changed: anna/notebook.ipynb; missing: ben/other.ipynb; not in it: new.txt" in found.message


def with_many_images(work: Path) -> None:
    for part in ("train/mug", "train/ball", "val/mug"):
        (work / "photos" / part).mkdir(parents=True)
        for number in range(5):
            (work / "photos" / part / f"{number}.txt").write_text(f"{part} {number}")
    with zipfile.ZipFile(work / "photos" / "more.zip", "w") as more:
        more.writestr("6.txt", "six")
    (work / "notebook.ipynb").write_text(NOTEBOOK)


@pytest.mark.parametrize(
    ("change", "said"),
    [("", None), ("photos/train/mug/3.txt", "changed: photos/train/"), ("photos/val/mug/9.txt", "photos/val/"),
     ("photos/new/1.txt", "not in it: photos/new/1.txt")],
)  # fmt: skip
def test_of_thousands_of_files_the_manifest_names_folders_and_sees_as_much(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str, said: str | None
):
    work = tmp_path / "work"
    with_many_images(work)
    (work / "photos" / "more.zip").unlink()
    whole = len(zipfile.ZipFile(packed(work, tmp_path / "whole")).read(MANIFEST))
    monkeypatch.setattr(packing, "MOST_BYTES", SHORT)
    zipped = packed(work, tmp_path / "in")
    assert list(manifest_in(zipped)) == ["notebook.ipynb", "photos/train/", "photos/val/"]
    assert len(zipfile.ZipFile(zipped).read(MANIFEST)) <= SHORT < whole
    zipfile.ZipFile(zipped).extractall(tmp_path / "given" / "group")
    if change:
        (tmp_path / "given" / "group" / change).parent.mkdir(exist_ok=True)
        (tmp_path / "given" / "group" / change).write_text("another")
    (one,) = collect(tmp_path / "given", tmp_path / "out")
    found = [found.message for found in one.findings if found.code == "manifest-mismatch"]
    assert (said in found[0]) if said else found == []


def test_an_archive_in_a_folder_stays_by_itself_and_may_be_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    work = tmp_path / "work"
    with_many_images(work)
    monkeypatch.setattr(packing, "MOST_BYTES", SHORT)
    zipped = packed(work, tmp_path / "in")
    assert list(manifest_in(zipped)) == ["notebook.ipynb", "photos/more.zip", "photos/train/", "photos/val/"]
    (one,) = collect(zipped, tmp_path / "out")
    assert "manifest-mismatch" not in [found.code for found in one.findings]
    monkeypatch.setattr(packing, "MOST_BYTES", 10)
    assert MANIFEST not in zipfile.ZipFile(packed(work, tmp_path / "none")).namelist()


@pytest.mark.parametrize("content", ["", "[]", '{"files": 1}', '{"a":' * 10_000, '{"files": {}, "x": "\\u001b[2J"}'])
def test_a_manifest_that_is_none_is_a_finding_and_stops_nothing(tmp_path: Path, content: str):
    student = tmp_path / "in" / "anna"
    student.mkdir(parents=True)
    (student / "notebook.ipynb").write_text(NOTEBOOK)
    (student / MANIFEST).write_text(content)
    (one,) = collect(tmp_path / "in", tmp_path / "out")
    assert "manifest-unreadable" in [found.code for found in one.findings]
    assert one.notebook == Path("notebook.ipynb")


def test_a_manifest_does_not_hide_the_others_of_a_class(tmp_path: Path):
    for name in ("anna", "ben"):
        (tmp_path / "in" / name).mkdir(parents=True)
        (tmp_path / "in" / name / "notebook.ipynb").write_text(NOTEBOOK)
    (tmp_path / "in" / "anna" / MANIFEST).write_text("{}")
    assert [one.student for one in collect(tmp_path / "in", tmp_path / "out")] == ["anna", "ben"]


@pytest.mark.parametrize("names", [[], ["notebook.ipynb"], ["anna/notebook.ipynb"], ["../anna/x", "/ben"]])
def test_a_manifest_among_the_submissions_of_a_class_does_not_make_them_one(tmp_path: Path, names: list[str]):
    for name in ("anna", "ben"):
        (tmp_path / "in" / name).mkdir(parents=True)
        (tmp_path / "in" / name / "notebook.ipynb").write_text(NOTEBOOK)
    said = Manifest(harness="0", files=dict.fromkeys(names, "0" * 64)).model_dump_json()
    (tmp_path / "in" / MANIFEST).write_text(said)
    assert [one.student for one in collect(tmp_path / "in", tmp_path / "out")] == ["anna", "ben"]
