"""A row that cannot be exported is left out and named; the others are exported as alone."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner
from example_results import results as example_results

from harness.cli.export import export
from harness.gradebook.database import NAME, Gradebook
from harness.gradebook.results import SubmissionResult
from harness.report.export import formats, grades_row
from harness.report.export.formats import files_of
from harness.report.export.grades_csv import text

CLASS = example_results("Mia", "Tom", "Zoe")


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> str:
    """A form that fails with one row, whose id this is."""
    bad = CLASS.submissions[0].id

    def files(some, column):
        if any(row.id == bad for row in some.submissions):
            raise KeyError(bad)
        return {"rows.txt": ",".join(row.id for row in some.submissions)}

    forms = {"canvas": SimpleNamespace(files=files)}
    monkeypatch.setattr(formats, "formats", lambda: forms)
    return bad


def test_a_row_that_a_form_fails_with_is_left_out(failing: str):
    files, left_out = files_of("canvas", CLASS, "Course")
    assert list(left_out) == [failing]
    assert files == {"rows.txt": ",".join(row.id for row in CLASS.submissions[1:])}


def test_the_command_names_it_and_ends_with_status_1(failing: str, tmp_path: Path):
    Gradebook(tmp_path / NAME).record(CLASS)
    done = CliRunner().invoke(export, [str(tmp_path), "--format", "canvas"], standalone_mode=False)
    assert done.return_value == 1
    assert f"{failing}: left out" in done.output and (tmp_path / "rows.txt").is_file()


def test_grades_csv_has_a_row_for_each_also_where_one_cannot_be_made(monkeypatch: pytest.MonkeyPatch):
    bad = CLASS.submissions[0]

    def row(result: SubmissionResult) -> tuple[str, ...]:
        if result.id == bad.id:
            raise RuntimeError("x")
        return grades_row(result)

    monkeypatch.setattr("harness.report.export.grades_csv.row", row)
    lines = text(CLASS).splitlines()
    assert len(lines) == 1 + len(CLASS.submissions)
    assert lines[1].startswith(bad.id) and "needs-review,harness-defect" in lines[1]
