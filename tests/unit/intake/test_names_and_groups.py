"""Who a submission is of: the notebook's cell with names, groups.csv and times.csv."""

from __future__ import annotations

import datetime
import json
from pathlib import Path

import pytest
from downloads import NOTEBOOK, unpacked

from harness.apart.submissions.name_cell import names_in
from harness.errors import UsageError
from harness.inputs.submission import Submission
from harness.inputs.submissions import collect
from harness.inputs.submissions.class_lists import forms


def notebook(*cells: str, kind: str = "markdown") -> bytes:
    made = [{"cell_type": kind, "metadata": {}, "source": cell.splitlines(keepends=True)} for cell in cells]
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": made}).encode()


def taken(tree: dict[str, bytes], tmp_path: Path) -> dict[str, Submission]:
    unpacked(tree, tmp_path / "given")
    (tmp_path / "work").mkdir()
    return {one.id: one for one in collect(tmp_path / "given", tmp_path / "work")}


@pytest.mark.parametrize(
    ("cell", "names"),
    [
        ("# Assignment\n**Name:** Chen Wei  **Student number:** 1187702", ("Chen Wei",)),
        ("Names: Anna de Vries & José Peña", ("Anna de Vries", "José Peña")),
        ("Naam studenten:\n- Łukasz Żółć (s1234567)\n- 漢字\n\nText Below", ("Łukasz Żółć", "漢字")),
        ("## 1. Names\n\n1. Sem Bakker\n2. Lotte Visser", ("Sem Bakker", "Lotte Visser")),
        ("| Student 1 | Anna Li |\n| Student 2 | Bo Li |", ("Anna Li", "Bo Li")),
        ("# Assignment TL – Fatima El Amrani (s1093388)\nHi!", ("Fatima El Amrani",)),
        ("# Assignment 4: transfer learning\nAnna de Vries, 1102345, Minor Embedded Vision", ("Anna de Vries",)),
        ("# Kees van Dijk & Bram Smit\n## TL assignment, sem 2", ("Kees van Dijk", "Bram Smit")),
        ("# Transfer Learning\nDeep Learning, Week Six", ()),
        ("Name: ...\nStudent number: ...", ()),
        ("Name: <your name>", ()),
        ("# Names\n\nWe made the images in the order mug, goblet.", ()),
    ],
)
def test_names_are_found_where_students_write_them(tmp_path: Path, cell: str, names: tuple[str, ...]):
    file = tmp_path / "notebook.ipynb"
    file.write_bytes(notebook(cell))
    assert names_in(file) == names


def test_names_in_code(tmp_path: Path):
    file = tmp_path / "notebook.ipynb"
    file.write_bytes(notebook('name = "Anna Li"\nstudent_2 = "Bo Li"\nx = model.Name', kind="code"))
    assert names_in(file) == ("Anna Li", "Bo Li")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe\x00",
        b'{"cells": [' + b"[" * 100_000,
        b'{"cells": [{"source": ' + b'"' + b"x" * 10**6,
        b'{"cells": {"a": 1}}',
        b'{"cells": [1, null, {"source": 5}, {"source": ["Name: ", 7]}]}',
        b'{"cells": [NaN, Infinity]}',
    ],
)
def test_what_is_no_notebook_has_no_names(tmp_path: Path, content: bytes):
    (tmp_path / "n.ipynb").write_bytes(content)
    assert names_in(tmp_path / "n.ipynb") == ()


def test_names_at_the_top_of_a_huge_notebook(tmp_path: Path):
    (tmp_path / "n.ipynb").write_bytes(notebook("Name: Anna Li", "x" * 5_000_000))
    assert names_in(tmp_path / "n.ipynb") == ("Anna Li",)


def test_members_come_from_the_notebook(tmp_path: Path):
    found = taken({"group-7/notebook.ipynb": notebook("Names: Anna Li, Bo Chen")}, tmp_path)
    assert found["group-7"].origin.members == ("Anna Li", "Bo Chen")


