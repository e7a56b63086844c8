"""A course whose held-out set repeats a training image is not graded; where it was, the command says what to do."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from command_line import run_harness
from small_course import Course, hand_in, notebook


def test_a_leak_stops_grading_and_doubts_do_not(small_course: Course, tmp_path: Path) -> None:
    cache, assignment = small_course.copied(tmp_path)
    course = assignment.parent
    shutil.copy(course / "train" / "red" / "0.png", course / "heldout" / "red" / "leak.png")
    found = run_harness("validate", assignment, "--sandbox", "bubblewrap", "--json", cache=cache)
    errors = [one for one in json.loads(found.stdout)["verdicts"] if one["level"] == "error"]
    assert found.returncode == 2 and len(errors) == 1
    assert "heldout/red/leak.png is train/red/0.png" in errors[0]["what"]
    hand_in(tmp_path / "class", "anna", notebook__ipynb=notebook("1"))
    command = ("grade", tmp_path / "class", "--assignment", assignment, "--out", tmp_path / "out")
    refused = run_harness(*command, "--sandbox", "bubblewrap", cache=cache)
    assert refused.returncode == 2 and "heldout/red/leak.png is train/red/0.png" in refused.stderr
    line = next(line for line in refused.stderr.splitlines() if "accept_repeated" in line)
    line = line[line.index("accept_repeated") : line.index("]", line.index("accept_repeated")) + 1]
    text = assignment.read_text()
    assert text.count("[held_out]\n") == 1
    assignment.write_text(text.replace("[held_out]\n", f"[held_out]\n{line}\n"))
    accepted = run_harness(*command, "--sandbox", "bubblewrap", cache=cache)
    assert accepted.returncode == 0, accepted.stderr
    results = json.loads((tmp_path / "out" / "results.json").read_text())
    assert any("leak.png is train/red/0.png" in doubt for doubt in results["run"]["doubts"])
    assignment.write_text(text)
    (course / "heldout" / "red" / "leak.png").unlink()
    fine = run_harness("validate", course, "--sandbox", "bubblewrap", cache=cache)
    assert fine.returncode == 0, fine.stdout
    assert "no held-out image repeats a training image" in fine.stdout and "0 errors" in fine.stdout
