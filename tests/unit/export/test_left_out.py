"""No LMS gets a mark of which it is not known whose it is."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from test_formats import graded

from harness.cli.main import cli
from harness.findings import finding
from harness.gradebook.database import Gradebook
from harness.gradebook.results import Results
from harness.inputs.submission import Origin
from harness.report.export.claims import exportable, left_out
from harness.report.export.formats import formats
from harness.report.export.grades_csv import text

TWICE = finding("lms-id-claimed-twice", lms="Canvas", id="4711", count=2)
ODD = finding("lms-name-ambiguous", lms="Canvas", name="x_4711_99999_555_88001_model.onnx")


def claimed(source: str) -> Results:
    """Two that claim 4711, one that may be anybody's, and Jan."""
    of = graded(
        ("Vera", Origin(source, lms_id="4711")),
        ("Mallory", Origin(source, lms_id="4711")),
        ("Odd", Origin(source)),
        ("Jan", Origin(source, lms_id="12")),
    )
    found = [(TWICE,), (TWICE,), (ODD,), ()]
    rows = [row.model_copy(update={"findings": why}) for row, why in zip(of.submissions, found, strict=True)]
    return of.model_copy(update={"submissions": tuple(rows)})


@pytest.mark.parametrize("lms", ["canvas", "moodle", "brightspace", "blackboard"])
def test_of_two_that_claim_one_id_neither_reaches_the_lms(lms: str):
    [written] = formats()[lms].files(claimed(lms), "TL").values()
    assert "Jan" in written
    assert not any(name in written for name in ("Vera", "Mallory", "Odd"))


def test_nor_an_autograders_file():
    assert set(formats()["gradescope"].files(claimed("gradescope"), "TL")) == {"gradescope-s3.json"}


def test_a_folder_beside_a_download_that_is_called_as_a_user_is_a_claim_too():
    vera, jan = (Origin("blackboard", lms_id=id) for id in ("S1", "jj"))
    of = graded(("Vera", vera), ("s1", Origin()), ("Jan", jan))
    assert [row.student for row in left_out(of)] == ["Vera", "s1"]
    assert [row.student for row in exportable(of)] == ["Jan"]


def test_the_instructors_table_has_all_and_says_why():
    written = text(claimed("canvas"))
    assert written.count("lms-id-claimed-twice") == 2 and "lms-name-ambiguous" in written


def test_the_command_says_who_is_left_out(tmp_path: Path):
    Gradebook(tmp_path / "gradebook.sqlite").record(claimed("canvas"))
    ran = CliRunner().invoke(cli, ["export", str(tmp_path), "--format", "canvas"], catch_exceptions=False)
    assert ran.exit_code == 0
    assert all(f"{id}: goes to no LMS" in ran.stderr for id in ("s0", "s1", "s2"))
    assert "s3:" not in ran.stderr
