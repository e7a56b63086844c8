"""From an LMS's zip to marks with late days, and back to the LMS, as a user does it."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
from small_course import hand_in, make_course, notebook

from harness.export import results_schema

DEADLINE = '[deadline]\nat = 2025-11-03T23:59:00\ntime_zone = "Europe/Amsterdam"\npenalty_per_day = "5%"\n'


def run(cache: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "harness", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=400,
        env={**os.environ, "HARNESS_CACHE": str(cache)},
        check=False,
    )


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """(cache, out) of a run over a Brightspace zip: one hand-in in time, one late, twice."""
    folder = tmp_path_factory.mktemp("lms")
    cache, out = folder / "cache", folder / "out"
    run(cache, "weights", "fetch", "mobilenet_v2")
    assignment = make_course(folder / "course")
    assignment.write_text(assignment.read_text().replace("[limits]", f"{DEADLINE}[limits]", 1))
    (folder / "reference").mkdir()
    trained = run(cache, "reference", "train", assignment, "--out", folder / "reference", "--sandbox", "bubblewrap")
    assert trained.returncode == 0, trained.stderr
    runs = notebook("1 + 1")
    hand_in(folder / "in", "1-9 - Anna Li - Nov 3, 2025 1159 PM", folder / "reference", notebook__ipynb=runs)
    hand_in(folder / "in", "2-9 - Bo Chen - Nov 3, 2025 1100 AM", notebook__ipynb="no notebook")
    hand_in(folder / "in", "2-9 - Bo Chen - Nov 5, 2025 1200 PM", folder / "reference", notebook__ipynb=runs)
    archive = shutil.make_archive(str(folder / "Assignment Download"), "zip", folder / "in")
    done = run(cache, "grade", archive, "--assignment", assignment, "--out", out, "--sandbox", "bubblewrap")
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
    forgiven = run(cache, "mark", out, "Bo-Chen-2", "Late hand-in", "0", "--reason", "Was ill.")
    assert forgiven.returncode == 0, forgiven.stderr
    exported = run(cache, "export", out, "--format", "brightspace", "--column", "TL")
    assert exported.returncode == 0, exported.stderr
    with (out / "brightspace.csv").open(encoding="utf-8") as file:
        assert [row["Name"] for row in csv.DictReader(file)] == ["Anna Li", "Bo Chen"]
