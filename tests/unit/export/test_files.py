"""grades.csv and results.json: as the contract says, harmless, whole or not there."""

import csv
import json
from pathlib import Path

import jsonschema
import pytest
from example_results import results
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import MachineError, UsageError
from harness.gradebook import marks
from harness.gradebook.database import Gradebook
from harness.gradebook.manual import Whose
from harness.gradebook.results import Results
from harness.report.export import results_schema, write_grades_csv, write_results_json
from harness.report.export.grades_csv import COLUMNS
from harness.report.tables.spreadsheet import harmless


def test_a_row_for_each_submission(tmp_path: Path):
    write_grades_csv(results("Mia", "Zoë 漢字"), tmp_path / "grades.csv")
    rows = list(csv.DictReader((tmp_path / "grades.csv").open(encoding="utf-8")))
    assert tuple(rows[0]) == COLUMNS
    assert [row["student"] for row in rows] == ["Mia", "Zoë 漢字"]
    assert (rows[0]["points"], rows[0]["max_points"], rows[0]["percent"]) == ("10", "30", "33.3")
    assert rows[0]["findings"] == "no-model;labels-missing"


@pytest.mark.parametrize("name", ["=HYPERLINK(1)", "+1", "@SUM(A1)", "-2", "\t=1", "\n=1", " =1", "＝1"])
def test_no_cell_is_a_formula(name: str):
    assert harmless(name).startswith("'")


@pytest.mark.parametrize("name", ["a;=1+1", 'a";=1', "a; @SUM(A1)", "a;\n+1", "a;＝1", ";-2", "a;;=1", 'a;"=1'])
def test_no_cell_is_a_formula_where_a_semicolon_separates_cells(name: str):
    """As for a spreadsheet in much of Europe, which takes a comma for a part of a number."""
    cells = harmless(name).split(";")
    assert not any(cell.lstrip(' "').startswith(("=", "+", "-", "@", "＝")) for cell in cells)
    assert harmless("Mia; Zoë") == "Mia; Zoë"


@given(st.text(max_size=40))
def test_names_come_back_from_the_csv_on_one_line(tmp_path_factory, name: str):
    file = tmp_path_factory.mktemp("csv") / "grades.csv"
    write_grades_csv(results(name), file)
    [row] = csv.DictReader(file.open(encoding="utf-8", newline=""))
    assert row["submission"] == "s0"
    assert not row["student"].lstrip().startswith(("=", "+", "-", "@"))
    assert len(file.read_text(encoding="utf-8").splitlines()) == 2


def test_results_json_fits_its_own_schema_and_comes_back(tmp_path: Path):
    write_results_json(results("Mia"), tmp_path / "results.json")
    read = json.loads((tmp_path / "results.json").read_text())
    jsonschema.validate(read, results_schema())
    assert read["schema"] == 1
    [row] = read["submissions"]
    assert row["stages"]["execute"]["status"] == "cached" and row["stages"]["execute"]["cached"] is True
    assert row["stages"]["audit"]["status"] == "skipped"
    assert row["findings"][0] == {
        "code": "no-model",
        "severity": "error",
        "message": row["findings"][0]["message"],
        "detail": "",
    }
    assert Results.model_validate_json((tmp_path / "results.json").read_bytes()) == results("Mia")


def test_a_folder_that_is_gone_is_the_machines_fault(tmp_path: Path):
    with pytest.raises(MachineError, match=r"grades\.csv: cannot be written"):
        write_grades_csv(results("Mia"), tmp_path / "gone" / "grades.csv")


def test_the_gradebook_keeps_the_latest_run_and_every_mark(tmp_path: Path):
    book = Gradebook(tmp_path / "g.sqlite")
    book.record(results("Mia", "Tom"))
    marks.enter(book, "s0", "Questions", 12, " Fine. ", "jo")
    marks.enter(book, "s0", "Questions", 14, "Better on a second look.", "jo")
    book.record(results("Mia"))
    again = Gradebook.existing(tmp_path / "g.sqlite")
    assert [row.student for row in again.submissions()] == ["Mia"]
    assert again.manual_marks(Whose("s0", '["plain", "", "Mia"]', "of Mia"))["Questions"].points == 14
    assert again.manual_marks(Whose("s1", '["plain", "", "Tom"]', "of Tom")) == {}


@pytest.mark.parametrize(
    ("submission", "criterion", "points", "reason", "said"),
    [
        ("nobody", "Questions", 1, "x", "one of: s0"),
        ("s0", "Question", 1, "x", "did you mean 'Questions'"),
        ("s0", "Questions", 21, "x", "give 0 to 20"),
        ("s0", "Questions", float("nan"), "x", "give 0 to 20"),
        ("s0", "Questions", 1, "  ", "say in a sentence why"),
    ],
)
def test_a_wrong_mark_says_what_is_right(tmp_path: Path, submission, criterion, points, reason, said):
    book = Gradebook(tmp_path / "g.sqlite")
    book.record(results("Mia"))
    with pytest.raises(UsageError) as caught:
        marks.enter(book, submission, criterion, points, reason, "jo")
    assert said in caught.value.do


def test_no_gradebook_and_a_broken_one(tmp_path: Path):
    with pytest.raises(UsageError, match="no gradebook"):
        Gradebook.existing(tmp_path / "none.sqlite")
    (tmp_path / "bad.sqlite").write_text("not a database, not at all, really")
    with pytest.raises(MachineError, match="cannot be used"):
        Gradebook(tmp_path / "bad.sqlite")


def test_points_have_two_decimals_at_most_however_many_there_are(tmp_path: Path):
    one = results("Mia")
    rows = [one.submissions[0].model_copy(update={"points": points}) for points in (12345.67, 0.1 + 0.2, 1e-9, 20.0)]
    write_grades_csv(one.model_copy(update={"submissions": tuple(rows)}), tmp_path / "grades.csv")
    read = list(csv.DictReader((tmp_path / "grades.csv").open(encoding="utf-8")))
    assert [row["points"] for row in read] == ["12345.67", "0.3", "0", "20"]


def test_an_earlier_file_stays_whole_when_the_new_one_cannot_be_written(tmp_path: Path):
    write_grades_csv(results("Mia"), tmp_path / "grades.csv")
    before = (tmp_path / "grades.csv").read_bytes()
    (tmp_path / "grades.csv").rename(tmp_path / "kept.csv")
    (tmp_path / "grades.csv").mkdir()
    with pytest.raises(MachineError):
        write_grades_csv(results("Tom"), tmp_path / "grades.csv")
    assert (tmp_path / "kept.csv").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["grades.csv", "kept.csv"]
