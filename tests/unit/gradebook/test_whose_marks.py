"""A person's mark counts for the submission and the content that it was given for, and for no other."""

from __future__ import annotations

import shutil
import sqlite3
import unicodedata
from dataclasses import replace
from pathlib import Path

import pytest
from example_results import results
from sqlalchemy import URL

from harness.errors import UsageError
from harness.gradebook.database import Gradebook
from harness.gradebook.manual import Whose
from harness.gradebook.marks import Given, enter, given, of_known_titles, with_one_identity
from harness.inputs.submission import Origin, Submission

ZOE = unicodedata.normalize("NFC", "Zoë")
VERSION_1 = """
CREATE TABLE runs (id INTEGER NOT NULL, finished VARCHAR NOT NULL, assignment VARCHAR NOT NULL,
    harness VARCHAR NOT NULL,
    sandbox VARCHAR NOT NULL, about VARCHAR NOT NULL, PRIMARY KEY (id));
CREATE TABLE submissions (id VARCHAR NOT NULL, run INTEGER NOT NULL, place INTEGER NOT NULL, student VARCHAR NOT NULL,
    status VARCHAR NOT NULL, points FLOAT NOT NULL, max_points FLOAT NOT NULL, result VARCHAR NOT NULL,
    PRIMARY KEY (id), FOREIGN KEY(run) REFERENCES runs (id));
CREATE TABLE manual_marks (id INTEGER NOT NULL, submission VARCHAR NOT NULL, criterion VARCHAR NOT NULL,
    points FLOAT NOT NULL,
    reason VARCHAR NOT NULL, marker VARCHAR NOT NULL, entered VARCHAR NOT NULL, PRIMARY KEY (id));
CREATE INDEX ix_manual_marks_submission ON manual_marks (submission);
INSERT INTO manual_marks VALUES (1, 's0', 'Questions', 17.0, 'Clear.', 'jo', '2026-01-01T00:00:00+00:00');
PRAGMA user_version = 1;
"""


def submission(student: str, *, id: str = "s0", content: str | None = None, origin: Origin = Origin()) -> Submission:  # noqa: B008
    return Submission(id, student, Path(), None, (), (), None, content or f"of {student}", (), origin)


@pytest.fixture
def book(where: Path | URL) -> Gradebook:
    """Mia's questions were given 17."""
    book = Gradebook(where)
    book.record(results("Mia"))
    enter(book, "s0", "Questions", 17, "Clear.", "jo")
    return book


def all_given(book: Gradebook, submissions: list[Submission]) -> list[Given]:
    return [given(book, one, with_one_identity(submissions)) for one in submissions]


def given_for(book: Gradebook, *submissions: Submission) -> list[str]:
    """For each submission, for what the mark of its questions was given; "" without one."""
    marks = [one.marks.get("Questions") for one in all_given(book, list(submissions))]
    return ["" if mark is None else mark.given_for for mark in marks]


def test_the_same_submission_keeps_its_mark_whatever_its_id_is_now(book: Gradebook):
    assert given_for(book, submission("Mia")) == ["this"]
    assert given_for(book, submission("Mia", id="s0-2")) == ["this"]


@pytest.mark.parametrize("student", [" Mia", "Mia ", "mia", "MIA", "Mia\u200b", "Mía", "M\u0131a"])
def test_another_name_with_the_same_id_gets_no_mark_and_says_so(book: Gradebook, student: str):
    """Folder ' Mia', alone in the next run, has the id that Mia had."""
    [other] = all_given(book, [submission(student, content="of Mia")])
    assert other.marks == {}
    assert [finding.code for finding in other.findings] == ["marks-of-another"]


def test_one_name_in_two_forms_of_unicode_is_two(tmp_path: Path):
    book = Gradebook(tmp_path / "g.sqlite")
    book.record(results(ZOE))
    enter(book, "s0", "Questions", 17, "Clear.", "jo")
    assert given_for(book, submission(ZOE)) == ["this"]
    assert given_for(book, submission(unicodedata.normalize("NFD", ZOE), content=f"of {ZOE}")) == [""]


@pytest.mark.parametrize("origin", [Origin(source="moodle"), Origin(lms_id="4711"), Origin("canvas", "", "99")])
def test_another_source_or_lms_id_is_another(book: Gradebook, origin: Origin):
    assert given_for(book, submission("Mia", origin=origin)) == [""]


