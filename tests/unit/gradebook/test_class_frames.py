"""A class as a frame, and what each criterion tells of it."""

from pathlib import Path

import pytest
from example_results import results

import harness
from harness.errors import UsageError
from harness.gradebook.frames import by_criterion, class_frame
from harness.gradebook.results import Results
from harness.report.export import write_results_json


def of_points(*points: tuple[float, float | None]) -> Results:
    """A class with these points for Predicts (of 10) and Questions (of 20)."""
    rows = []
    for row, (first, second) in zip(results(*map(str, range(len(points)))).submissions, points, strict=True):
        marks = (row.marks[0].model_copy(update={"points": first}), row.marks[1].model_copy(update={"points": second}))
        rows.append(row.model_copy(update={"marks": marks, "points": first + (second or 0)}))
    return results().model_copy(update={"submissions": tuple(rows)})


def test_a_class_comes_back_as_a_frame(tmp_path: Path):
    write_results_json(of_points((10, None), (4, 20)), tmp_path / "results.json")
    frame = harness.load_results(tmp_path)
    assert list(frame.index) == ["s0", "s1"] and list(frame["points"]) == [10, 24]
    assert list(frame["Predicts"]) == [10, 4] and frame["Questions"].isna().tolist() == [True, False]
    assert frame["accuracy"].between(0, 1).all() and "no-model" in frame.loc["s0", "findings"]
    assert class_frame(results()).empty


def test_a_folder_without_results_says_so(tmp_path: Path):
    with pytest.raises(UsageError, match="there are no results"):
        harness.load_results(tmp_path)
    (tmp_path / "results.json").write_text("{}")
    with pytest.raises(UsageError, match="not of this version"):
        harness.load_results(tmp_path)


def test_a_criterion_is_hard_or_easy_and_tells_good_from_bad_or_not():
    agreeing = by_criterion(of_points((2, 4), (4, 8), (6, 12), (8, 16), (10, 20), (9, None)))
    assert agreeing.loc["Questions", "mean_share"] == pytest.approx(0.6) and agreeing.loc["Questions", "marked"] == 5
    assert agreeing.loc["Predicts", "discrimination"] == pytest.approx(1)
    assert by_criterion(of_points(*[(10 - n, n) for n in range(6)])).loc["Predicts", "discrimination"] == pytest.approx(
        -1
    )
    few, alike = by_criterion(of_points((1, 2), (2, 4))), by_criterion(of_points(*[(10, n) for n in range(6)]))
    assert few["discrimination"].isna().all() and alike["discrimination"].isna().all()
    assert by_criterion(results()).empty
