"""The part of a detector's page about images withheld from the student's own data set."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import synthetic_detection
from synthetic_class import SyntheticClass
from test_report_pages import text_of

from harness import report
from harness.gradebook.results import OwnBoxScores
from harness.inputs.assignment.sections import Feedback
from harness.report.cleared import for_student
from harness.stages.evidence.own_boxes import OwnBoxes, SeenBoxes
from harness.stages.evidence.stage_result import Done


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> SyntheticClass:
    return synthetic_detection.build(tmp_path_factory.mktemp("class"))


def withheld(made: SyntheticClass, *, rerun: bool = True) -> SyntheticClass:
    """The class, of which team-03 has images withheld, and the course no images."""
    evidence, reference = made.sources.evidence["team-03"], made.sources.detector_reference
    assert reference is not None and isinstance(evidence.score_boxes, Done)
    seen = SeenBoxes(
        ap50=0.912345, ap50_interval=(0.8512345, 0.9612345), difference=0.212345, difference_interval=(0.11, 0.31)
    )
    own = OwnBoxes(reference=reference, rerun=evidence.score_boxes.value if rerun else None, seen=seen)
    every = {**made.sources.evidence, "team-03": evidence.model_copy(update={"own_boxes": own})}
    results = made.results.model_copy(update={"reference": None})
    return SyntheticClass(results, replace(made.sources, evidence=every, detector_reference=None))


@pytest.mark.parametrize("folder", ["submissions", "students"])
def test_each_detector_s_ap50_on_them_is_shown(made: SyntheticClass, tmp_path: Path, folder: str) -> None:
    changed = withheld(made)
    report.write(changed.results, changed.sources, tmp_path)
    words = text_of(tmp_path / folder / "team-03" / "index.html")
    own = changed.sources.evidence["team-03"].own_boxes
    assert own is not None and own.rerun is not None
    assert f"Trained by the rerun {own.rerun.scores.ap50:.3f}" in words
    assert f"The reference on the same training part {own.reference.evaluation.scores.ap50:.3f}" in words
    assert "Handed in 0.912 0.851–0.961 seen" in words
    assert "differs from the rerun's by +0.21" in words
    other = text_of(tmp_path / folder / "team-01" / "index.html")
    assert "Trained by the rerun" not in other


def test_a_rerun_without_a_detector_is_said_to_have_made_none(made: SyntheticClass, tmp_path: Path) -> None:
    changed = withheld(made, rerun=False)
    report.write(changed.results, changed.sources, tmp_path)
    assert "Trained by the rerun – the rerun made no detector" in text_of(
        tmp_path / "students" / "team-03" / "index.html"
    )


@pytest.mark.parametrize("show_held_out", [False, True])
def test_a_student_gets_rounded_scores_and_no_box_over_such_an_image(made: SyntheticClass, show_held_out: bool) -> None:
    changed = withheld(made)
    sources = replace(changed.sources, feedback=Feedback(show_held_out=show_held_out))
    [row] = [row for row in changed.results.submissions if row.id == "team-03"]
    own = sources.evidence["team-03"].own_boxes
    assert own is not None and own.rerun is not None and own.rerun.shown
    row = row.model_copy(update={"own_boxes": OwnBoxScores(reference_ap50=0.9, rerun=own.rerun, seen=own.seen)})
    page = for_student(changed.results, row, sources, lambda index: None)
    cleared = page.evidence.own_boxes
    assert page.result.own_boxes is None
    assert cleared is not None and cleared.rerun is not None and cleared.seen is not None
    assert cleared.seen.ap50 == 0.912 and cleared.seen.ap50_interval == (0.851, 0.961)
    assert not cleared.rerun.shown and not cleared.reference.evaluation.shown
    assert cleared.reference.answers.every.count == 0 and cleared.reference.files is None
    assert page.detector_reference is not None, "the course has none: it is the one trained for this data set"