def test_groups_csv_stands_before_the_notebook(tmp_path: Path):
    tree = {
        "groups.csv": "\ufeffGroup;Student\r\n7;Anna Li\r\n7;Bö Chen\r\n8;Xu\r\n".encode(),
        "bo chen/notebook.ipynb": notebook("Names: Somebody Else"),
        "8/notebook.ipynb": NOTEBOOK,
        "nobody/notebook.ipynb": NOTEBOOK,
    }
    found = taken(tree, tmp_path)
    assert found["bo-chen"].origin.members == ("Anna Li", "Bö Chen")
    assert found["8"].origin.members == ("Xu",)
    assert found["nobody"].origin.members == ()


def test_a_canvas_group_export_is_a_groups_csv(tmp_path: Path):
    groups = (
        "name,canvas_user_id,user_id,login_id,sections,group_name,canvas_group_id\n"
        '"de Vries, Anna",12345,s1,avries,A,Group 7,1\n"Jansen, Piet",12346,s2,pjansen,A,Group 7,1\n'
    )
    tree = {
        "groups.csv": groups.encode(),
        "devriesanna_12345_101_notebook.ipynb": NOTEBOOK,
        "wuxu_500_102_notebook.ipynb": NOTEBOOK,
    }
    found = taken(tree, tmp_path)
    assert found["devriesanna-12345"].origin.members == ("de Vries, Anna", "Jansen, Piet")


BRIGHTSPACE = {
    "1-9 - Anna Li - Nov 3, 2025 1234 PM/notebook.ipynb": b"old",
    "2-9 - Bo Chen - Nov 4, 2025 1234 PM/notebook.ipynb": b"new",
}


def test_of_a_groups_two_hand_ins_the_newest_counts(tmp_path: Path):
    found = taken({**BRIGHTSPACE, "groups.csv": b"group,student\n7,Anna Li\n7,Bo Chen\n"}, tmp_path)
    [one] = found.values()
    assert one.student == "Bo Chen"
    assert (one.root / "notebook.ipynb").read_bytes() == b"new"
    assert [earlier.label for earlier in one.origin.earlier] == ["Nov 3, 2025 1234 PM (Anna Li)"]


def test_without_times_a_groups_two_hand_ins_are_both_graded(tmp_path: Path):
    tree = {f"{name}/notebook.ipynb": NOTEBOOK for name in ("Anna Li", "Bo Chen")}
    found = taken({**tree, "groups.csv": b"group,student\n7,Anna Li\n7,Bo Chen\n"}, tmp_path)
    assert set(found) == {"Anna-Li", "Bo-Chen"}
    assert all([f.code for f in one.findings] == ["group-handed-in-twice"] for one in found.values())


def test_a_group_without_members_is_said(tmp_path: Path):
    found = taken({"7/notebook.ipynb": NOTEBOOK, "groups.csv": b"group,student\n7,\n"}, tmp_path)
    assert [f.code for f in found["7"].findings] == ["group-without-members"]


def test_times_csv_stands_before_the_lmss_time(tmp_path: Path):
    times = b"student,handed_in\nanna li,2025-11-05T10:00:00+01:00\n"
    found = taken({**BRIGHTSPACE, "times.csv": times}, tmp_path)
    anna = found["Anna-Li-1"].origin
    assert anna.handed_in == datetime.datetime.fromisoformat("2025-11-05T10:00:00+01:00")
    assert (anna.clock, found["Bo-Chen-2"].origin.clock) == ("times.csv", "Brightspace")


@pytest.mark.parametrize(
    ("file", "content", "says"),
    [
        ("groups.csv", b"a,b\n1,2\n", "a, b"),
        ("groups.csv", b"", "none"),
        ("times.csv", b"student,handed_in\nAnna,soon\n", r"times\.csv:2: 'soon'"),
    ],
)
def test_a_wrong_list_says_what_is_wrong(tmp_path: Path, file: str, content: bytes, says: str):
    with pytest.raises(UsageError, match=says):
        taken({**BRIGHTSPACE, file: content}, tmp_path)


def test_a_name_is_known_in_any_order_and_case():
    assert set(forms("de Vries, Anna")) & set(forms("ANNA DE VRIES")) & set(forms("devriesanna"))
    assert not set(forms("Anna Li")) & set(forms("Anna Lis"))


