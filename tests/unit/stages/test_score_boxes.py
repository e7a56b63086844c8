"""The stage `score_boxes`: stored boxes and the course's objects in, scores out."""

from __future__ import annotations

from pathlib import Path

from example_detector import HELD_OUT, detector_answers, in_store
from hostile import context

from harness.inputs.images import NO_SET
from harness.stages.detection.score_boxes import SCORE_BOXES, ScoreBoxesRequest
from harness.stages.evidence.detection_scores import DetectionEvaluation
from harness.stages.evidence.detections import LabelMeaning
from harness.stages.evidence.stage_result import Done, Skipped


def test_labels_count_by_the_meaning_that_is_graded(tmp_path: Path):
    place = context(tmp_path, {})
    said = detector_answers(in_store(place.store, tmp_path, [1, 2, 2]))
    result = SCORE_BOXES.work(ScoreBoxesRequest(said, HELD_OUT, said), place)
    assert isinstance(result, Done)
    assert (result.value.scores.ap50, result.value.objects, result.value.difference) == (1, 3, 0)
    assert (result.value.remedy, result.findings) == (None, ())
    assert Done[DetectionEvaluation].model_validate_json(result.model_dump_json()) == result


def test_a_shifted_meaning_has_its_remedy(tmp_path: Path):
    place = context(tmp_path, {})
    shifted = LabelMeaning(as_named=(0, 1, -1), taken=(0, 1, -1), measured=(-1, 0, 1), seen=40)
    said = detector_answers(in_store(place.store, tmp_path, [1, 2, 2]), meaning=shifted)
    result = SCORE_BOXES.work(ScoreBoxesRequest(said, HELD_OUT, None), place)
    assert result.value.remedy.would == 1
    assert result.value.remedy.ap50 == result.value.scores.ap50 < 0.5
    assert result.value.remedy.names == ("BACKGROUND", "cup", "duck")


def test_boxes_of_no_class_are_said(tmp_path: Path):
    place = context(tmp_path, {})
    said = detector_answers(in_store(place.store, tmp_path, [1, 2, 9]))
    result = SCORE_BOXES.work(ScoreBoxesRequest(said, HELD_OUT, None), place)
    assert [found.code for found in result.findings] == ["boxes-of-no-class"]
    assert "1 of the detector's 3 boxes" in result.findings[0].message


def test_nothing_is_scored_without_answers_or_objects(tmp_path: Path):
    place = context(tmp_path, {})
    said = detector_answers(in_store(place.store, tmp_path, [1, 2, 2]))
    assert isinstance(SCORE_BOXES.work(ScoreBoxesRequest(None, HELD_OUT, None), place), Skipped)
    assert isinstance(SCORE_BOXES.work(ScoreBoxesRequest(said, NO_SET, None), place), Skipped)