def test_new_content_reopens_the_mark(book: Gradebook):
    assert given_for(book, submission("Mia", content="other")) == ["other content"]


def test_old_content_handed_in_again_does_not_bring_an_overruled_mark_back(book: Gradebook):
    later = results("Mia").submissions[0].model_copy(update={"content": "newer"})
    book.record(results("Mia").model_copy(update={"submissions": (later,)}))
    enter(book, "s0", "Questions", 0, "Not her own words.", "jo")
    assert given_for(book, submission("Mia", content="newer")) == ["this"]
    assert given_for(book, submission("Mia")) == ["other content"]


def test_a_restored_gradebook_knows_what_its_marks_were_for(tmp_path: Path):
    book = Gradebook(tmp_path / "g.sqlite")
    book.record(results("Mia"))
    enter(book, "s0", "Questions", 17, "Clear.", "jo")
    shutil.copy(tmp_path / "g.sqlite", tmp_path / "backup.sqlite")
    restored = Gradebook(tmp_path / "backup.sqlite")
    assert given_for(restored, submission("Mia")) == ["this"]
    assert given_for(restored, submission("Mia", content="handed in since")) == ["other content"]


def test_two_of_one_identity_both_wait_and_cannot_be_marked(book: Gradebook):
    twins = [submission("Mia"), submission("Mia", id="s0-2", content="the twin's")]
    assert given_for(book, *twins) == ["one of several"] * 2
    mia = results("Mia").submissions[0]
    twin = mia.model_copy(update={"id": "s0-2"})
    book.record(results("Mia").model_copy(update={"submissions": (mia, twin)}))
    with pytest.raises(UsageError, match="s0, s0-2 were handed in under one and the same name"):
        enter(book, "s0", "Questions", 17, "Clear.", "jo")


def test_a_name_that_several_have_asks_for_the_id(book: Gradebook):
    book.record(results("Mia", " mia"))
    with pytest.raises(UsageError, match="'Mia' may be any of several") as caught:
        enter(book, "Mia", "Questions", 17, "Clear.", "jo")
    assert caught.value.do == "give the id: s0, s1"


def test_a_mark_of_version_1_waits_once_and_is_shown(tmp_path: Path):
    """Version 1 knew the id only."""
    with sqlite3.connect(tmp_path / "g.sqlite") as old:
        old.executescript(VERSION_1)
    book = Gradebook(tmp_path / "g.sqlite")
    assert given_for(book, submission("Mia")) == ["unknown"]
    assert all_given(book, [submission("Mia")])[0].marks["Questions"].points == 17
    book.record(results("Mia"))
    enter(book, "s0", "Questions", 17, "Confirmed.", "jo")
    assert given_for(Gradebook(tmp_path / "g.sqlite"), submission("Mia")) == ["this"]


def test_a_migration_that_was_cut_short_goes_on(tmp_path: Path):
    with sqlite3.connect(tmp_path / "g.sqlite") as old:
        old.executescript(VERSION_1)
        old.execute("ALTER TABLE manual_marks ADD COLUMN identity VARCHAR")
    assert given_for(Gradebook(tmp_path / "g.sqlite"), submission("Mia")) == ["unknown"]


def test_a_run_of_an_older_harness_is_graded_again_before_it_is_marked(tmp_path: Path):
    book = Gradebook(tmp_path / "g.sqlite")
    row = results("Mia").submissions[0].model_copy(update={"identity": "", "content": ""})
    book.record(results("Mia").model_copy(update={"submissions": (row,)}))
    with pytest.raises(UsageError, match="older harness"):
        enter(book, "s0", "Questions", 17, "Clear.", "jo")


def test_an_identity_is_text_whatever_bytes_the_name_has():
    one = replace(submission("x"), student="caf\udce9")
    one.identity.encode("ascii")
    assert one.identity != replace(one, student="caf\ufffd").identity
    assert Whose("s0", one.identity, "c") == Whose("s0", one.identity, "c")


def test_marks_for_a_title_that_is_gone_end_the_run_by_name(book: Gradebook):
    of_known_titles(book, ["Predicts", "Questions"])
    with pytest.raises(UsageError, match=r"'Questions' \(of 1\)") as caught:
        of_known_titles(book, ["Predicts", "Open questions"])
    assert "--retitle" in caught.value.do and "Open questions" in caught.value.do
    book.retitle("Questions", "Open questions", "jo")
    of_known_titles(book, ["Predicts", "Open questions"])
