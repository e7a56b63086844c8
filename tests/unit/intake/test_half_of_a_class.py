"""Where a majority decides, exactly half of the entries; and where somebody has two names, times or groups."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest
from downloads import NOTEBOOK, unpacked
from test_commit_time import git

from harness.apart.submissions.commit_time import last_commit
from harness.inputs.submission import Submission
from harness.inputs.submissions import collect
from harness.inputs.submissions.class_lists import ClassLists, Named, Who


def taken(tree: dict[str, bytes], tmp_path: Path) -> dict[str, Submission]:
    unpacked(tree, tmp_path / "given")
    (tmp_path / "work").mkdir()
    return {one.student: one for one in collect(tmp_path / "given", tmp_path / "work")}


ANONYMOUS = ("anon_12345_678901_a.ipynb", "anon_23456_678902_a.ipynb")  # as names they would be two of one student
NAMED = ("jansenpiet_12346_678903_a.ipynb", "visserlotte_12347_678904_a.ipynb")


@pytest.mark.parametrize(("names", "are_anonymous"), [((*ANONYMOUS, NAMED[0]), True), ((*ANONYMOUS, *NAMED), False)])
def test_canvas_is_anonymous_where_more_than_half_of_the_names_are(tmp_path: Path, names, are_anonymous: bool):
    found = taken(dict.fromkeys(names, NOTEBOOK), tmp_path)
    assert ("anonymous 12345" in found) == are_anonymous
    assert ("jansenpiet" in found) != are_anonymous


GRADESCOPE = b"""
submission_1:
  :submitters:
  - :name: Anna de Vries
    :sid: '1'
    :email: anna@x.nl
  :created_at: 2025-11-03 10:00:00 Z
  :history:
  - :created_at: 2025-11-03 10:00:00 Z
  - :created_at: 2025-11-02 09:00:00 Z
  - :created_at: 2025-11-01 08:00:00 Z
"""


@pytest.mark.parametrize(("others", "is_gradescope"), [((), True), (("notes",), False)])
def test_gradescope_is_one_where_more_than_half_of_the_folders_are_its(tmp_path: Path, others, is_gradescope: bool):
    tree = {"submission_1/a.ipynb": NOTEBOOK, "submission_metadata.yml": GRADESCOPE}
    found = taken(tree | {f"{name}/a.ipynb": NOTEBOOK for name in others}, tmp_path)
    assert ("Anna de Vries" in found) == is_gradescope


def test_gradescopes_current_try_is_no_earlier_one(tmp_path: Path):
    """It stands in the history, too, at the same time."""
    one = taken({"submission_1/a.ipynb": NOTEBOOK, "submission_metadata.yml": GRADESCOPE}, tmp_path)["Anna de Vries"]
    assert [earlier.handed_in.day for earlier in one.origin.earlier if earlier.handed_in] == [2, 1]
    assert one.origin.handed_in == datetime.datetime(2025, 11, 3, 10, tzinfo=datetime.UTC)
    assert one.origin.lms_id == "1"


@pytest.mark.parametrize(
    ("receipt", "student"),
    [("Name: Anna de Vries (anna1)", "Anna de Vries"), ("Name: Bert Smit (bert2)", "anna1")],
)
def test_blackboard_believes_a_receipt_of_the_user_whose_name_it_has(tmp_path: Path, receipt: str, student: str):
    """A group's receipt names the one who handed in: the group stays the group."""
    attempt = "Lab 1_anna1_attempt_2025-11-03-12-34-56"
    others = {"Lab 1_carl3_attempt_2025-11-03-12-00-00_a.ipynb": NOTEBOOK}
    tree = {f"{attempt}_a.ipynb": NOTEBOOK, f"{attempt}.txt": receipt.encode()}
    assert student in taken(tree | others, tmp_path)


@pytest.mark.parametrize("offset", ["+01:00", "-05:30", "+05:45", "-00:30", "+00:00"])
def test_a_commits_time_has_its_zone(tmp_path: Path, offset: str):
    """Two moments with different zones are equal, so the zone is looked at by itself."""
    git(tmp_path, "init", "-q", "-b", "main")
    (tmp_path / "a").write_text("a")
    git(tmp_path, "add", ".")
    when = f"2025-11-03T12:34:56{offset}"
    git(tmp_path, "commit", "-q", "-m", "x", when=when)
    found = last_commit(tmp_path / ".git")
    assert found is not None and found.isoformat() == datetime.datetime.fromisoformat(when).isoformat()


# --- lists --------------------------------------------------------------------------------------


def test_a_name_that_two_groups_have_is_in_neither(tmp_path: Path):
    lists = b"group,student\nred,Anna\nred,Bert\nblue,Anna\nblue,Carl\n"
    tree = {f"{name}/notebook.ipynb": NOTEBOOK for name in ("Anna", "Bert", "Carl")}
    found = taken({**tree, "groups.csv": lists}, tmp_path)
    assert {name: one.origin.members for name, one in found.items()} == {
        "Anna": (), "Bert": ("Anna", "Bert"), "Carl": ("Anna", "Carl"),
    }  # fmt: skip


def test_a_person_who_is_in_one_group_twice_is_in_it():
    lists = ClassLists(members={"red": ("Anna",)}, _group_of={"anna": "red"})
    assert lists.group(Who("", ("Anna",))) == "red"


@pytest.mark.parametrize(("known", "has_ids"), [(2, True), (1, False)])
def test_a_list_has_the_lmss_ids_where_it_has_half_of_them(known: int, has_ids: bool):
    ids = {f"person {number}": {str(number)} for number in range(known)}
    lists = ClassLists(_ids_of=ids).among([Named(Who(str(number), ())) for number in range(4)])
    assert lists._has_the_ids == has_ids
