"""From an LMS's zip to marks with late days, and back to the LMS, as a user does it."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import jsonschema
import pytest
from command_line import run_harness
from small_course import Course, hand_in, notebook

from harness.report.export import results_schema

DEADLINE = '[deadline]\nat = 2025-11-03T23:59:00\ntime_zone = "Europe/Amsterdam"\npenalty_per_day = "5%"\n'


@pytest.fixture(scope="module")
def graded(small_course: Course, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """(cache, out) of a run over a Brightspace zip: one submission in time, one late, twice."""
    folder = tmp_path_factory.mktemp("lms")
    (cache, assignment), out, reference = small_course.copied(folder), folder / "out", small_course.reference
    assignment.write_text(assignment.read_text().replace("[limits]", f"{DEADLINE}[limits]", 1))
    runs = notebook("1 + 1")
    hand_in(folder / "in", "1-9 - Anna Li - Nov 3, 2025 1159 PM", reference, notebook__ipynb=runs)
    hand_in(folder / "in", "2-9 - Bo Chen - Nov 3, 2025 1100 AM", notebook__ipynb="no notebook")
    hand_in(folder / "in", "2-9 - Bo Chen - Nov 5, 2025 1200 PM", reference, notebook__ipynb=runs)
    archive = shutil.make_archive(str(folder / "Assignment Download"), "zip", folder / "in")
    options = ("--assignment", assignment, "--out", out, "--sandbox", "bubblewrap")
    done = run_harness("grade", archive, *options, cache=cache)
    assert done.returncode == 0, done.stderr
    return cache, out


def test_a_late_hand_in_loses_points_and_says_why(graded: tuple[Path, Path]):
    _, out = graded
    read = json.loads((out / "results.json").read_text())
    jsonschema.validate(read, results_schema())
    in_time, late = read["submissions"]
    assert (in_time["id"], in_time["late_days"], in_time["source"]) == ("Anna-Li-1", 0, "brightspace")
    assert (late["id"], late["late_days"], late["tries"]) == ("Bo-Chen-2", 2, 2)
    assert late["points"] == in_time["points"] - 10
    line = late["marks"][-1]
    assert (line["criterion"], line["points"], line["max_points"]) == ("late", -10, 0)
    with (out / "grades.csv").open(encoding="utf-8") as file:
        assert [row["late_days"] for row in csv.DictReader(file)] == ["0", "2"]
    page = (out / "students/Bo-Chen-2/index.html").read_text(encoding="utf-8")
    assert "2 days late for the deadline 2025-11-03 23:59 CET" in page
    assert "The newest of 2 tries." in page


def test_lateness_can_be_forgiven_and_the_marks_exported(graded: tuple[Path, Path]):
    cache, out = graded
    forgiven = run_harness("mark", out, "Bo-Chen-2", "Late hand-in", "0", "--reason", "Was ill.", cache=cache)
    assert forgiven.returncode == 0, forgiven.stderr
    exported = run_harness("export", out, "--format", "brightspace", "--column", "TL", cache=cache)
    assert exported.returncode == 0, exported.stderr
    with (out / "brightspace.csv").open(encoding="utf-8") as file:
        assert [row["Name"] for row in csv.DictReader(file)] == ["Anna Li", "Bo Chen"]
