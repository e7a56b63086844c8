"""An LMS's download becomes one submission for each student: unpacked or zipped, whatever the names."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest
from downloads import LAYOUTS, NOTEBOOK, lay_out, unpacked, zipped

from harness.errors import UsageError
from harness.inputs.submission import Submission
from harness.inputs.submissions import collect
from harness.inputs.submissions.lms import readers

UTC = datetime.UTC


def taken(given: Path, tmp_path: Path) -> dict[str, Submission]:
    work = tmp_path / "work"
    work.mkdir()
    return {one.id: one for one in collect(given, work)}


def codes(submission: Submission) -> list[str]:
    return [finding.code for finding in submission.findings]


def files(submission: Submission) -> set[str]:
    root = submission.root
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}


HAND_IN = zipped({"hand in/notebook.ipynb": NOTEBOOK, "hand in/model.onnx": b"onnx", "hand in/labels.txt": b"a\nb"})

CANVAS = {
    "devriesanna_12345_678901_notebook.ipynb": NOTEBOOK,
    "devriesanna_12345_678902_model.onnx": b"1",
    "jansenpiet_LATE_12346_678903_notebook-2.ipynb": NOTEBOOK,
    "jansenpiet_LATE_12346_678904_labels-1.txt": b"a\nb",
    "jansenpiet_LATE_12346_678905_model-2.onnx": b"2",
    "żółćłukasz_12347_678906_hand-in.zip": HAND_IN,
    "o_briensean_12348_678907_my_12_34_file.ipynb": NOTEBOOK,
    "group7_12349_text.html": b"<p>it is on my drive</p>",
}
MOODLE = {
    "Anna de Vries_123456_assignsubmission_file_/notebook.ipynb": NOTEBOOK,
    "Anna de Vries_123456_assignsubmission_file_/model.onnx": b"1",
    "Anna de Vries_123456_assignsubmission_onlinetext_/onlinetext.html": b"<p>hello</p>",
    "Jean-Pierre O_Neil_123457_assignsubmission_file/submission.zip": HAND_IN,
    "Teilnehmerin_123458_assignsubmission_file_/a/b/notebook.ipynb": NOTEBOOK,
    "Łukasz Żółć_123459_assignsubmission_onlinetext_/onlinetext.html": b"<p>forgot</p>",
}
BRIGHTSPACE = {
    "index.html": b"<html></html>",
    "12345-67890 - Anna de Vries - Nov 3, 2025 959 AM/notebook.ipynb": NOTEBOOK,
    "12345-67890 - Anna de Vries - Nov 3, 2025 1234 PM/notebook.ipynb": NOTEBOOK + b" ",
    "12346-67890 - Jean-Pierre - Smith - 3 nov. 2025 2359/submission.zip": HAND_IN,
    "12347-67890 - Łukasz Żółć - 3 März 2026 0805/model.onnx": b"3",
}
BLACKBOARD = {
    "Transfer_Learning 1_adevries_attempt_2025-11-03-12-34-56.txt": b"Name: Anna de Vries (adevries)\nAssignment: x\n",
    "Transfer_Learning 1_adevries_attempt_2025-11-03-12-34-56_notebook.ipynb": NOTEBOOK,
    "Transfer_Learning 1_adevries_attempt_2025-11-01-10-00-00_notebook.ipynb": NOTEBOOK,
    "Transfer_Learning 1_adevries_attempt_2025-11-04-09-00-00.txt": b"Name: Anna de Vries (adevries)\nsorry\n",
    "Transfer_Learning 1_p_jansen_attempt_2025-11-05-00-00-00.txt": b"Naam: Piet Jansen (p_jansen)\n",
    "Transfer_Learning 1_p_jansen_attempt_2025-11-05-00-00-00_my_model.onnx": b"1",
    "Transfer_Learning 1_xwu_attempt_2025-11-02-00-00-00_notebook.ipynb": NOTEBOOK,
}
GRADESCOPE = {
    "submission_metadata.yml": b"""---
submission_101:
  :submitters:
  - :name: Anna de Vries
    :sid: '4000001'
    :email: anna@example.edu
  - :name: Piet Jansen
    :sid: '4000002'
    :email: piet@example.edu
  :created_at: 2025-11-03 22:34:56.123456000 Z
  :score: 0.0
  :status: processed
  :history:
  - :created_at: 2025-11-02 10:00:00.000000000 Z
    :score: 1.0
