"""A class of detectors is told by AP50 wherever one of classifiers is told by accuracy."""

from __future__ import annotations

import pytest
from detection_parts import boxes, labelled, objects
from example_results import results

from harness.boundary.screen import Screen
from harness.cli.terminal import print_grades
from harness.gradebook.frames import class_frame
from harness.gradebook.headline import headline
from harness.gradebook.results import Results
from harness.report.answers.table import evidence
from harness.stages.evaluate.detection.evaluation import Answers, evaluation

_BOX = (0.1, 0.1, 0.5, 0.5)


def of_detectors() -> Results:
    """One detector that is right, and one submission without scores."""
    right = boxes((0, *_BOX, 0.9, 0))
    score = evaluation(Answers(right, right), labelled(objects((0, *_BOX, 0, 0)), 1))
    given = results("Mia", "Zoe")
    first, second = (row.model_copy(update={"evaluation": None}) for row in given.submissions)
    assert given.reference is not None
    figures = {"accuracy": None, "accuracy_interval": None, "ap50": 0.75, "ap50_interval": (0.6, 0.9)}
    return given.model_copy(
        update={
            "assignment": given.assignment.model_copy(update={"task": "detection"}),
            "reference": given.reference.model_copy(update=figures),
            "submissions": (first.model_copy(update={"detection": score}), second),
        }
    )


def test_the_figure_is_ap50_with_its_interval() -> None:
    scored, unscored = of_detectors().submissions
    found = headline(scored)
    assert (
        found is not None and found.value == pytest.approx(1) and found.interval[0] < 0.9 and found.difference is None
    )
    assert headline(unscored) is None


def test_a_frame_has_ap50_in_place_of_accuracy() -> None:
    frame = class_frame(of_detectors())
    assert (
        frame.loc["s0", "ap50"] == pytest.approx(1) and frame.loc["s0", "ap50_low"] < 0.9 < frame.loc["s0", "ap50_high"]
    )
    assert frame["ap50"].isna().tolist() == [False, True] and "accuracy" not in frame


def test_the_terminal_shows_ap50(capsys: pytest.CaptureFixture[str]) -> None:
    print_grades(of_detectors(), Screen(width=140))
    out = capsys.readouterr().out
    assert "AP50" in out and "1.000" in out and "mobilenet_v2: 0.750 on" in out and "accuracy" not in out


def test_who_reads_answers_sees_ap50_beside_them() -> None:
    found = of_detectors()
    said = evidence(found.submissions[0], found.reference)
    assert said.startswith("AP50 1.00 (") and "reference 0.75" in said
