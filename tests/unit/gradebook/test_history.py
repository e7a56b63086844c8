"""Nothing that people gave is lost or rewritten, whoever marks at once, on either database."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from example_results import give, results
from sqlalchemy import URL, text
from sqlalchemy.exc import DBAPIError

from harness.errors import UsageError
from harness.gradebook.database import Gradebook
from harness.gradebook.history import grades_of
from harness.gradebook.manual import Entry, ManualMark, Whose
from harness.gradebook.migrations import upgrade
from harness.gradebook.opening import existing_gradebook, gradebook_for
from harness.gradebook.tables import KEPT, Base

MIA = Whose("s0", '["plain", "", "Mia"]', "of Mia")
TOM = Whose("s1", '["plain", "", "Tom"]', "of Tom")


def test_the_migrations_make_the_tables_that_the_code_uses(where: Path | URL):
    scripts = Config()
    scripts.set_main_option("script_location", str(Path(upgrade.__file__).parent))
    assert ScriptDirectory.from_config(scripts).get_heads() == [upgrade.HEAD]
    with Gradebook(where)._engine.connect() as connection:
        types = connection.dialect.name == "postgresql"  # SQLite has FLOAT for each of them
        context = MigrationContext.configure(connection, opts={"compare_type": types})
        assert compare_metadata(context, Base.metadata) == []


def test_what_was_recorded_cannot_be_changed_or_deleted(where: Path | URL):
    book = Gradebook(where)
    book.record(results("Mia"))
    give(book, MIA, "Questions", ManualMark(3, "Good.", "jo"))
    book.retitle("Old", "", "jo")
    book.publish("2026", grades_of(results("Mia")), "folder", "jo")
    for table in KEPT:
        for change in (f"UPDATE {table} SET id = id + 1", f"DELETE FROM {table}"):
            with pytest.raises(DBAPIError, match="only ever added"), book._engine.begin() as connection:
                connection.execute(text(change))


def test_every_run_keeps_its_grades(where: Path | URL):
    book = Gradebook(where)
    book.record(results("Mia", "Tom"))
    book.record(results("Mia"))
    first, second = book.runs()
    assert [one.student for one in book.grades(first)] == ["Mia", "Tom"]
    assert book.grades(second) == grades_of(results("Mia"))


def test_who_marks_second_learns_of_the_first(where: Path | URL):
    book = Gradebook(where)
    seen = 0  # both opened the page before anybody marked
    assert book.set_marks([Entry(MIA, "Questions", ManualMark(3, "Good.", "jo"), seen)]) == []
    both = [
        Entry(TOM, "Questions", ManualMark(1, "Bad.", "al"), 0),
        Entry(MIA, "Questions", ManualMark(9, "", "al"), seen),
    ]
    [overtaken] = book.set_marks(both)
    assert overtaken.newer == ManualMark(3, "Good.", "jo") and overtaken.entry == both[1]
    assert book.manual_marks(TOM) == {}, "all or nothing"
    replaced = Entry(MIA, "Questions", ManualMark(9, "Better.", "al"), overtaken.newer.number)
    assert book.set_marks([replaced]) == []
    assert [mark.points for _, mark in book.all_marks(MIA)] == [3, 9]


def test_of_many_who_mark_at_once_one_wins_and_all_others_learn_of_it(where: Path | URL):
    Gradebook(where)
    begin, told = threading.Barrier(5), []

    def marks(points: int) -> None:
        book = Gradebook(where)
        begin.wait()
        told.append(book.set_marks([Entry(MIA, "Questions", ManualMark(points, "Why.", f"m{points}"), 0)]))

    threads = [threading.Thread(target=marks, args=(points,)) for points in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    [(_, kept)] = Gradebook(where).all_marks(MIA)
    assert sorted(len(overtaken) for overtaken in told) == [0, 1, 1, 1, 1]
    assert {overtaken[0].newer.marker for overtaken in told if overtaken} == {kept.marker}


def test_marks_follow_a_criterion_to_its_new_title(where: Path | URL):
    book = Gradebook(where)
    give(book, MIA, "Questions", ManualMark(3, "Good.", "jo"))
    book.retitle("Questions", "Open questions", "jo")
    assert book.marked_titles() == {"Open questions": 1}
    give(book, MIA, "Questions", ManualMark(5, "A new criterion of the old name.", "jo"))
    assert {title: mark.points for title, mark in book.manual_marks(MIA).items()} == {
        "Open questions": 3,
        "Questions": 5,
    }
    book.retitle("Open questions", "", "jo")
    assert book.marked_titles() == {"Questions": 1}
    assert [mark.points for _, mark in book.all_marks(MIA)] == [3, 5], "the story keeps all"


def test_books_of_one_database_know_nothing_of_each_other(where: Path | URL):
    first, second = Gradebook(where, "Assignment 1"), Gradebook(where, "Assignment 2")
    first.record(results("Mia"))
    give(first, MIA, "Questions", ManualMark(3, "Good.", "jo"))
    second.record(results("Mia", "Tom"))
    assert second.manual_marks(MIA) == {} and not second.has_marks_of_another(Whose("s0", "x", "y"))
    assert first.latest() == results("Mia") and len(second.runs()) == 1


def test_a_file_of_version_2_is_migrated_with_all_that_it_holds(tmp_path: Path):
    row = results("Mia").submissions[0]
    with sqlite3.connect(tmp_path / "g.sqlite") as old:
        old.executescript((Path(__file__).parent / "version_2.sql").read_text())
        about = results().model_dump_json(by_alias=True)
        old.execute("INSERT INTO runs VALUES (7, '2026', 'x', '0', 'none', ?)", (about,))
        old.execute(
            "INSERT INTO submissions VALUES ('s0', 7, 0, 'Mia', 'graded', 10, 30, ?)",
            (row.model_dump_json(by_alias=True),),
        )
        for number, points in ((1, 3), (2, 5)):
            old.execute(
                "INSERT INTO manual_marks VALUES (?, 's0', 'Questions', ?, 'Why.', 'jo', '2026', ?, 'of Mia')",
                (number, points, MIA.identity),
            )
    book = Gradebook(tmp_path / "g.sqlite")
    assert book.latest() == results("Mia")
    assert book.grades(book.runs()[0]) == grades_of(results("Mia"))
    assert [mark.points for _, mark in book.all_marks(MIA)] == [3, 5]
    assert book.set_marks([Entry(MIA, "Questions", ManualMark(9, "Late.", "al"), 1)])[0].newer.points == 5


def test_a_folder_knows_on_which_server_its_gradebook_is(postgresql, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    url = postgresql.new().set(drivername="postgresql")
    url = url.update_query_dict({"application_name": "secret"})  # of what stands there, `password` is one
    monkeypatch.setenv("HARNESS_GRADEBOOK", url.render_as_string(hide_password=False))
    gradebook_for(tmp_path, "Transfer").record(results("Mia"))
    assert existing_gradebook(tmp_path).latest() == results("Mia")
    assert not (tmp_path / "gradebook.sqlite").exists()
    monkeypatch.delenv("HARNESS_GRADEBOOK")
    for use in (lambda: gradebook_for(tmp_path, "Transfer"), lambda: existing_gradebook(tmp_path)):
        with pytest.raises(UsageError, match="is on a server") as caught:
            use()
        assert "HARNESS_GRADEBOOK" in caught.value.do and "secret" not in str(caught.value)
    assert "secret" not in (tmp_path / "gradebook.elsewhere").read_text()


def test_marks_in_a_file_are_not_left_behind_for_a_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    gradebook_for(tmp_path, "Transfer")
    monkeypatch.setenv("HARNESS_GRADEBOOK", "postgresql://jo:secret@nowhere.invalid/grades")
    with pytest.raises(UsageError, match="marks are in this file"):
        gradebook_for(tmp_path, "Transfer")


@pytest.mark.parametrize("address", ["grades", "mysql://jo:secret@host/grades", "postgresql://jo:secret@host"])
def test_an_address_that_cannot_be_used_is_refused_without_its_password(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("HARNESS_GRADEBOOK", address)
    with pytest.raises(UsageError, match="no address of PostgreSQL") as caught:
        gradebook_for(tmp_path, "Transfer")
    assert "secret" not in str(caught.value)
