"""Pages go to students once they are wholly marked, and it is known afterwards who was given what."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from test_feedback import graded as with_pages
from test_formats import graded

from harness.cli.main import cli
from harness.errors import UsageError
from harness.gradebook.database import NAME, Gradebook
from harness.gradebook.results import Results
from harness.inputs.submission import Origin


def recorded(out: Path, *rows: tuple[str, Origin], waiting: tuple[str, ...] = ()) -> Results:
    """A run with pages; those in `waiting` still have to be marked."""
    of = graded(*rows)
    states = {id: {"status": "needs-review"} for id in waiting}
    every = [row.model_copy(update={"identity": row.student, **states.get(row.id, {})}) for row in of.submissions]
    of = of.model_copy(update={"submissions": tuple(every)})
    with_pages(out, of)
    Gradebook(out / NAME).record(of)
    return of


def publish(out: Path, *arguments: object) -> Result:
    given = ["publish", str(out), *map(str, arguments)]
    return CliRunner().invoke(cli, given, standalone_mode=False, catch_exceptions=False)


def names(archive: Path) -> set[str]:
    with zipfile.ZipFile(archive) as found:
        return set(found.namelist())


@pytest.mark.parametrize(
    ("form", "origin", "name"),
    [
        ("zip", Origin(), "s0/index.html"),
        ("moodle", Origin("moodle", lms_id="41"), "Zoë O'Brien_41_assignsubmission_file_/index.html"),
        ("canvas", Origin("canvas", lms_id="41", entry="obrienzoe_41_77_x_y.onnx"), "obrienzoe_41_77_feedback.html"),
        ("canvas", Origin("canvas", lms_id="41", entry="obrienzoe_LATE_41_77_m"), "obrienzoe_LATE_41_77_feedback.html"),
        (
            "brightspace",
            Origin("brightspace", lms_id="41", entry="41-9 - Zoë - 3 Nov 2025"),
            "41-9 - Zoë - 3 Nov 2025/index.html",
        ),
    ],
)
def test_each_lms_gets_the_names_by_which_it_finds_people(tmp_path: Path, form: str, origin: Origin, name: str):
    recorded(tmp_path, ("Zoë O'Brien", origin))
    assert publish(tmp_path, "--to", form).return_value == 0
    assert names(tmp_path / f"feedback-{form}.zip") == {name}


@pytest.mark.parametrize(
    ("form", "origin"),
    [
        ("moodle", Origin()),
        ("moodle", Origin("moodle", lms_id="../../x")),
        ("canvas", Origin("canvas", lms_id="41", entry="x_42_77_41_88_model.onnx")),
        ("canvas", Origin("canvas", lms_id="41")),
        ("brightspace", Origin("brightspace", lms_id="41", entry="41-9 - ../../x")),
    ],
)
def test_a_page_that_could_reach_somebody_else_is_kept_back(tmp_path: Path, form: str, origin: Origin):
    recorded(tmp_path, ("Mallory", origin))
    done = publish(tmp_path, "--to", form)
    assert done.return_value == 1 and "s0: kept back" in done.stderr
    assert not (tmp_path / f"feedback-{form}.zip").exists() and Gradebook(tmp_path / NAME).published() == []


def test_only_who_is_wholly_marked_unless_said(tmp_path: Path):
    recorded(tmp_path, ("Mia", Origin()), ("Tom", Origin()), waiting=("s1",))
    done = publish(tmp_path, "--to", tmp_path / "pages")
    assert {file.parent.name for file in (tmp_path / "pages").rglob("*.html")} == {"s0"}
    assert "s1: kept back, not wholly marked yet" in done.stderr and "1 pages written, 1 kept back" in done.stderr
    publish(tmp_path, "--to", "zip", "--unfinished")
    assert names(tmp_path / "feedback-zip.zip") == {"s0/index.html", "s1/index.html"}
    with pytest.raises(UsageError, match="is there already"):
        publish(tmp_path, "--to", "zip")


def test_a_person_claimed_twice_gets_no_page_though_one_of_the_two_waits(tmp_path: Path):
    both = Origin("moodle", lms_id="41")
    recorded(tmp_path, ("Mia", both), ("Mallory", both), ("Tom", Origin("moodle", lms_id="42")), waiting=("s0",))
    publish(tmp_path, "--to", tmp_path / "pages")
    found = {file.parent.name for file in (tmp_path / "pages").rglob("*.html")}
    assert found == {"s1", "Tom_42_assignsubmission_file_"}


def test_a_name_of_several_lines_is_one_line_on_the_terminal(tmp_path: Path):
    recorded(tmp_path, ("Mia\n2026-01-01  run 9: 30 of 30 points", Origin()))
    story = CliRunner().invoke(cli, ["history", str(tmp_path), "s0"], standalone_mode=False).output
    assert story.startswith("Mia\\x0a2026-01-01  run 9: 30 of 30 points (s0)\n")


def test_a_later_change_says_who_has_to_be_told(tmp_path: Path):
    of = recorded(tmp_path, ("Mia", Origin()), ("Tom", Origin()), ("Zoë", Origin()), waiting=("s2",))
    publish(tmp_path, "--to", "zip", "--publisher", "jo")
    assert publish(tmp_path, "--changed").return_value == 0
    mia, *others = of.submissions
    mark = mia.marks[1].model_copy(update={"points": 5.0})
    mia = mia.model_copy(update={"points": 12.5, "marks": (mia.marks[0], mark, *mia.marks[2:])})
    Gradebook(tmp_path / NAME).record(of.model_copy(update={"submissions": (mia, *others)}))
    told = publish(tmp_path, "--changed")
    assert told.output == "s0 (Mia): published 7.5 points, now 12.5: has to be told\n" and told.return_value == 1
    story = CliRunner().invoke(cli, ["history", str(tmp_path), "Mia"], standalone_mode=False).output
    assert "published as zip by jo: 7.5 of 30 points" in story


def test_a_form_that_is_misspelt_makes_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    recorded(tmp_path, ("Zoë", Origin()))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="canvass") as caught:
        publish(tmp_path, "--to", "canvass")
    assert "'canvas'" in caught.value.do
    assert publish(tmp_path, "--to", "./zips").return_value == 0 and (tmp_path / "zips" / "s0").is_dir()


def test_the_archive_makes_its_folder(tmp_path: Path):
    recorded(tmp_path, ("Zoë", Origin()))
    assert publish(tmp_path, "--to", "zip", "--as", tmp_path / "new" / "pages.zip").return_value == 0
    assert (tmp_path / "new" / "pages.zip").is_file()
    with pytest.raises(UsageError, match="cannot be written") as caught:
        publish(tmp_path, "--to", "zip", "--as", tmp_path / "new" / "pages.zip" / "x.zip")
    assert caught.value.do == "name another place"
