"""Downloads as the LMSs make them, laid out as a folder, as a zip in a folder, or as the zip itself."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

from harness.inputs.submission import Submission
from harness.inputs.submissions import collect

NOTEBOOK = b'{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}'
LAYOUTS = ("unpacked", "zip in a folder", "the zip", "unpacked into a folder of its name")

Tree = Mapping[str, bytes]  # path -> content; a path that ends in / is an empty folder


def lay_out(tree: Tree, at: Path, layout: str) -> Path:
    """What `harness grade` is given."""
    at.mkdir(parents=True, exist_ok=True)
    if layout == "unpacked":
        unpacked(tree, at)
        return at
    if layout == "unpacked into a folder of its name":
        unpacked(tree, at / "Assignment 3 Download Nov 4, 2025 901 AM")
        return at
    file = at / "submissions.zip"
    file.write_bytes(zipped(tree))
    return file if layout == "the zip" else at


def unpacked(tree: Tree, folder: Path) -> None:
    for name, content in tree.items():
        path = folder / name
        (path if name.endswith("/") else path.parent).mkdir(parents=True, exist_ok=True)
        if not name.endswith("/"):
            path.write_bytes(content)


def zipped(tree: Tree) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in tree.items():
            info = zipfile.ZipInfo(name)
            info.filename = name  # as given: backslashes, too
            archive.writestr(info, content)
    return stream.getvalue()


def taken(given: Path, tmp_path: Path) -> dict[str, Submission]:
    work = tmp_path / "work"
    work.mkdir()
    return {one.id: one for one in collect(given, work)}


def codes(submission: Submission) -> list[str]:
    return [finding.code for finding in submission.findings]


def files(submission: Submission) -> set[str]:
    root = submission.root
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}


HAND_IN = zipped({"hand in/notebook.ipynb": NOTEBOOK, "hand in/model.onnx": b"onnx", "hand in/labels.txt": b"a\nb"})

CANVAS = {
    "devriesanna_12345_678901_notebook.ipynb": NOTEBOOK,
    "devriesanna_12345_678902_model.onnx": b"1",
    "jansenpiet_LATE_12346_678903_notebook-2.ipynb": NOTEBOOK,
    "jansenpiet_LATE_12346_678904_labels-1.txt": b"a\nb",
    "jansenpiet_LATE_12346_678905_model-2.onnx": b"2",
    "żółćłukasz_12347_678906_hand-in.zip": HAND_IN,
    "o_briensean_12348_678907_my_12_34_file.ipynb": NOTEBOOK,
    "group7_12349_text.html": b"<p>it is on my drive</p>",
}
MOODLE = {
    "Anna de Vries_123456_assignsubmission_file_/notebook.ipynb": NOTEBOOK,
    "Anna de Vries_123456_assignsubmission_file_/model.onnx": b"1",
    "Anna de Vries_123456_assignsubmission_onlinetext_/onlinetext.html": b"<p>hello</p>",
    "Jean-Pierre O_Neil_123457_assignsubmission_file/submission.zip": HAND_IN,
    "Teilnehmerin_123458_assignsubmission_file_/a/b/notebook.ipynb": NOTEBOOK,
    "Łukasz Żółć_123459_assignsubmission_onlinetext_/onlinetext.html": b"<p>forgot</p>",
}
BRIGHTSPACE = {
    "index.html": b"<html></html>",
    "12345-67890 - Anna de Vries - Nov 3, 2025 959 AM/notebook.ipynb": NOTEBOOK,
    "12345-67890 - Anna de Vries - Nov 3, 2025 1234 PM/notebook.ipynb": NOTEBOOK + b" ",
    "12346-67890 - Jean-Pierre - Smith - 3 nov. 2025 2359/submission.zip": HAND_IN,
    "12347-67890 - Łukasz Żółć - 3 März 2026 0805/model.onnx": b"3",
}
BLACKBOARD = {
    "Transfer_Learning 1_adevries_attempt_2025-11-03-12-34-56.txt": b"Name: Anna de Vries (adevries)\nAssignment: x\n",
    "Transfer_Learning 1_adevries_attempt_2025-11-03-12-34-56_notebook.ipynb": NOTEBOOK,
    "Transfer_Learning 1_adevries_attempt_2025-11-01-10-00-00_notebook.ipynb": NOTEBOOK,
    "Transfer_Learning 1_adevries_attempt_2025-11-04-09-00-00.txt": b"Name: Anna de Vries (adevries)\nsorry\n",
    "Transfer_Learning 1_p_jansen_attempt_2025-11-05-00-00-00.txt": b"Naam: Piet Jansen (p_jansen)\n",
    "Transfer_Learning 1_p_jansen_attempt_2025-11-05-00-00-00_my_model.onnx": b"1",
    "Transfer_Learning 1_xwu_attempt_2025-11-02-00-00-00_notebook.ipynb": NOTEBOOK,
}
GRADESCOPE = {
    "submission_metadata.yml": b"""---
