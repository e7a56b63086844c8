"""Marks in bulk: what was written out comes back with points, all of it or nothing."""

from __future__ import annotations

from pathlib import Path

import pandas
import pytest
from click.testing import CliRunner, Result
from example_results import results

from harness.cli.main import cli
from harness.errors import UsageError
from harness.gradebook.database import NAME, Gradebook
from harness.gradebook.manual import Whose


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """The output folder of a class of three."""
    Gradebook(tmp_path / NAME).record(results("Mia", "=Tom", "Zoë"))
    return tmp_path


def harness(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [*map(str, arguments)], standalone_mode=False, catch_exceptions=False)


def table(out: Path) -> pandas.DataFrame:
    harness("answers", out, "--csv", out / "answers.csv")
    return pandas.read_csv(out / "answers.csv", dtype=str, keep_default_na=False)


def returned(frame: pandas.DataFrame, out: Path) -> Path:
    frame.to_csv(out / "back.csv", index=False, sep=";", encoding="utf-8-sig")
    return out / "back.csv"


def marks(out: Path) -> list[tuple[float, str, str]]:
    """(points, reason, marker) of everybody's questions."""
    book = Gradebook(out / NAME)
    every = [book.manual_marks(Whose(one.id, one.identity, one.content)) for one in book.submissions()]
    return [(m["Questions"].points, m["Questions"].reason, m["Questions"].marker) for m in every if m]


def test_what_comes_back_with_points_is_entered(out: Path):
    frame = table(out)
    assert list(frame["criterion"]) == ["Questions"] * 3 and list(frame["student"]) == ["Mia", "'=Tom", "Zoë"]
    frame.loc[0, ["points", "comment"]] = ["17,5", "=Clear"]
    frame.loc[2, ["points", "comment"]] = ["3", "Short."]
    file = returned(frame, out)
    shown = harness("mark", out, "--from", file, "--dry-run", "--marker", "jo")
    assert "2 marks would be entered" in shown.output and "17.5" in shown.output and marks(out) == []
    assert "2 marks entered" in harness("mark", out, "--from", file, "--marker", "jo").output
    assert marks(out) == [(17.5, "=Clear", "jo"), (3, "Short.", "jo")]
    assert "Nothing in the file is new" in harness("mark", out, "--from", file, "--marker", "jo").output
    assert "Nothing in the file is new" in harness("mark", out, "--from", returned(table(out), out)).output


def test_one_wrong_row_and_nothing_is_entered_and_all_wrong_ones_are_named(out: Path):
    frame = table(out)
    frame[["points", "comment"]] = [["17", "Fine."], ["21", "Too many."], ["x", "No number."]]
    frame = pandas.concat([frame, frame.iloc[[0]], frame.iloc[[0]].assign(criterion="Question")], ignore_index=True)
    with pytest.raises(UsageError, match="nothing was entered") as caught:
        harness("mark", out, "--from", returned(frame, out))
    for words in ("give 0 to 20", "'x' is no number", "is there twice", "no criterion 'Question'; did you mean"):
        assert words in caught.value.message
    assert marks(out) == []


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("submission", "s9", "no such submission"),
        ("content", "c0", "something else was handed in"),
        ("mark", "7", "column mark was changed"),
        ("mark", "x", "column mark was changed"),
        ("points", "", "comment without points"),
        ("comment", "", "needs a reason"),
    ],
)
def test_a_row_that_is_not_what_was_written_is_refused(out: Path, column: str, value: str, words: str):
    frame = table(out)
    frame.loc[0, ["points", "comment"]] = ["17", "Fine."]
    frame.loc[0, column] = value
    with pytest.raises(UsageError, match=words):
        harness("mark", out, "--from", returned(frame, out))
    assert marks(out) == []


