"""Two ways to grade a notebook, and both: which model counts, and whether the notebook makes it again."""

from __future__ import annotations

import json
from typing import Any

import pytest
from command_line import run_harness
from small_course import Course, hand_in, notebook

SPOIL = """
import onnx
from onnx import numpy_helper

model = onnx.load("model.onnx")
for weight in model.graph.initializer:
    values = numpy_helper.to_array(weight)
    if values.shape in ((3, 8), (8, 3)):
        weight.CopyFrom(numpy_helper.from_array(-values, weight.name))
onnx.save(model, "model.onnx")
"""
AGAIN = SPOIL.replace("-values", "0.2 * values")  # as another training would: other answers, as right
SAVED = """
import onnx

model = onnx.load("model.onnx")
model.doc_string = "trained by this very run"
onnx.save(model, "best.onnx")
"""


@pytest.fixture(scope="module")
def graded(small_course: Course, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """mode -> id -> result, of a notebook that spoils the model handed in and of one that makes it again."""
    folder = tmp_path_factory.mktemp("modes")
    (cache, assignment), reference = small_course.copied(folder), small_course.reference
    for name, cell in (("spoils", SPOIL), ("again", AGAIN), ("saved", SAVED)):
        hand_in(folder / "submissions", name, reference, notebook__ipynb=notebook(cell))
    text, found = assignment.read_text(), {}
    for mode in ("rerun", "as-handed-in", "both"):
        assignment.write_text(text.replace("[dataset]", f'[execution]\nmode = "{mode}"\n[dataset]'))
        done = run_harness(
            "grade", folder / "submissions", "--assignment", assignment, "--out", folder / mode,
            "--sandbox", "bubblewrap", cache=cache,
        )  # fmt: skip
        assert "Traceback" not in done.stderr and done.returncode in (0, 1), done.stderr
        rows = json.loads((folder / mode / "results.json").read_text())["submissions"]
        found[mode] = {row["id"]: row for row in rows}
    return found


def codes(row: dict[str, Any]) -> set[str]:
    return {finding["code"] for finding in row["findings"]}


def test_a_rerun_grades_the_model_that_the_notebook_makes(graded: dict[str, dict[str, Any]]) -> None:
    assert graded["rerun"]["spoils"]["evaluation"]["accuracy"] < 0.5
    assert graded["rerun"]["again"]["evaluation"]["accuracy"] == 1.0


def test_as_handed_in_runs_nothing(graded: dict[str, dict[str, Any]]) -> None:
    row = graded["as-handed-in"]["spoils"]
    assert row["stages"]["execute"]["status"] == "skipped"
    assert row["stages"]["read"]["status"] in ("ok", "cached")
    assert row["evaluation"]["accuracy"] == 1.0


def test_both_grades_what_was_handed_in_and_compares(graded: dict[str, dict[str, Any]]) -> None:
    spoils, again = graded["both"]["spoils"], graded["both"]["again"]
    assert spoils["evaluation"]["accuracy"] == again["evaluation"]["accuracy"] == 1.0
    assert "not-reproduced" in codes(spoils) and "reproduced" in codes(again)
    (said,) = [f["message"] for f in spoils["findings"] if f["code"] == "not-reproduced"]
    assert "the one handed in reaches 100.0%" in said and "difference -" in said


def test_a_model_that_was_only_saved_again_is_not_reproduced(graded: dict[str, dict[str, Any]]) -> None:
    assert codes(graded["both"]["saved"]) & {"reproduced", "rerun-saved-again"} == {"rerun-saved-again"}
