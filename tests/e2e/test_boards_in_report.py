"""`harness grade` with boards: a submission's predictions on its page, in results.json and in its marks."""

import json
from pathlib import Path

import jsonschema
import pytest
from command_line import run_harness
from small_course import ASSIGNMENT, Course, hand_in

from harness.report.export import results_schema

BOARDS = 'boards = ["jetson-nano-4gb", "jetson-nano-2gb"]\n'
CRITERION = '[[criteria]]\nkind = "board_latency_vs_reference"\npoints = 10\n'


@pytest.fixture(scope="module")
def out(small_course: Course, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a run over two submissions wrote: one with the reference's own model, one without a model."""
    folder = tmp_path_factory.mktemp("boards")
    (cache, assignment), reference = small_course.copied(folder), small_course.reference
    assignment.write_text(BOARDS + ASSIGNMENT + CRITERION)
    hand_in(folder / "submissions", "as the reference", reference)
    (folder / "submissions" / "nothing").mkdir()
    options = ("--assignment", assignment, "--out", folder / "out", "--sandbox", "bubblewrap")
    done = run_harness("grade", folder / "submissions", *options, cache=cache)
    assert "Traceback" not in done.stderr and (folder / "out" / "results.json").is_file(), done.stderr
    return folder / "out"


def test_a_hand_in_has_its_boards_and_its_mark_by_the_band(out: Path):
    read = json.loads((out / "results.json").read_text())
    jsonschema.validate(read, results_schema())
    found = next(row for row in read["submissions"] if row["student"] == "as the reference")
    assert [row["board"] for row in found["boards"]["boards"]] == ["Jetson Nano 2GB", "Jetson Nano 4GB"]
    for row in found["boards"]["boards"]:
        assert row["interval_90"][0] < row["latency_ms"] < row["interval_90"][1] and row["fits"] is True
        assert row["versus_reference"]["ratio"] == pytest.approx(1, rel=1e-6)
        assert row["versus_reference"]["band"] == "as fast"
    (mark,) = [mark for mark in found["marks"] if mark["criterion"] == "board_latency_vs_reference"]
    assert mark["points"] == 10 and "1.00 times the reference's time there" in mark["reason"]
    page = (out / "students" / found["id"] / "index.html").read_text()
    assert "id=boards" in page and "Jetson Nano 2GB" in page


def test_without_a_model_there_is_no_board_section_and_no_points(out: Path):
    read = json.loads((out / "results.json").read_text())
    found = next(row for row in read["submissions"] if row["student"] == "nothing")
    assert found["boards"] is None and found["stages"]["boards"]["status"] == "skipped"
    (mark,) = [mark for mark in found["marks"] if mark["criterion"] == "board_latency_vs_reference"]
    assert mark["points"] == 0
    assert "id=boards" not in (out / "students" / found["id"] / "index.html").read_text()