submission_101:
  :submitters:
  - :name: Anna de Vries
    :sid: '4000001'
    :email: anna@example.edu
  - :name: Piet Jansen
    :sid: '4000002'
    :email: piet@example.edu
  :created_at: 2025-11-03 22:34:56.123456000 Z
  :score: 0.0
  :status: processed
  :history:
  - :created_at: 2025-11-02 10:00:00.000000000 Z
    :score: 1.0
submission_102:
  :submitters:
  - :name: "Wu, X\\u00fa"
    :sid:
    :email: xu.wu@example.edu
  :created_at: !ruby/object:ActiveSupport::TimeWithZone
    utc: 2025-11-04 01:02:03.000000000 Z
    zone: !ruby/object:ActiveSupport::TimeZone
      name: Europe/Amsterdam
    time: 2025-11-04 02:02:03.000000000 Z
  :history: []
""",
    "submission_101/notebook.ipynb": NOTEBOOK,
    "submission_101/model.onnx": b"1",
    "submission_102/handin/notebook.ipynb": NOTEBOOK,
}
NBGRADER = {
    "submitted/anna/ps1/notebook.ipynb": NOTEBOOK,
    "submitted/anna/ps1/timestamp.txt": b"2025-11-03 12:34:56.123456 UTC",
    "submitted/piet/ps1/notebook.ipynb": NOTEBOOK,
    "submitted/piet/ps1/timestamp.txt": b"2025-11-03 13:34:56 +0100",
    "source/ps1/notebook.ipynb": NOTEBOOK,
    "gradebook.db": b"",
}

EXPECTED = {
    "canvas": (
        CANVAS,
        {"devriesanna", "jansenpiet", "żółćłukasz", "o_briensean", "group7"},
        {"devriesanna-12345": {"notebook.ipynb", "model.onnx"}},
    ),
    "moodle": (
        MOODLE,
        {"Anna de Vries", "Jean-Pierre O Neil", "Teilnehmerin", "Łukasz Żółć"},
        {"Anna-de-Vries-123456": {"notebook.ipynb", "model.onnx", "onlinetext/onlinetext.html"}},
    ),
    "brightspace": (
        BRIGHTSPACE,
        {"Anna de Vries", "Jean-Pierre - Smith", "Łukasz Żółć"},
        {"Anna-de-Vries-12345": {"notebook.ipynb"}},
    ),
    "blackboard": (BLACKBOARD, {"Anna de Vries", "Piet Jansen", "xwu"}, {"p_jansen": {"my_model.onnx"}}),
    "gradescope": (
        GRADESCOPE,
        {"Anna de Vries & Piet Jansen", "Wu, Xú"},
        {"Anna-de-Vries-4000001": {"notebook.ipynb", "model.onnx"}},
    ),
    "nbgrader": (NBGRADER, {"anna", "piet"}, {"anna": {"notebook.ipynb", "timestamp.txt"}}),
}


def with_names(members: dict[str, bytes]) -> bytes:
    """A zip whose members have exactly these names."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            info = zipfile.ZipInfo("placeholder")
            info.filename = name
            archive.writestr(info, content)
    return stream.getvalue()
