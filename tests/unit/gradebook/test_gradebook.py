"""The gradebook keeps runs and people's marks, whole, whatever happens to the program that writes it."""

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from example_results import give, results
from sqlalchemy import URL

from harness.errors import MachineError, UsageError
from harness.gradebook.database import Gradebook
from harness.gradebook.manual import Whose
from harness.gradebook.marks import enter
from harness.grading.rubric import ManualMark

MIA = Whose("s1", '["plain", "", "Mia"]', "content")


def test_the_latest_run_comes_back_as_it_was_recorded(where: Path | URL):
    book = Gradebook(where)
    assert book.latest() is None
    book.record(results("Zoë", "Mia"))
    book.record(results("Tom", "Zoë 漢字", "Anna"))
    assert Gradebook(where).latest() == results("Tom", "Zoë 漢字", "Anna")


def test_a_run_that_never_ended_has_nothing_to_mark(where: Path | URL):
    with pytest.raises(UsageError, match="nothing was graded there yet"):
        enter(Gradebook(where), "s1", "Questions", 3, "Good.", "jo")


def test_marks_outlive_the_hand_ins_of_a_run(where: Path | URL):
    book = Gradebook(where)
    give(book, MIA, "Questions", ManualMark(3, "Good.", "jo"))
    book.record(results("Mia"))
    assert book.manual_marks(MIA) == {"Questions": ManualMark(3, "Good.", "jo")}


def test_the_last_mark_counts_and_the_earlier_ones_stay_on_record(where: Path | URL):
    book = Gradebook(where)
    for points in (3, 5, 4):
        give(book, MIA, "Questions", ManualMark(points, "Why.", "jo"))
    assert book.manual_marks(MIA)["Questions"].points == 4
    kept = [mark for _, mark in book.all_marks(MIA)]
    assert [mark.points for mark in kept] == [3, 5, 4]
    assert all(mark.entered.endswith("+00:00") for mark in kept)


@pytest.mark.parametrize("folder", ["a b?c=1#d%20", "ümläut 漢字"])
def test_a_folder_of_any_name_will_do(tmp_path: Path, folder: str):
    (tmp_path / folder).mkdir()
    Gradebook(tmp_path / folder / "g.sqlite").record(results("Mia"))
    assert (tmp_path / folder / "g.sqlite").is_file()


def test_a_run_that_cannot_be_recorded_whole_leaves_the_one_before(where: Path | URL):
    book = Gradebook(where)
    book.record(results("Mia", "Tom"))
    good = results("Anna", "Ben")
    twice = good.model_copy(update={"submissions": (good.submissions[0], good.submissions[0])})
    with pytest.raises(MachineError):
        book.record(twice)
    assert book.latest() == results("Mia", "Tom")


def test_a_kill_in_the_middle_leaves_the_run_before(where: Path | URL):
    """Killed after the old rows are deleted and before the transaction ends."""
    Gradebook(where).record(results("Mia", "Tom"))
    reached = f"Path({str(where)!r})" if isinstance(where, Path) else f"make_url({where.render_as_string()!r})"
    program = f"""
import os, signal, sys
from pathlib import Path
from sqlalchemy import make_url
from sqlalchemy import event
from example_results import results
from harness.gradebook.database import Gradebook

book = Gradebook({reached})
event.listen(book._engine, "commit", lambda connection: os.kill(os.getpid(), signal.SIGKILL))
book.record(results("Anna"))
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    killed = subprocess.run([sys.executable, "-c", program], env=environment, timeout=60, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert Gradebook(where).latest() == results("Mia", "Tom")


def test_a_gradebook_of_another_version_is_left_alone(tmp_path: Path):
    Gradebook(tmp_path / "g.sqlite").record(results("Mia"))
    with sqlite3.connect(tmp_path / "g.sqlite") as other:
        other.execute("PRAGMA user_version = 99")
    before = (tmp_path / "g.sqlite").read_bytes()
    with pytest.raises(MachineError, match="another version of the harness"):
        Gradebook(tmp_path / "g.sqlite")
    assert (tmp_path / "g.sqlite").read_bytes() == before


def test_a_gradebook_that_somebody_else_holds_says_so(tmp_path: Path):
    book = Gradebook(tmp_path / "g.sqlite")
    holder = sqlite3.connect(tmp_path / "g.sqlite", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    with pytest.raises(MachineError, match="locked") as caught:
        give(book, MIA, "Questions", ManualMark(3, "Good.", "jo"))
    assert "no other harness uses it" in caught.value.do


def test_a_folder_that_is_not_there(tmp_path: Path):
    with pytest.raises(MachineError, match="cannot be used"):
        Gradebook(tmp_path / "gone" / "g.sqlite")