submission_102:
  :submitters:
  - :name: "Wu, X\\u00fa"
    :sid:
    :email: xu.wu@example.edu
  :created_at: !ruby/object:ActiveSupport::TimeWithZone
    utc: 2025-11-04 01:02:03.000000000 Z
    zone: !ruby/object:ActiveSupport::TimeZone
      name: Europe/Amsterdam
    time: 2025-11-04 02:02:03.000000000 Z
  :history: []
""",
    "submission_101/notebook.ipynb": NOTEBOOK,
    "submission_101/model.onnx": b"1",
    "submission_102/handin/notebook.ipynb": NOTEBOOK,
}
NBGRADER = {
    "submitted/anna/ps1/notebook.ipynb": NOTEBOOK,
    "submitted/anna/ps1/timestamp.txt": b"2025-11-03 12:34:56.123456 UTC",
    "submitted/piet/ps1/notebook.ipynb": NOTEBOOK,
    "submitted/piet/ps1/timestamp.txt": b"2025-11-03 13:34:56 +0100",
    "source/ps1/notebook.ipynb": NOTEBOOK,
    "gradebook.db": b"",
}

EXPECTED = {
    "canvas": (
        CANVAS,
        {"devriesanna", "jansenpiet", "żółćłukasz", "o_briensean", "group7"},
        {"devriesanna-12345": {"notebook.ipynb", "model.onnx"}},
    ),
    "moodle": (
        MOODLE,
        {"Anna de Vries", "Jean-Pierre O Neil", "Teilnehmerin", "Łukasz Żółć"},
        {"Anna-de-Vries-123456": {"notebook.ipynb", "model.onnx", "onlinetext/onlinetext.html"}},
    ),
    "brightspace": (
        BRIGHTSPACE,
        {"Anna de Vries", "Jean-Pierre - Smith", "Łukasz Żółć"},
        {"Anna-de-Vries-12345": {"notebook.ipynb"}},
    ),
    "blackboard": (BLACKBOARD, {"Anna de Vries", "Piet Jansen", "xwu"}, {"p_jansen": {"my_model.onnx"}}),
    "gradescope": (
        GRADESCOPE,
        {"Anna de Vries & Piet Jansen", "Wu, Xú"},
        {"Anna-de-Vries-4000001": {"notebook.ipynb", "model.onnx"}},
    ),
    "nbgrader": (NBGRADER, {"anna", "piet"}, {"anna": {"notebook.ipynb", "timestamp.txt"}}),
}


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
    assert one.companions == (Path("labels.txt"),)


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


def test_a_mixture_is_taken_and_said(tmp_path: Path):
    """A folder that came by mail among Canvas' files is a submission of its own, with a finding."""
    tree = {**CANVAS, "Piet by mail/notebook.ipynb": NOTEBOOK, **MOODLE}
    tree = {name: content for name, content in tree.items() if "/" not in name or "mail" in name or "Anna" in name}
    found = taken(lay_out(tree, tmp_path / "given", "unpacked"), tmp_path)
    assert codes(found["Piet-by-mail"]) == ["beside-download"]
    assert "Canvas and Moodle" in found["Piet-by-mail"].findings[0].message
    assert found["Anna-de-Vries-123456"].origin.source == "moodle"


@pytest.mark.parametrize(
    "names",
    [
        ("group_12_3456_final.ipynb", "anna.ipynb", "piet.ipynb"),
        ("anna_2025_11_03.ipynb", "piet_2025_11_04.ipynb"),
        ("lab-1/notebook.ipynb", "lab-2/notebook.ipynb"),
        ("12-34 - Anna/notebook.ipynb", "13-34 - Piet/notebook.ipynb"),
        ("anna_attempt_2/notebook.ipynb", "piet/notebook.ipynb"),
    ],
)
def test_names_that_look_a_little_like_a_download_stay_plain(tmp_path: Path, names: tuple[str, ...]):
    found = taken(lay_out(dict.fromkeys(names, NOTEBOOK), tmp_path / "given", "unpacked"), tmp_path)
    assert len(found) == len(names)
    assert {one.origin.source for one in found.values()} == {"plain"}


def test_a_students_zip_cannot_pose_as_a_download(tmp_path: Path):
    """Among others' submissions, a zip with names as an LMS gives them is that one student's."""
    given = tmp_path / "given"
    unpacked({"anna/notebook.ipynb": NOTEBOOK, "mallory.zip": zipped(MOODLE)}, given)
    assert set(taken(given, tmp_path)) == {"anna", "mallory"}