def test_a_file_from_before_somebody_elses_mark_does_not_overrule_it(out: Path):
    frame = table(out)
    harness("mark", out, "s0", "Questions", "5", "--reason", "Weak.", "--marker", "al")
    frame[["points", "comment"]] = ["17", "Fine."]
    with pytest.raises(UsageError, match="al gave 5 for 'Questions'"):
        harness("mark", out, "--from", returned(frame, out), "--marker", "jo")
    assert marks(out) == [(5, "Weak.", "al")]
    with pytest.raises(UsageError, match="al gave 5") as caught:
        harness("mark", out, "s0", "Questions", "17", "--reason", "Fine.", "--marker", "jo")
    assert "--replace" in caught.value.do
    harness("mark", out, "s0", "Questions", "17", "--reason", "Fine.", "--marker", "jo", "--replace")
    assert marks(out) == [(17, "Fine.", "jo")]


def test_history_tells_who_did_what_in_order(out: Path):
    harness("mark", out, "s0", "Questions", "5", "--reason", "Weak.", "--marker", "al")
    again = results("Mia", "=Tom", "Zoë")
    mia = again.submissions[0].model_copy(update={"points": 15.0})
    Gradebook(out / NAME).record(again.model_copy(update={"submissions": (mia, *again.submissions[1:])}))
    told = harness("history", out, "mia").output
    for words in ("run 1: 10 of 30 points", "al gave 5 for 'Questions'", "Weak.", "run 2: 15 of 30 points"):
        assert words in told


def test_diff_says_whose_grade_differs_and_why(out: Path):
    again = results("Mia", "Anna")
    mark = again.submissions[0].marks[0].model_copy(update={"points": 4.0, "reason": "Slow."})
    mia = again.submissions[0].model_copy(update={"points": 4.0, "marks": (mark, again.submissions[0].marks[1])})
    Gradebook(out / NAME).record(again.model_copy(update={"submissions": (mia, again.submissions[1])}))
    done = harness("diff", f"{out}@1", out, "--csv", out / "diff.csv")
    rows = pandas.read_csv(out / "diff.csv", keep_default_na=False, dtype=str).set_index("student")
    assert done.return_value == 1 and set(rows.index) == {"Mia", "'=Tom", "Zoë", "Anna"}
    assert rows.loc["Mia", "change"] == "-6.0" and rows.loc["Mia", "why"] == "Predicts: 10 -> 4 (Slow.)"
    assert rows.loc["Anna", "why"] == "new" and rows.loc["Zoë", "why"] == "no longer there"
    assert harness("diff", out, out).return_value == 0
    with pytest.raises(UsageError, match="there is no run '3'"):
        harness("diff", f"{out}@3", out)


@pytest.mark.parametrize("number", ["9" * 5000, "٣", "-1", "1.0", ""])
def test_a_number_of_a_mark_that_is_none_is_said(out: Path, number: str):
    frame = table(out)
    frame.loc[0, ["points", "comment", "mark"]] = ["17", "Fine.", number]
    with pytest.raises(UsageError, match="the column mark was changed"):
        harness("mark", out, "--from", returned(frame, out))


@pytest.mark.parametrize("title", ["Open; -1 for each", "=Questions", "'=Questions"])
def test_a_title_that_looks_like_a_formula_comes_back(tmp_path: Path, title: str):
    of = results("Mia")
    (mia,) = of.submissions
    marks = (mia.marks[0], mia.marks[1].model_copy(update={"title": title}))
    Gradebook(tmp_path / NAME).record(of.model_copy(update={"submissions": (mia.model_copy(update={"marks": marks}),)}))
    frame = table(tmp_path)
    frame[["points", "comment"]] = ["-0", "Empty."]
    harness("mark", tmp_path, "--from", returned(frame, tmp_path))
    (mark,) = Gradebook(tmp_path / NAME).manual_marks(Whose(mia.id, mia.identity, mia.content)).items()
    assert mark[0] == title and str(mark[1].points) == "0.0"


@pytest.mark.parametrize("where", ["made/of/folders.csv", "gradebook.sqlite/x.csv", "a-folder"])
def test_a_table_is_written_where_it_can_be_and_else_it_is_said(out: Path, where: str):
    (out / "a-folder").mkdir()
    file = out / where
    if where.startswith("made"):
        harness("answers", out, "--csv", file)
        assert file.is_file()
    else:
        with pytest.raises(UsageError, match="cannot be written"):
            harness("answers", out, "--csv", file)
