"""What an agent that a notebook took over could send about it: refused, or plain data; never an exception."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hostile import context

from harness.findings.file_kinds import FILE_KINDS
from harness.inputs.assignment.sections import ExecutionRules, NotebookParts
from harness.inputs.submission import Submission
from harness.stages.evidence.stage_result import Done, Failed
from harness.stages.execute.stage import execute
from harness.stages.read_notebook import read

SHOWN: dict[str, Any] = {
    "has_outputs": True,
    "runs": [{"cell": 1, "epochs": 2, "planned": None, "curves": {"loss": [1.0, None]}}],
    "batch_size": 16,
    "parameters": 1,
    "trainable_parameters": 1,
    "frozen_parameters": 0,
    "claim": {"kind": "test", "accuracy": 0.9, "cell": 1, "words": "Test accuracy: 0.9"},
}
READING: dict[str, Any] = {
    "code_cells": 1,
    "shown": SHOWN,
    "steps": [{"name": "Fit", "cell": 1, "title": "Fit", "has_code": True, "has_words": False}],
    "questions": [{"name": "Why?", "cell": None, "title": "", "answered": False, "answer": ""}],
}
EXECUTION: dict[str, Any] = {
    "code_cells": 1,
    "executed_cells": 1,
    "errors": [],
    "produced": [],
    "network_attempts": [],
    "outside_reads": [],
    "truncated": "",
    "transformation": {
        "changes": [{"cell": 1, "rules": ["paths"], "diff": [["removed", "a"], ["added", "b"]]}],
        "changes_left_out": 0,
        "notes": [["package-missing", "fastai"]],
        "given": ["data/train: 30 images"],
    },
    "shown": SHOWN,
}

Change = Callable[[dict[str, Any]], Any]


def handed_in(folder: Path) -> Submission:
    return Submission("id", "student", folder, Path("notebook.ipynb"), (), (), None, "0" * 64, ())


def changed(reply: dict[str, Any], change: Change) -> bytes:
    reply = copy.deepcopy(reply)
    change(reply)
    return json.dumps(reply).encode()


def test_what_is_agreed_is_taken(tmp_path: Path) -> None:
    place = context(tmp_path, {"reading.json": json.dumps(READING).encode()})
    result = read(handed_in(tmp_path), NotebookParts(), place)
    assert isinstance(result, Done), result
    assert [found.code for found in result.findings] == ["step-uncommented", "question-missing"]
    files = {"execution.json": json.dumps(EXECUTION).encode(), "executed.ipynb": b"{}"}
    ran = execute(handed_in(tmp_path), None, ExecutionRules(), None, context(tmp_path, files))
    assert isinstance(ran, Done), ran
    assert [found.code for found in ran.findings] == ["notebook-changed", "package-missing"]
    assert [line.kind for line in ran.value.changes[0].difference] == ["removed", "added"]


@pytest.mark.parametrize(
    "change",
    [
        lambda r: r.update(points=100),
        lambda r: r["shown"].update(batch_size=-1),
        lambda r: r["shown"]["claim"].update(accuracy=1.5),
        lambda r: r["shown"]["claim"].update(accuracy=float("nan")),
        lambda r: r["shown"]["claim"].update(words="x" * 10_000),
        lambda r: r["shown"]["runs"][0]["curves"].update(loss=[1.0] * 5000),
        lambda r: r["shown"]["runs"][0]["curves"].update(loss=[float("inf")]),
        lambda r: r["shown"]["runs"][0]["curves"].update(points=[1.0]),
        lambda r: r["shown"].update(runs=r["shown"]["runs"] * 1000),
        lambda r: r["questions"][0].update(answer="x" * 10**6),
        lambda r: r["steps"][0].update(cell="1; drop table"),
        lambda r: r.pop("steps"),
    ],
)
def test_a_reading_that_is_not_as_agreed_is_refused(change: Change, tmp_path: Path) -> None:
    place = context(tmp_path, {"reading.json": changed(READING, change)})
    result = read(handed_in(tmp_path), NotebookParts(), place)
    assert isinstance(result, Failed) and result.status == "rejected" and "reading.json" in result.reason


@pytest.mark.parametrize(
    "change",
    [
        lambda r: r["transformation"].update(changes=r["transformation"]["changes"] * 1000),
        lambda r: r["transformation"]["changes"][0].update(diff=[["<script>", "a"]]),
        lambda r: r["transformation"]["changes"][0].update(diff=[["added", "x" * 10**5]]),
        lambda r: r["transformation"].update(notes=[["engine-failed", "it was the machine"]]),
        lambda r: r["transformation"].update(notes=[["package-missing", "x"]] * 10_000),
        lambda r: r["transformation"].update(given=["x" * 10_000]),
        lambda r: r.pop("shown"),
    ],
)
def test_a_run_that_is_not_as_agreed_is_refused(change: Change, tmp_path: Path) -> None:
    """Nor can it bring in a finding that blames the machine."""
    files = {"execution.json": changed(EXECUTION, change), "executed.ipynb": b"{}"}
    result = execute(handed_in(tmp_path), None, ExecutionRules(), None, context(tmp_path, files))
    assert isinstance(result, Failed) and result.status == "rejected"
    assert [found.code for found in result.findings] == ["notebook-runner-killed"]


@pytest.mark.parametrize(("executed", "cells", "taken"), [(2, 2, True), (1, 2, True), (3, 2, False), (1, 0, False)])
def test_no_more_cells_ran_than_there_are(executed: int, cells: int, taken: bool, tmp_path: Path) -> None:
    """Points are for the share of the cells that ran."""
    reply = changed(EXECUTION, lambda r: r.update(executed_cells=executed, code_cells=cells))
    files = {"execution.json": reply, "executed.ipynb": b"{}"}
    result = execute(handed_in(tmp_path), None, ExecutionRules(), None, context(tmp_path, files))
    assert (getattr(result, "execution", None) is not None or isinstance(result, Done)) == taken


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "x" * 300, "a/b", "", ".x", "a\0b"])
def test_what_a_run_produced_lies_in_no_other_folder(name: str, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("of the host")
    files = {
        "execution.json": changed(EXECUTION, lambda r: r.update(produced=[[name, "model.onnx", 1.0]])),
        "executed.ipynb": b"{}",
    }
    result = execute(handed_in(tmp_path), None, ExecutionRules(), None, context(tmp_path, files))
    assert isinstance(result, Failed) and result.status == "rejected"


def test_what_a_run_produced_is_kept(tmp_path: Path) -> None:
    produced = {"model.onnx": b"1", "labels.txt": b"a"}
    sent = [[name, f"results/{name}", at] for at, name in enumerate(produced, start=7)]
    reply = changed(EXECUTION, lambda r: r.update(produced=sent))
    place = context(tmp_path, {"execution.json": reply, "executed.ipynb": b"{}"} | produced)
    result = execute(handed_in(tmp_path), None, ExecutionRules(), None, place)
    assert isinstance(result, Done)
    kept = result.value.produced
    assert {one.name: place.store.path(one).read_bytes() for one in kept} == produced
    assert [(one.path, one.changed) for one in kept] == [("results/model.onnx", 0), ("results/labels.txt", 1)]
    assert {one.kind for one in kept} <= FILE_KINDS.keys()