def test_windows_separators_in_the_lmss_zip(tmp_path: Path):
    tree = {name.replace("/", "\\"): content for name, content in MOODLE.items()}
    found = taken(lay_out(tree, tmp_path / "given", "the zip"), tmp_path)
    assert files(found["Anna-de-Vries-123456"]) >= {"notebook.ipynb", "model.onnx"}


def test_one_bad_member_of_the_lmss_zip_costs_one_hand_in(tmp_path: Path):
    tree = {**MOODLE, "Mallory_1_assignsubmission_file_/../../../evil.ipynb": NOTEBOOK}
    found = taken(lay_out(tree, tmp_path / "given", "the zip"), tmp_path)
    assert codes(found["Mallory-1"]) == ["unsafe-path"]
    assert found["Anna-de-Vries-123456"].notebook
    assert not list(tmp_path.rglob("evil.ipynb"))


def test_a_zip_that_is_none_is_an_error_with_what_to_do(tmp_path: Path):
    (tmp_path / "class.zip").write_bytes(b"PK\x03\x04 cut")
    with pytest.raises(UsageError, match=r"class\.zip"):
        taken(tmp_path / "class.zip", tmp_path)


def test_two_downloads_of_one_course_are_one_class(tmp_path: Path):
    given = tmp_path / "given"
    again = {"jansenpiet_12346_999_notebook-3.ipynb": NOTEBOOK, "nieuwnel_500_999_notebook.ipynb": NOTEBOOK}
    unpacked({"submissions.zip": zipped(CANVAS), "submissions (1).zip": zipped(again)}, given)
    found = taken(given, tmp_path)
    assert len(found) == len(EXPECTED["canvas"][1]) + 1
    assert len(found["jansenpiet-12346"].origin.earlier) == 1


# --- plain folders and the wrong level ----------------------------------------------------------


def test_a_loose_notebook_and_model_of_one_name_are_one_hand_in(tmp_path: Path):
    given = tmp_path / "given"
    unpacked({"anna.ipynb": NOTEBOOK, "anna.onnx": b"1", "piet.ipynb": NOTEBOOK}, given)
    found = taken(given, tmp_path)
    assert set(found) == {"anna", "piet"}
    assert (found["anna"].notebook, found["anna"].model) == (Path("anna.ipynb"), Path("anna.onnx"))


def test_the_folder_of_one_hand_in_is_that_hand_in(tmp_path: Path):
    """Given one student's own folder: its files are not four students."""
    given = tmp_path / "anna"
    unpacked({"notebook.ipynb": NOTEBOOK, "vgg.onnx": b"1", "labels.txt": b"a\nb", "dataset/a/1.jpg": b"x"}, given)
    found = taken(given, tmp_path)
    assert set(found) == {"anna"}
    assert files(found["anna"]) == {"notebook.ipynb", "vgg.onnx", "labels.txt", "dataset/a/1.jpg"}


@pytest.mark.parametrize("layout", ["zip in a folder", "the zip", "unpacked into a folder of its name"])
def test_plain_hand_ins_one_level_too_deep_are_found(tmp_path: Path, layout: str):
    tree = {f"{name}/{sub}notebook.ipynb": NOTEBOOK for name, sub in (("anna", ""), ("piet", "a/b/"), ("xu", "c/"))}
    assert set(taken(lay_out(tree, tmp_path / "given", layout), tmp_path)) == {"anna", "piet", "xu"}


def test_a_students_own_subfolders_are_not_students(tmp_path: Path):
    given = tmp_path / "given"
    unpacked({"anna/notebook/a.ipynb": NOTEBOOK, "anna/model/m.onnx": b"1"}, given)
    assert set(taken(given, tmp_path)) == {"anna"}


def test_a_nested_bomb_stops_at_the_hand_ins_limit(tmp_path: Path):
    from harness.inputs.submissions.archives import UnpackLimits

    given = tmp_path / "given"
    unpacked({"anna/a.zip": zipped({"zeros": bytes(3 * 10**6)}), "piet/notebook.ipynb": NOTEBOOK}, given)
    work = tmp_path / "work"
    work.mkdir()
    found = {one.id: one for one in collect(given, work, UnpackLimits(total_bytes=2 * 10**6))}
    assert codes(found["anna"]) == ["archive-too-large"]
    assert found["piet"].notebook
