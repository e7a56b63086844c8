"""What an LMS or a build server imports: the columns that it knows, whole, and nothing that acts."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner
from example_evidence import evidence
from example_results import results

from harness.cli.main import cli
from harness.gradebook.database import Gradebook
from harness.gradebook.results import Results, submission_result
from harness.inputs.submission import Origin
from harness.report.export.formats import formats
from harness.stages.evidence.grade import Grade, Mark

EVIL = '=HYPERLINK("http://x","<b>&\x1b")\t+1'


def graded(*rows: tuple[str, Origin], late: bool = True) -> Results:
    """A class whose submissions are marked to the end."""
    marks = [
        Mark(criterion="model_predicts", title="Predicts", points=10, max_points=10, reason="It does."),
        Mark(criterion="notebook_runs", title="Runs", points=0, max_points=20, reason=EVIL),
    ]
    if late:
        marks.append(Mark(criterion="late", title="Late hand-in", points=-2.5, max_points=0, reason="A day."))
    grade = Grade(status="graded", marks=tuple(marks), points=7.5, max_points=30, late_days=1)
    found = [
        submission_result(f"s{number}", student, evidence(), grade, frozenset(), origin)
        for number, (student, origin) in enumerate(rows)
    ]
    return results().model_copy(update={"submissions": tuple(found)})


def table(name: str, of: Results, column: str = "Transfer learning (99)") -> list[dict[str, str]]:
    [text] = formats()[name].files(of, column).values()
    return list(csv.DictReader(io.StringIO(text), delimiter="\t" if name == "blackboard" else ","))


def test_every_format_is_one_file_with_a_title_and_is_in_the_docs():
    page = (Path(__file__).parents[3] / "docs/intake.md").read_text(encoding="utf-8")
    for name, module in formats().items():
        assert module.TITLE
        assert f"`{name}`" in page


def test_canvas_has_its_columns_the_points_possible_and_its_own_ids():
    rows = (("jansenpiet", Origin("canvas", lms_id="12346")), ("Mia", Origin()), ("Tom", Origin("moodle", lms_id="77")))
    first, row, other, foreign = table("canvas", graded(*rows))
    assert list(first) == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "Transfer learning (99)"]
    assert (first["Student"].strip(), first["Transfer learning (99)"]) == ("Points Possible", "30")
    assert (row["ID"], row["Transfer learning (99)"]) == ("12346", "7.5")
    assert row["SIS Login ID"] == "", "Canvas' own number is no login"
    assert (other["ID"], other["SIS Login ID"]) == ("", "s1")
    assert (foreign["ID"], foreign["SIS Login ID"]) == ("", "77"), "another system's id is no number of Canvas'"


def test_moodle_finds_students_by_participant():
    [row] = table("moodle", graded(("Anna", Origin("moodle", lms_id="123456")), ("Mia", Origin())))
    assert (row["Identifier"], row["Grade"], row["Maximum Grade"]) == ("Participant 123456", "7.5", "30")
    assert "Late hand-in: A day." in row["Feedback comments"]


def test_brightspace_ends_each_line_as_it_wants():
    [row] = table("brightspace", graded(("Mia", Origin())))
    assert (row["Username"], row["Transfer learning (99) Points Grade"], row["End-of-Line Indicator"]) == (
        "s0",
        "7.5",
        "#",
    )


def test_blackboard_finds_students_by_user_name():
    [row] = table("blackboard", graded(("Anna", Origin("blackboard", lms_id="adevries"))))
    assert row["Username"] == "adevries"
    assert row["Transfer learning (99) [Total Pts: 30 Score]"] == "7.5"


def test_gradescope_gets_a_score_and_a_test_for_each_line():
    [(name, text)] = formats()["gradescope"].files(graded(("Mia", Origin())), "x").items()
    read = json.loads(text)
    assert name == "gradescope-s0.json"
    assert read["score"] == 7.5
    assert [(test["name"], test["score"], test["max_score"]) for test in read["tests"]][-1] == (
        "Late hand-in",
        -2.5,
        0,
    )


def test_junit_counts_what_passed_failed_and_waits():
    of = graded(("Mia", Origin()))
    waiting = results("Zoë").submissions[0].model_copy(update={"id": "s9"})
    of = of.model_copy(update={"submissions": (*of.submissions, waiting)})
    root = ElementTree.fromstring(formats()["junit"].files(of, "x")["junit.xml"])
    first, second = root.findall("testsuite")
    assert (first.get("tests"), first.get("failures"), first.get("skipped")) == ("3", "2", "0")
    assert (second.get("tests"), second.get("skipped")) == ("2", "1")


@pytest.mark.parametrize("name", [name for name in formats() if name not in ("gradescope", "junit")])
def test_no_cell_is_a_formula(name: str):
    of = graded((EVIL, Origin(name, lms_id="@SUM(1)")), ("+1", Origin("moodle", lms_id="1")))
    for row in table(name, of, column="=1+1"):
        assert not any((cell or "").lstrip().startswith(("=", "+", "@")) for cell in row.values())
        assert not any(title.lstrip().startswith(("=", "+", "@")) for title in row)


@pytest.mark.parametrize("name", ["canvas", "moodle", "brightspace", "blackboard"])
def test_points_that_are_not_final_are_left_out(name: str):
    open_one = results("Mia").submissions[0].model_copy(update={"source": name, "lms_id": "7"})
    rows = table(name, results().model_copy(update={"submissions": (open_one,)}))
    score = next(cell for title, cell in rows[-1].items() if "Transfer learning" in title or title == "Grade")
    assert score == ""


def test_the_command_writes_the_file_of_the_latest_run(tmp_path: Path):
    Gradebook(tmp_path / "gradebook.sqlite").record(graded(("Mia", Origin())))
    ran = CliRunner().invoke(cli, ["export", str(tmp_path), "--format", "canvas", "--column", "TL (5)"])
    assert ran.exit_code == 0, ran.output
    assert "TL (5)" in (tmp_path / "canvas.csv").read_text()


@pytest.mark.parametrize("name", ["csv", "canvas", "moodle", "brightspace", "blackboard"])
def test_a_negative_sum_is_a_number_and_a_column_may_be_called_as_one_of_the_lms(name: str):
    [row] = graded(("Mia", Origin(name, lms_id="7"))).submissions
    of = results().model_copy(update={"submissions": (row.model_copy(update={"points": -2.5}),)})
    column = {"canvas": "Student", "blackboard": "Username"}.get(name, "Grade")
    [text] = formats()[name].files(of, column).values()
    last = text.splitlines()[-1]
    assert "-2.5" in last and "'-2.5" not in last and "Mia" in last
