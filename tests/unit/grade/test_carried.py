"""Points for a rerun's model wait for a person when its notebook or data set could hold a trained one."""

from example_evidence import evidence, execution

from harness.findings import finding
from harness.grading.rubric.carried import held_back
from harness.grading.rubric.criterion import Judgement
from harness.stages.evidence.stage_result import Done

NAMED = finding("embedded-in-dataset", information=9000, usual=1536)
JUDGED = Judgement(32.0, "0.900 against 0.920.")


def test_points_for_the_model_wait_for_a_person():
    found = evidence(execute=Done(value=execution(), findings=(NAMED,)))
    held = held_back(JUDGED, ("evaluate",), found)
    assert held.points is None
    assert "A person decides" in held.reason and "9,000 bytes" in held.reason and "0.900" in held.reason


def test_a_run_and_a_zero_are_judged_as_ever():
    found = evidence(execute=Done(value=execution(), findings=(NAMED,)))
    assert held_back(JUDGED, ("execute",), found) == JUDGED
    assert held_back(Judgement(0.0, "none"), ("evaluate",), found).points == 0


def test_without_such_a_finding_nothing_waits():
    assert held_back(JUDGED, ("evaluate", "benchmark"), evidence()) == JUDGED
