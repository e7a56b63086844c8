"""An LMS's download becomes one submission for each student: unpacked or zipped, whatever the names."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest
from downloads import (
    BLACKBOARD,
    BRIGHTSPACE,
    CANVAS,
    EXPECTED,
    GRADESCOPE,
    LAYOUTS,
    MOODLE,
    NBGRADER,
    NOTEBOOK,
    codes,
    files,
    lay_out,
    taken,
)

from harness.errors import UsageError
from harness.inputs.submissions.lms import readers

UTC = datetime.UTC


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("lms", EXPECTED)
def test_a_download_is_taken_apart_however_it_is_laid_out(tmp_path: Path, lms: str, layout: str):
    tree, students, of_some = EXPECTED[lms]
    found = taken(lay_out(tree, tmp_path / "given", layout), tmp_path)
    assert {one.student for one in found.values()} == students
    assert {one.origin.source for one in found.values()} == {lms}
    for id, expected in of_some.items():
        assert files(found[id]) == expected


def test_every_reader_has_a_download_here():
    assert set(readers()) == {*EXPECTED, "github_classroom"}


@pytest.mark.parametrize("lms", EXPECTED)
def test_ids_do_not_depend_on_who_else_handed_in(tmp_path: Path, lms: str):
    """A second download, with one student less, gives the others the same ids."""
    tree, _, of_some = EXPECTED[lms]
    (tmp_path / "1").mkdir()
    first = taken(lay_out(tree, tmp_path / "given", "unpacked"), tmp_path / "1")
    kept = next(iter(of_some))
    gone = next(id for id in first if id != kept)
    marker = {"canvas": first[gone].origin.lms_id, "gradescope": "submission_102"}.get(lms, first[gone].origin.lms_id)
    fewer = {name: content for name, content in tree.items() if marker not in name.replace(" ", "-")}
    assert len(fewer) < len(tree)
    (tmp_path / "2").mkdir()
    second = taken(lay_out(fewer, tmp_path / "given2", "unpacked"), tmp_path / "2")
    assert kept in second
    assert set(second) <= set(first)


def test_canvas_says_late_but_not_when(tmp_path: Path):
    found = taken(lay_out(CANVAS, tmp_path / "given", "unpacked"), tmp_path)
    late = found["jansenpiet-12346"].origin
    assert late.said_late and late.handed_in is None
    assert not found["devriesanna-12345"].origin.said_late


def test_canvas_numbers_of_resubmissions_are_taken_off(tmp_path: Path):
    found = taken(lay_out(CANVAS, tmp_path / "given", "unpacked"), tmp_path)
    one = found["jansenpiet-12346"]
    assert files(one) == {"notebook.ipynb", "labels.txt", "model.onnx"}
    assert [one.path for one in one.models[0].companions] == [Path("labels.txt")]


def test_of_two_files_that_canvas_numbered_the_newer_counts(tmp_path: Path):
    tree = {
        "annad_12345_101_notebook.ipynb": b"old",
        "annad_12345_202_notebook-1.ipynb": b"new",
        "bertb_12346_303_notebook.ipynb": NOTEBOOK,
    }
    one = taken(lay_out(tree, tmp_path / "given", "unpacked"), tmp_path)["annad-12345"]
    assert (one.root / "notebook.ipynb").read_bytes() == b"new"
    assert [earlier.label for earlier in one.origin.earlier] == ["annad_12345_101_notebook.ipynb"]
    assert codes(one) == ["earlier-tries"]


def test_canvas_with_anonymous_grading(tmp_path: Path):
    tree = {"anon_aB3dE_678901_notebook.ipynb": NOTEBOOK, "LATE_anon_Zz9Yx_678902_model.onnx": b"1"}
    found = taken(lay_out(tree, tmp_path / "given", "unpacked"), tmp_path)
    assert {one.origin.lms_id: one.origin.said_late for one in found.values()} == {"aB3dE": False, "Zz9Yx": True}


def test_an_answer_without_files_is_a_row_with_a_finding(tmp_path: Path):
    found = taken(lay_out(CANVAS, tmp_path / "given", "unpacked"), tmp_path)
    assert codes(found["group7-12349"]) == ["nothing-handed-in"]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_zip_that_a_student_handed_in_is_unpacked(tmp_path: Path, layout: str):
    found = taken(lay_out(MOODLE, tmp_path / "given", layout), tmp_path)
    one = found["Jean-Pierre-O-Neil-123457"]
    assert (one.notebook, one.model) == (Path("notebook.ipynb"), Path("model.onnx"))


def test_moodle_flat_files(tmp_path: Path):
    tree = {
        "Anna de Vries_11_assignsubmission_file_notebook.ipynb": NOTEBOOK,
        "Anna de Vries_11_assignsubmission_file_labels.txt": b"a\nb",
        "Piet_12_assignsubmission_onlinetext_onlinetext.html": b"x",
    }
    found = taken(lay_out(tree, tmp_path / "given", "unpacked"), tmp_path)
    assert files(found["Anna-de-Vries-11"]) == {"notebook.ipynb", "labels.txt"}


def test_moodle_times_come_from_the_grading_worksheet(tmp_path: Path):
    worksheet = (
        '\ufeffIdentifier,Full name,Status,Grade,"Last modified (submission)"\n'
        'Participant 123456,Anna de Vries,Submitted,-,"Wednesday, 10 June 2026, 2:14 PM"\n'
        'Participant 123457,Jean-Pierre,Submitted,-,"Tuesday, June 9, 2026, 11:59 PM"\n'
        "Participant 123458,X,No submission,-,-\n"
    )
    tree = {**MOODLE, "Grades-Course-Assignment-77.csv": worksheet.encode()}
    found = taken(lay_out(tree, tmp_path / "given", "unpacked"), tmp_path)
    assert found["Anna-de-Vries-123456"].origin.handed_in == datetime.datetime(2026, 6, 10, 14, 14)
    assert found["Jean-Pierre-O-Neil-123457"].origin.handed_in == datetime.datetime(2026, 6, 9, 23, 59)
    assert found["Teilnehmerin-123458"].origin.handed_in is None


def test_two_students_of_one_name_are_two_hand_ins(tmp_path: Path):
    tree = {f"Jan Jansen_{n}_assignsubmission_file_/notebook.ipynb": NOTEBOOK for n in (1, 2)}
    assert set(taken(lay_out(tree, tmp_path / "given", "unpacked"), tmp_path)) == {"Jan-Jansen-1", "Jan-Jansen-2"}


def test_brightspace_times_and_tries(tmp_path: Path):
    found = taken(lay_out(BRIGHTSPACE, tmp_path / "given", "unpacked"), tmp_path)
    anna = found["Anna-de-Vries-12345"]
    assert anna.origin.handed_in == datetime.datetime(2025, 11, 3, 12, 34)
    assert [earlier.handed_in for earlier in anna.origin.earlier] == [datetime.datetime(2025, 11, 3, 9, 59)]
    assert (anna.root / "notebook.ipynb").read_bytes() == NOTEBOOK + b" "
    assert found["Jean-Pierre-Smith-12346"].origin.handed_in == datetime.datetime(2025, 11, 3, 23, 59)
    assert {one.origin.handed_in.month for one in found.values()} == {11, 3}


def test_brightspace_without_folders(tmp_path: Path):
    tree = {
        "1-2 - Anna de Vries - Nov 3, 2025 1234 PM - note - book.ipynb": NOTEBOOK,
        "1-2 - Anna de Vries - Nov 3, 2025 1234 PM - model.onnx": b"",
    }
    found = taken(lay_out(tree, tmp_path / "given", "unpacked"), tmp_path)
    assert files(found["Anna-de-Vries-1"]) == {"note - book.ipynb", "model.onnx"}


def test_blackboard_the_newest_attempt_with_files_counts(tmp_path: Path):
    anna = taken(lay_out(BLACKBOARD, tmp_path / "given", "unpacked"), tmp_path)["adevries"]
    assert anna.origin.handed_in == datetime.datetime(2025, 11, 3, 12, 34, 56)
    assert len(anna.origin.earlier) == 2


def test_gradescope_knows_groups_times_and_history(tmp_path: Path):
    found = taken(lay_out(GRADESCOPE, tmp_path / "given", "unpacked"), tmp_path)
    group = found["Anna-de-Vries-4000001"].origin
    assert group.members == ("Anna de Vries", "Piet Jansen")
    assert group.handed_in == datetime.datetime(2025, 11, 3, 22, 34, 56, 123456, UTC)
    assert len(group.earlier) == 1
    alone = next(one.origin for one in found.values() if one.student == "Wu, Xú")
    assert alone.handed_in == datetime.datetime(2025, 11, 4, 1, 2, 3, tzinfo=UTC)


@pytest.mark.parametrize("content", [b"a: [", b"!!python/object/apply:os.system ['touch x']", b"- just\n- a list\n"])
def test_broken_gradescope_metadata_is_an_error_or_no_gradescope(tmp_path: Path, content: bytes):
    tree = {**GRADESCOPE, "submission_metadata.yml": content}
    given = lay_out(tree, tmp_path / "given", "unpacked")
    try:
        found = taken(given, tmp_path)
    except UsageError as error:
        assert "submission_metadata.yml" in error.message
    else:
        assert {one.origin.source for one in found.values()} == {"plain"}


def test_nbgrader_several_assignments_are_not_guessed(tmp_path: Path):
    tree = {**NBGRADER, "submitted/anna/ps2/timestamp.txt": b"2025-11-03 12:34:56 UTC"}
    with pytest.raises(UsageError, match="ps1, ps2"):
        taken(lay_out(tree, tmp_path / "given", "unpacked"), tmp_path)


def test_nbgraders_inbound_folders_are_tries(tmp_path: Path):
    tree = {
        "anna+ps1+2025-11-03 12:34:56.123456 UTC+abc/notebook.ipynb": NOTEBOOK,
        "anna+ps1+2025-11-04 12:34:56.123456 UTC+abd/notebook.ipynb": NOTEBOOK,
    }
    anna = taken(lay_out(tree, tmp_path / "given", "unpacked"), tmp_path)["anna"]
    assert anna.origin.handed_in == datetime.datetime(2025, 11, 4, 12, 34, 56, 123456, UTC)
    assert len(anna.origin.earlier) == 1
