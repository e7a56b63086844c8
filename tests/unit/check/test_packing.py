"""A student's folder becomes one zip, and intake takes it as one submission, whatever its files are called."""

import json
import os
import sys
import zipfile
from pathlib import Path, PurePosixPath

import pytest

from harness.errors import UsageError
from harness.grading.check.packing import chosen, write_zip
from harness.inputs.submissions import collect
from harness.inputs.submissions.manifest import MANIFEST, Manifest

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
    assert sorted(write_zip(found, tmp_path / "x.zip", "0").files) == ["café.txt", "notebook.ipynb"]
    deep = work.joinpath(*["x" * 200] * 6)
    deep.mkdir(parents=True)
    (deep / "a").write_text("")
    with pytest.raises(UsageError, match="too long to be handed in"):
        chosen(work)


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