def handed_in_on_moodle(*people: str) -> dict[str, bytes]:
    return {f"{who}_assignsubmission_file_/notebook.ipynb": NOTEBOOK for who in people}


LISTED = {
    "times.csv": b"id,name,handed_in\n98,Anna Vries,2025-11-03T10:00\n99,Mal Lory,2025-11-09T10:00\n",
    "groups.csv": b"group,id,name\n7,98,Anna Vries\n7,97,Bo Chen\n",
}


def test_a_name_of_ones_choice_brings_nobody_elses_time_or_group(tmp_path: Path):
    """Participant 99 calls himself Anna Vries, who is listed as 98."""
    found = taken({**handed_in_on_moodle("Anna Vries_98", "Anna Vries_99", "Bo Chen_97"), **LISTED}, tmp_path)
    of = {one.origin.lms_id: one.origin for one in found.values()}
    assert of["99"].handed_in is not None and of["99"].handed_in.day == 9
    assert of["99"].members == ()
    assert "98" not in of or of["98"].handed_in.day == 3  # or the newer of her group's two
    assert {one.origin.members for one in found.values() if one.origin.lms_id != "99"} == {("Anna Vries", "Bo Chen")}


def test_so_it_is_when_the_other_has_not_handed_in(tmp_path: Path):
    found = taken({**handed_in_on_moodle("Anna Vries_99", "Bo Chen_97"), **LISTED}, tmp_path)
    assert {one.origin.members for one in found.values() if one.origin.lms_id == "99"} == {()}


def test_a_name_that_two_have_is_found_in_no_list_without_their_ids(tmp_path: Path):
    lists = {"times.csv": b"name,handed_in\nAnna Vries,2025-11-03T10:00\n", "groups.csv": b"group,name\n7,Anna Vries\n"}
    found = taken({**handed_in_on_moodle("Anna Vries_98", "Anna Vries_99"), **lists}, tmp_path)
    assert len(found) == 2
    for one in found.values():
        assert one.origin.clock != "times.csv" and one.origin.members == ()
        assert "listed-name-shared" in [noticed.code for noticed in one.findings]


def test_ids_that_are_not_the_lmss_hinder_nobody(tmp_path: Path):
    """Student numbers, where Moodle has its own."""
    lists = {"times.csv": b"number,name,handed_in\ns1,Anna Vries,2025-11-03T10:00\ns2,Bo Chen,2025-11-04T10:00\n"}
    found = taken({**handed_in_on_moodle("Anna Vries_98", "Bo Chen_97"), **lists}, tmp_path)
    assert {one.origin.handed_in.day for one in found.values() if one.origin.handed_in} == {3, 4}


def test_a_groups_csv_beside_the_folder_counts_but_never_one_that_a_student_handed_in(tmp_path: Path):
    theirs = b"group,student\n9,Anna Li\n9,Bo Chen\n"
    tree = {"Anna Li/notebook.ipynb": NOTEBOOK, "Bo Chen/notebook.ipynb": NOTEBOOK, "Bo Chen/groups.csv": theirs}
    assert {one.student: one.origin.members for one in taken(tree, tmp_path).values()} == {"Anna Li": (), "Bo Chen": ()}
    (tmp_path / "groups.csv").write_bytes(b"group,student\n7,Anna Li\n7,Cy Lo\n")
    found = collect(tmp_path / "given", tmp_path / "again")
    [anna] = [one for one in found if one.student == "Anna Li"]
    assert (anna.origin.members, anna.origin.members_from) == (("Anna Li", "Cy Lo"), "list")


def test_a_groups_csv_in_which_nobody_is_found_is_an_error(tmp_path: Path):
    with pytest.raises(UsageError, match="of its 1 groups none handed in anything") as caught:
        taken({"Anna Li/notebook.ipynb": NOTEBOOK, "groups.csv": b"group,student\n7,Zed\n"}, tmp_path)
    assert "Zed" in caught.value.do and "Anna Li" in caught.value.do
