"""With a roster, each person of a course has a row: each member of a group, and who handed in nothing."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from test_formats import graded

from harness.cli.main import cli
from harness.errors import UsageError
from harness.gradebook.database import NAME, Gradebook
from harness.gradebook.results import Results
from harness.inputs.submission import Origin

CANVAS = """Student,ID,SIS User ID,SIS Login ID,Section,Transfer (99),Other (7)
    Points Possible,,,,,30,10
"Vries, Anna de",101,,adevries,A,7.5,1
"Chen, Bo",102,,bchen,A,,2
"Li, Cy",103,,cli,A,3,3
"Nobody, Ned",104,,nned,B,,4
"""


def recorded(out: Path, of: Results, roster: str = CANVAS) -> Path:
    """The roster's file, beside a run."""
    titled = of.assignment.model_copy(update={"title": "Transfer"})
    Gradebook(out / NAME).record(of.model_copy(update={"assignment": titled}))
    (out / "list.csv").write_text(roster, encoding="utf-8")
    return out / "list.csv"


def export(out: Path, *arguments: object) -> Result:
    given = ["export", str(out), *map(str, arguments)]
    return CliRunner().invoke(cli, given, standalone_mode=False, catch_exceptions=False)


def rows(file: Path) -> dict[str, dict[str, str]]:
    with file.open(encoding="utf-8") as stream:
        return {row["Student"]: row for row in csv.DictReader(stream)}


def test_members_of_a_group_and_who_handed_in_nothing_have_rows_of_their_own(tmp_path: Path):
    group = Origin("github_classroom", lms_id="team-7", members=("Anna de Vries", "bchen"), members_from="list")
    roster = recorded(tmp_path, graded(("Team 7", group), ("Cy Li", Origin())))
    done = export(tmp_path, "--format", "canvas", "--roster", roster, "--to", tmp_path / "new" / "folder")
    found = rows(tmp_path / "new" / "folder" / "canvas.csv")
    assert {name: (row["ID"], row["Transfer (99)"]) for name, row in found.items() if row["ID"]} == {
        "Vries, Anna de": ("101", "7.5"),
        "Chen, Bo": ("102", "7.5"),
        "Li, Cy": ("103", "7.5"),
        "Nobody, Ned": ("104", ""),
    }
    assert "1 on the roster handed in nothing" in done.stderr
    assert "4 rows written, 0 of them without points because they wait; 0 left out" in done.stderr


def test_a_column_of_groups_fans_out_too(tmp_path: Path):
    roster = recorded(
        tmp_path, graded(("Team 7", Origin())), "student,id,group\nAnna,a1,7\nBo,b1,Team 7\nCy,c1,team 7\n"
    )
    export(tmp_path, "--format", "canvas", "--roster", roster)
    found = rows(tmp_path / "canvas.csv")
    assert [(row["SIS Login ID"], row["Transfer"]) for row in found.values()][1:] == [
        ("a1", ""),
        ("b1", "7.5"),
        ("c1", "7.5"),
    ]


def test_members_that_only_a_notebook_names_get_nothing(tmp_path: Path):
    """Anybody can write a name into his notebook."""
    claimed = Origin(members=("Anna de Vries", "Ned Nobody"), members_from="notebook")
    roster = recorded(tmp_path, graded(("Anna de Vries", claimed)))
    export(tmp_path, "--format", "canvas", "--roster", roster)
    assert rows(tmp_path / "canvas.csv")["Nobody, Ned"]["Transfer (99)"] == ""


def test_who_takes_anothers_name_gives_marks_to_nobody_else(tmp_path: Path):
    """Found by id, Bo keeps his own; Cy's name on two submissions is for a person to decide."""
    of = graded(("bchen", Origin()), ("Bo Chen", Origin()), ("Cy Li", Origin()), ("cy  LI", Origin()))
    points = (9.0, 1.0, 2.0, 3.0)
    submissions = [row.model_copy(update={"points": n}) for row, n in zip(of.submissions, points, strict=True)]
    roster = recorded(tmp_path, of.model_copy(update={"submissions": tuple(submissions)}))
    done = export(tmp_path, "--format", "canvas", "--roster", roster)
    found = rows(tmp_path / "canvas.csv")
    assert found["Chen, Bo"]["Transfer (99)"] == "9" and "Li, Cy" not in found
    assert "Li, Cy: left out, because any of s2, s3 may be theirs" in done.stderr
    assert "s1 (Bo Chen): left out, because nobody on the roster handed it in" in done.stderr


def test_a_name_that_two_people_have_identifies_neither(tmp_path: Path):
    roster = recorded(tmp_path, graded(("Anna", Origin()), ("Bo", Origin())), "student,id\nAnna,1\nAnna,2\nBo,3\n")
    export(tmp_path, "--format", "canvas", "--roster", roster)
    assert [row["Transfer"] for row in csv.DictReader((tmp_path / "canvas.csv").open())][1:] == ["", "", "7.5"]


def test_a_roster_of_another_course_is_an_error(tmp_path: Path):
    roster = recorded(tmp_path, graded(("Mia", Origin())))
    with pytest.raises(UsageError, match="nobody on the roster handed anything in"):
        export(tmp_path, "--format", "canvas", "--roster", roster)
    for text, words in (("colour\nred\n", "no column of names or ids"), ("student,id\n", "nobody is on it")):
        roster.write_text(text)
        with pytest.raises(UsageError, match=words):
            export(tmp_path, "--format", "canvas", "--roster", roster)


def test_the_roster_in_the_output_folder_is_taken_by_itself(tmp_path: Path):
    recorded(tmp_path, graded(("Cy Li", Origin()))).rename(tmp_path / "roster.csv")
    assert "3 on the roster handed in nothing" in export(tmp_path, "--format", "canvas").stderr


def test_a_dry_run_shows_what_changes_in_the_downloaded_gradebook(tmp_path: Path):
    roster = recorded(tmp_path, graded(("Anna de Vries", Origin()), ("Bo Chen", Origin()), ("cli", Origin())))
    done = export(tmp_path, "--format", "canvas", "--roster", roster, "--dry-run")
    assert "Compared with the column 'Transfer (99)'" in done.output and "2 grades would change" in done.output
    lines = {line.split()[0]: line.split()[-3:] for line in done.output.splitlines() if line.strip()[:1] in "45"}
    assert lines["4"] == ["–", "7.5", "–"] and lines["5"] == ["3", "7.5", "4.5"]
    assert not (tmp_path / "canvas.csv").exists()
    with pytest.raises(UsageError, match="compares with a gradebook"):
        export(tmp_path, "--format", "canvas", "--dry-run")


def test_an_export_that_wrote_nobody_is_no_success(tmp_path: Path):
    recorded(tmp_path, graded(("Mia", Origin()), ("Tom", Origin("canvas", lms_id="7"))))
    done = export(tmp_path, "--format", "moodle")
    assert done.return_value == 1
    assert "s0: Moodle finds people by its own number only" in done.stderr and "0 rows written" in done.stderr
    assert "2 left out" in done.stderr


def test_moodles_worksheet_is_a_roster(tmp_path: Path):
    worksheet = "Identifier,Full name,Status,Grade\nParticipant 41,Mia B,Submitted,3\nParticipant 42,Tom C,,\n"
    roster = recorded(tmp_path, graded(("Somebody", Origin("moodle", lms_id="41"))), worksheet)
    export(tmp_path, "--format", "moodle", "--roster", roster)
    found = list(csv.DictReader((tmp_path / "moodle.csv").open()))
    assert [(row["Identifier"], row["Grade"]) for row in found] == [("Participant 41", "7.5"), ("Participant 42", "")]
