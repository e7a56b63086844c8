"""The pages of a class whose assignment is detection."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest
import synthetic_detection
from pydantic import BaseModel
from synthetic_class import SyntheticClass
from test_report_escaping import HOSTILE, check_page, known_link, page_alone
from test_report_pages import text_of

from harness import report
from harness.agent.detectors.registry import all_families
from harness.inputs.assignment.sections import Feedback
from harness.report.cleared import for_student
from harness.report.detection.coarse import RUN_NO_CODE, detection
from harness.report.export import write_results_json
from harness.report.unfinished import UnfinishedRow
from harness.stages.evidence.detection_scores import DetectionEvaluation
from harness.stages.evidence.stage_result import Done

R = TypeVar("R", bound=BaseModel)
_LARGEST = 64_000  # bytes of the pages of one submission, in the mean


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> SyntheticClass:
    return synthetic_detection.build(tmp_path_factory.mktemp("class"))


@pytest.fixture(scope="module")
def out(made: SyntheticClass, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("out")
    report.write(made.results, made.sources, folder)
    return folder


def score_of(made: SyntheticClass, id: str) -> DetectionEvaluation:
    [score] = [row.detection for row in made.results.submissions if row.id == id]
    assert score is not None
    return score


def with_held_out(made: SyntheticClass, out: Path) -> Path:
    report.write(made.results, replace(made.sources, feedback=Feedback(show_held_out=True)), out)
    return out


def test_a_page_begins_with_ap50_beside_the_reference_s(made: SyntheticClass, out: Path) -> None:
    score = score_of(made, "team-03")
    assert score.scores.ap50 is not None and score.reference_ap50 is not None and score.difference is not None
    for folder in ("submissions", "students"):
        words = text_of(out / folder / "team-03" / "index.html")
        said = f"214 objects with an AP50 of {score.scores.ap50:.3f} (1 is perfect), worse than the reference solution"
        assert f"{said} ({score.reference_ap50:.3f})." in words
        assert f"−{-score.difference:.3f}" in words and "VOC's AP50 by 11 points" in words
        assert "Average precision against the reference" in words and "Accuracy" not in words


def test_all_that_was_measured_is_on_both_pages(out: Path) -> None:
    for folder in ("submissions", "students"):
        words = text_of(out / folder / "team-01" / "index.html")
        for part in (
            "AP of small objects", "AR100", "On the board", "Recall there", "Precision against recall", "Found twice",
            "background", "Small and far, large and near", "Few and many objects", "Where on the image",
            "How many objects are there?", "Worse images", "Farther away", "Patterns that show no object",
            "0 background, 1 ball", "an IoU of 0.45 or less", "objects of the class ball",
        ):  # fmt: skip
            assert part in words, part


def test_the_remedy_names_the_lines_of_labels_txt(out: Path) -> None:
    for folder in ("submissions", "students"):
        page = (out / folder / "team-02" / "index.html").read_text("utf-8")
        assert "AP50 would be 0.880 instead of 0.020. That is what the model itself shows on training images." in page
        assert re.findall(r"<li><code>([^<]*)</code>", page)[:2] == ["BACKGROUND", "ball"]


def test_a_reported_figure_stands_beside_the_same_measure(made: SyntheticClass, out: Path) -> None:
    for folder in ("submissions", "students"):
        words = text_of(out / folder / "team-01" / "index.html")
        measured = f"{score_of(made, 'team-01').voc.eleven_points:.3f}"
        assert "Reported AP50 0.931" in words and f"measured here on 60 held-out images: {measured}" in words


def test_boxes_lie_over_held_out_images_only_where_these_may_be_shown(
    made: SyntheticClass, out: Path, tmp_path: Path
) -> None:
    drawn = re.compile(r'<svg viewBox="0 0 1000 1000"')
    instructors = (out / "submissions" / "team-03" / "index.html").read_text("utf-8")
    assert len(drawn.findall(instructors)) == 8 and "../../shared/" in instructors
    cleared = (out / "students" / "team-03" / "index.html").read_text("utf-8")
    assert not drawn.search(cleared) and "data:image" not in cleared and "type=checkbox" not in cleared
    shown = (with_held_out(made, tmp_path) / "students" / "team-03" / "index.html").read_text("utf-8")
    assert len(drawn.findall(shown)) == 8 and shown.count("data:image/jpeg") == 8


def test_no_corner_of_an_object_is_on_a_student_s_page(made: SyntheticClass, tmp_path: Path) -> None:
    """The evidence that the page is made from holds none either, whatever the template does."""
    sources = made.sources
    for row in made.results.submissions:
        page = for_student(made.results, row, sources, lambda index: None)
        kept = page.evidence.score_boxes.model_dump_json() + page.result.model_dump_json()
        assert '"truth":[' not in kept and '"box":[' not in kept
        assert '"sha256":"' + "1" * 64 not in page.evidence.detect.model_dump_json()


def test_where_objects_lie_on_held_out_images_is_in_no_result(made: SyntheticClass, out: Path, tmp_path: Path) -> None:
    """Results go to files and gradebooks that others get; the pages draw from the evidence."""
    scored = [row for row in made.results.submissions if row.detection is not None]
    assert any(isinstance(of.score_boxes, Done) and of.score_boxes.value.shown for of in made.sources.evidence.values())
    assert scored and all(row.detection is not None and not row.detection.shown for row in scored)
    write_results_json(made.results, tmp_path / "results.json")
    assert '"truth"' not in (tmp_path / "results.json").read_text("utf-8")
    for page in (out / "students").rglob("*.html"):
        assert '<svg viewBox="0 0 1000 1000"' not in page.read_text("utf-8"), page


def test_a_student_reads_no_exact_count_of_boxes_where_nothing_is(made: SyntheticClass) -> None:
    score = score_of(made, "team-01")
    many = (*score.confusion[:-1], (*[1234] * len(score.classes), 0))
    told = detection(score.model_copy(update={"confusion": many}), show_held_out=False)
    assert told.confusion[-1][0] == 1200 and told.confusion[:-1] == score.confusion[:-1]


def test_what_a_student_s_own_code_says_of_its_input_is_the_instructor_s(out: Path) -> None:
    assert "300 × 300" in text_of(out / "submissions" / "team-04" / "index.html")
    assert "300 × 300" not in text_of(out / "students" / "team-04" / "index.html")
    assert "300 × 300" in text_of(out / "students" / "team-01" / "index.html")


def test_a_page_says_whether_overlapping_boxes_were_suppressed_as_far_as_that_is_seen(out: Path) -> None:
    assert "whether it suppresses any cannot be seen here" in text_of(out / "submissions" / "team-04" / "index.html")
    assert "were suppressed here as jetson-inference's" in text_of(out / "submissions" / "team-01" / "index.html")


def test_families_that_run_no_code_are_those_of_the_agent() -> None:
    assert set(RUN_NO_CODE) == {name for name, family in all_families().items() if not family.RUNS_CODE}


def test_a_student_s_curve_is_coarse_and_has_no_scores(made: SyntheticClass) -> None:
    [row] = [row for row in made.results.submissions if row.id == "team-03"]
    cleared = for_student(made.results, row, made.sources, lambda index: None).result.detection
    assert cleared is not None
    for whole, coarse in zip(score_of(made, "team-03").per_class, cleared.per_class, strict=True):
        assert len(whole.curve) > len(coarse.curve) > 1
        assert len(coarse.curve) <= 12 and {point.score for point in coarse.curve} == {0.0}
        assert coarse.curve[-1].recall == round(whole.curve[-1].recall, 2)


def test_the_class_is_shown_by_ap50(made: SyntheticClass, out: Path) -> None:
    reference = made.results.reference
    assert reference is not None and reference.ap50 is not None
    words = text_of(out / "index.html")
    assert "Median AP50" in words and f"The reference's AP50 {reference.ap50:.3f}" in words
    assert "AP50 against latency" in words and "5 submissions scored on 60 images each" in words
    assert "accuracy" not in words.lower().replace("the accuracy would be", "")  # of a finding
    assert f"{score_of(made, 'team-01').scores.ap50:.3f}" in words


def test_the_class_is_shown_by_ap50_while_the_run_goes_on(made: SyntheticClass, tmp_path: Path) -> None:
    pages = report.UnfinishedPages(replace(made.sources, evidence={}), tmp_path)
    [first, *_] = made.results.submissions
    rows = [UnfinishedRow(first.id, first.student, "timed", first, has_page=True)]
    pages.write_class(made.results.model_copy(update={"submissions": ()}), rows, "stopped")
    words = text_of(tmp_path / "index.html")
    assert "AP50" in words and f"{score_of(made, 'team-01').scores.ap50:.3f}" in words and "Accuracy" not in words
    pages.write_submission(made.results, first, made.sources.evidence[first.id])
    assert "The boxes over images" in text_of(tmp_path / "submissions" / "team-01" / "index.html")


def test_without_the_reference_s_own_scores_its_ap50_is_still_there(made: SyntheticClass, tmp_path: Path) -> None:
    report.write(made.results, replace(made.sources, detector_reference=None), tmp_path)
    score = score_of(made, "team-01")
    words = text_of(tmp_path / "submissions" / "team-01" / "index.html")
    assert f"the reference {score.reference_ap50:.3f}" in words and "Difference in AP50" in words


def test_a_detector_that_finds_nothing_has_pages(out: Path) -> None:
    for folder in ("submissions", "students"):
        words = text_of(out / folder / "team-05" / "index.html")
        assert "AP50 of 0.000" in words and "When it fails" in words


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_names_are_plain_text(text: str, made: SyntheticClass, tmp_path: Path) -> None:
    """In place of a class's name, and of the model's."""

    def poisoned(record: R) -> R:
        words = record.model_dump_json(by_alias=True)
        for name in ("mug", "ssd-mobilenet.onnx"):
            words = words.replace(json.dumps(name), json.dumps(name + text.replace("\ud800", "")))
        return type(record).model_validate_json(words)

    ids = ("team-01", "team-04")
    rows = tuple(poisoned(row) for row in made.results.submissions if row.id in ids)
    results = made.results.model_copy(update={"submissions": rows})
    evidence = {id: poisoned(made.sources.evidence[id]) for id in ids}
    sources = replace(made.sources, evidence=evidence, feedback=Feedback(show_held_out=True))
    report.write(results, sources, tmp_path)
    for file in tmp_path.rglob("*.html"):
        check_page(file.read_text("utf-8"), known_link)
    check_page(page_alone(SyntheticClass(results, sources), tmp_path, "team-01"), known_link)


def test_the_pages_of_a_submission_are_small(made: SyntheticClass, out: Path) -> None:
    pages = [file.stat().st_size for folder in ("submissions", "students") for file in (out / folder).glob("*/*")]
    assert sum(pages) / len(made.results.submissions) < _LARGEST


def test_a_page_that_is_given_away_can_still_hide_boxes(made: SyntheticClass, tmp_path: Path) -> None:
    page = page_alone(made, with_held_out(made, tmp_path), "team-03")
    for kind in ("found", "truth", "missed", "false-alarm", "names"):
        assert f".kinds:has(.hide-{kind}:not(:checked)) .boxed .{kind}" in page


def test_objects_before_other_backgrounds_and_beside_others_are_on_both_pages(out: Path) -> None:
    for folder in ("submissions", "students"):
        words = text_of(out / folder / "team-03" / "index.html")
        assert "It depends on the background: of 64 objects on 20 images it finds 72% before their own" in words
        assert "Before other backgrounds" in words and "their own background 46 64 72%" in words
        assert "parts of other held-out images that show no object 26 64 41%" in words
        assert "Alone and beside others" in words and "share of the box that others overlap" in words
        page = (out / folder / "team-03" / "index.html").read_text("utf-8")
        ends = re.findall(r">(under [\d]+%|[\d]+% or more)</text>", page)
        assert ends == ["under 1%", "25% or more", "under 1%", "60% or more"], "as objects are counted"
