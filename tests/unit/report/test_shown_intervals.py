"""What rests on a sample is shown with its error, on the instructor's and on the student's page."""

from __future__ import annotations

from pathlib import Path

import synthetic_class
from test_report_pages import text_of

from harness import report


def test_points_and_scores_are_shown_with_their_error(tmp_path: Path) -> None:
    made = synthetic_class.build(tmp_path)
    first = next(row for row in made.results.submissions if row.evaluation and row.evaluation.per_class)
    marks = tuple(
        mark.model_copy(update={"points": 30.0, "points_interval": (25.5, 36.25)})
        if mark.criterion == "accuracy_vs_reference"
        else mark
        for mark in first.marks
    )
    assert first.evaluation is not None
    one, *others = first.evaluation.per_class
    changes = {
        "scenes": first.evaluation.images - 41,
        "log_loss_interval": (0.11, 0.47),
        "calibration_error_interval": (0.0, 0.123),
        "calibration_floor": 0.0714,
        "unseen_auroc": 0.9,
        "unseen_auroc_interval": (0.81, 0.96),
        "per_class": (
            one.model_copy(update={"recall_interval": (0.61, 0.93), "precision_interval": (0.55, 0.88)}),
            *others,
        ),
    }
    row = first.model_copy(
        update={
            "marks": marks,
            "points_interval": (61.5, 72.25),
            "evaluation": first.evaluation.model_copy(update=changes),
        }
    )
    rows = tuple(row if one is first else one for one in made.results.submissions)
    report.write(made.results.model_copy(update={"submissions": rows}), made.sources, tmp_path / "out")
    for audience in ("submissions", "students"):
        page = text_of(tmp_path / "out" / audience / row.id / "index.html")
        assert "95% interval 61.5–72.25" in page and "25.5–36.25" in page
        assert f"of {first.evaluation.images - 41} scenes" in page
        assert "0.11–0.47" in page and "0.0–12.3%" in page
        assert "shows a calibration error of 7.1% on so few images" in page
        assert "61–93%" in page and "55–88%" in page
        assert "0.81–0.96" in page
    assert "61.5–72.25" in text_of(tmp_path / "out" / "index.html")
