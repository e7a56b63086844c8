"""`harness export --feedback`: the pages made for students, each in a folder of its own, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from example_results import results

from harness.cli.main import cli
from harness.errors import UsageError
from harness.gradebook.database import Gradebook
from harness.gradebook.results import Results
from harness.report.export.feedback import write_feedback

_PAGE = (
    f'<!doctype html><head><meta name="audience" content="{{}}"><meta name="run" content="{results().run.finished}">'
    "</head><body>{}</body>"
)


def graded(out: Path, of: Results, audience: str = "student") -> Path:
    """The folder of the students' pages in an output folder that holds more."""
    for row in of.submissions:
        for folder in ("students", "submissions"):
            page = out / folder / row.id / "index.html"
            page.parent.mkdir(parents=True)
            page.write_text(_PAGE.format(audience, row.id))
    (out / "results.json").write_text("{}")
    return out / "students"


def from_moodle(of: Results, *ids: str) -> Results:
    rows = [
        row.model_copy(update={"source": "moodle", "lms_id": id}) for row, id in zip(of.submissions, ids, strict=True)
    ]
    return of.model_copy(update={"submissions": tuple(rows)})


def test_only_the_students_pages_are_written(tmp_path: Path) -> None:
    found = write_feedback(results("Mia", "Bo"), graded(tmp_path / "out", results("Mia", "Bo")), tmp_path / "feedback")
    every = {str(file.relative_to(tmp_path / "feedback")) for file in (tmp_path / "feedback").rglob("*.*")}
    assert every == {"s0/index.html", "s1/index.html"} and len(found) == 2
    assert "s1" in (tmp_path / "feedback/s1/index.html").read_text()


def test_moodle_s_folders_have_the_names_that_it_reads_back(tmp_path: Path) -> None:
    of = from_moodle(results("Zoë O'Brien", "../../Mia", "<b>"), "41", "42", "x/../y")
    write_feedback(of, graded(tmp_path / "out", of), tmp_path / "feedback")
    names = {folder.name for folder in (tmp_path / "feedback").iterdir()}
    assert names == {"Zoë O'Brien_41_assignsubmission_file_", "Mia_42_assignsubmission_file_", "s2"}


def test_two_that_claim_one_name_get_their_ids(tmp_path: Path) -> None:
    of = from_moodle(results("Mia", "mia"), "41", "41")
    write_feedback(of, graded(tmp_path / "out", of), tmp_path / "feedback")
    assert {folder.name for folder in (tmp_path / "feedback").iterdir()} == {"s0", "s1"}


def test_a_folder_that_holds_other_things_is_refused(tmp_path: Path) -> None:
    pages = graded(tmp_path / "out", results("Mia"))
    (tmp_path / "feedback").mkdir()
    (tmp_path / "feedback" / ".hidden").write_text("x")
    with pytest.raises(UsageError, match="given away"):
        write_feedback(results("Mia"), pages, tmp_path / "feedback")
    assert {file.name for file in (tmp_path / "feedback").iterdir()} == {".hidden"}


def test_a_page_that_was_made_for_the_instructor_is_never_given_away(tmp_path: Path) -> None:
    """As those of older versions, which stood where the students' stand now."""
    pages = graded(tmp_path / "out", results("Mia", "Bo"))
    (pages / "s1/index.html").write_text(_PAGE.format("instructor", _PAGE.format("student", "")))
    with pytest.raises(UsageError, match="not made to be given away"):
        write_feedback(results("Mia", "Bo"), pages, tmp_path / "feedback")
    assert not (tmp_path / "feedback").exists()


def test_a_page_of_another_run_is_never_given_away(tmp_path: Path) -> None:
    """A run that was stopped before it was recorded: its `s0` may be another student than the recorded one's."""
    recorded = results("Mia")
    pages = graded(tmp_path / "out", recorded)
    page = (pages / "s0/index.html").read_text()
    (pages / "s0/index.html").write_text(page.replace(recorded.run.finished, "2025-11-04T09:00:00+00:00"))
    with pytest.raises(UsageError, match="another run"):
        write_feedback(recorded, pages, tmp_path / "feedback")
    assert not (tmp_path / "feedback").exists()


def test_the_command_writes_them_and_asks_for_something_to_do(tmp_path: Path) -> None:
    out = tmp_path / "out"
    graded(out, results("Mia"))
    Gradebook(out / "gradebook.sqlite").record(results("Mia"))
    done = CliRunner().invoke(cli, ["export", str(out), "--feedback", str(tmp_path / "feedback")])
    assert done.exit_code == 0 and (tmp_path / "feedback/s0/index.html").is_file()
    with pytest.raises(UsageError, match="nothing to export"):
        CliRunner().invoke(cli, ["export", str(out)], catch_exceptions=False, standalone_mode=False)
