"""Whose a file is: names that pose as another participant's, times that are invented, ids that are claimed twice."""

from __future__ import annotations

import datetime
import json
from pathlib import Path

import pytest
from downloads import NOTEBOOK, lay_out, unpacked
from hypothesis import given
from hypothesis import strategies as st

from harness.inputs.submission import Submission
from harness.inputs.submissions import collect
from harness.inputs.submissions.child import Children
from harness.inputs.submissions.ids import identifier
from harness.inputs.submissions.lms import readers
from harness.inputs.submissions.place import FolderPlace

CLASS = {
    "victimvera_4711_88001_notebook.ipynb": NOTEBOOK,
    "victimvera_4711_88002_model.onnx": b"hers",
    "jansenjan_4712_88003_model.onnx": b"his",
}


def taken(tree: dict[str, bytes], tmp_path: Path) -> dict[str, Submission]:
    """By the name that people read."""
    unpacked(tree, tmp_path / "given")
    (tmp_path / "work").mkdir()
    return {one.student: one for one in collect(tmp_path / "given", tmp_path / "work")}


def codes(one: Submission) -> list[str]:
    return [finding.code for finding in one.findings]


def files(one: Submission) -> set[str]:
    return {str(path.relative_to(one.root)) for path in one.root.rglob("*") if path.is_file()}


# --- Canvas -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["victimvera_4711_99999_555", "victimvera_4711_99999_LATE_555", "x_4711_66666_555"])
def test_canvas_a_display_name_that_poses_as_another_is_nobodys(tmp_path: Path, name: str):
    """Canvas leaves `_ 4711_` in a sortable name and takes the space out afterwards."""
    found = taken({**CLASS, f"{name}_88004_model.onnx": b"mine", f"{name}_88005_labels.txt": b"a"}, tmp_path)
    vera = found["victimvera"]
    assert files(vera) == {"notebook.ipynb", "model.onnx"} and (vera.root / "model.onnx").read_bytes() == b"hers"
    assert vera.origin.lms_id == "4711" and codes(vera) == []
    [other] = [one for one in found.values() if one.student not in ("victimvera", "jansenjan")]
    assert files(other) == {"model.onnx", "labels.txt"}
    assert other.origin.lms_id == "" and codes(other) == ["lms-name-ambiguous"]


def test_canvas_the_gradebook_tells_whose_it_is(tmp_path: Path):
    gradebook = (
        "Student,ID,SIS User ID,SIS Login ID,Section,TL (1)\n    Points Possible,,,,,10\n"
        '"Victim, Vera",4711,v,v,A,\n"Jansen, Jan",4712,j,j,A,\n"victim, vera_ 4711_99999",555,m,m,A,\n'
    )
    tree = {**CLASS, "2025-11-03_Grades.csv": gradebook.encode()}
    mine = "victimvera_4711_99999_555_88004_model.onnx"
    both = taken({**tree, mine: b"mine"}, tmp_path / "1")
    assert (both["victimvera"].root / "model.onnx").read_bytes() == b"hers"  # both names fit: still nobody's
    without = {name: content for name, content in tree.items() if "4711_88" not in name}
    alone = taken(
        {**without, mine: b"mine", "2025-11-03_Grades.csv": gradebook.replace("4711,v", "9,v").encode()}, tmp_path / "2"
    )
    assert alone["victimvera_4711_99999"].origin.lms_id == "555"


def test_canvas_a_name_that_was_changed_after_the_gradebook_was_exported(tmp_path: Path):
    gradebook = b'Student,ID\n"Victim, Vera",4711\n"Jansen, Jan",4712\n"Lory, Mal",555\n'
    tree = {**CLASS, "Grades.csv": gradebook, "victimvera_4711_99999_555_88004_model.onnx": b"mine"}
    assert (taken(tree, tmp_path)["victimvera"].root / "model.onnx").read_bytes() == b"hers"


def test_canvas_a_course_whose_files_all_begin_with_the_year(tmp_path: Path):
    tree = {f"s{n}_47{n}_8800{n}_2025_work.ipynb": NOTEBOOK for n in range(10, 16)}
    found = taken({**tree, "s10_4710_666666_555_880017_2025_work.ipynb": b"mine"}, tmp_path)
    assert {f"s{n}": found[f"s{n}"].origin.lms_id for n in range(10, 16)} == {f"s{n}": f"47{n}" for n in range(10, 16)}
    assert all(codes(found[f"s{n}"]) == [] for n in range(10, 16))
    [other] = [one for name, one in found.items() if len(name) > 3]
    assert codes(other) == ["lms-name-ambiguous"]


def test_canvas_a_file_that_begins_with_numbers_is_its_students(tmp_path: Path):
    """Most such names are honest: `2025_homework.ipynb`, a photograph's `20251103_123456.jpg`."""
    tree = {**CLASS, "jansenjan_4712_88006_2025_11_homework.ipynb": NOTEBOOK, "jansenjan_4712_88007_007_x.txt": b"x"}
    jan = taken(tree, tmp_path)["jansenjan"]
    assert files(jan) == {"model.onnx", "2025_11_homework.ipynb", "007_x.txt"}
    assert codes(jan) == []


def test_canvas_a_name_that_looks_anonymous_is_none_in_a_class_with_names(tmp_path: Path):
    found = taken({**CLASS, "anon_47113_88004_model.onnx": b"mine"}, tmp_path)
    assert found["anon"].origin.lms_id == "47113"


# --- Moodle -------------------------------------------------------------------------------------

MOODLE = {
    "Vera Victim_111_assignsubmission_file_model.onnx": b"hers",
    "Jan Jansen_222_assignsubmission_file_model.onnx": b"his",
}
WORKSHEET = (
    'Identifier,Full name,"Last modified (submission)"\n'
    'Participant 111,Vera Victim,"Monday, 3 November 2025, 10:00 AM"\n'
    'Participant 333,{mallory},"Monday, 1 December 2025, 11:00 AM"\n'
)


@pytest.mark.parametrize("with_worksheet", [True, False])
def test_moodle_a_files_name_does_not_move_its_student(tmp_path: Path, with_worksheet: bool):
    tree = {**MOODLE, "Mal Lory_333_assignsubmission_file_x_111_assignsubmission_file_model.onnx": b"mine"}
    if with_worksheet:
        tree["Grades.csv"] = WORKSHEET.format(mallory="Mal Lory").encode()
    found = taken(tree, tmp_path)
    assert (found["Vera Victim"].root / "model.onnx").read_bytes() == b"hers"
    assert files(found["Vera Victim"]) == {"model.onnx"}
    assert found["Mal Lory"].origin.lms_id == "333" and codes(found["Mal Lory"]) == []
    if with_worksheet:
        assert found["Mal Lory"].origin.handed_in == datetime.datetime(2025, 12, 1, 11, 0)


@pytest.mark.parametrize("with_worksheet", [True, False])
def test_moodle_nor_does_a_display_name(tmp_path: Path, with_worksheet: bool):
    """Moodle itself takes `_` out of names; a changed one may not."""
    name = "Vera Victim_111_assignsubmission_file_x"
    tree = {**MOODLE, f"{name}_333_assignsubmission_file_model.onnx": b"mine"}
    if with_worksheet:
        tree["Grades.csv"] = WORKSHEET.format(mallory=name).encode()
    unpacked(tree, tmp_path / "given")
    (tmp_path / "work").mkdir()
    found = collect(tmp_path / "given", tmp_path / "work")
    [hers] = [one for one in found if one.origin.lms_id == "111"]
    assert (hers.root / "model.onnx").read_bytes() == b"hers" and len(files(hers)) == 1
    [mine] = [one for one in found if not one.origin.lms_id]
    assert (mine.root / "model.onnx").read_bytes() == b"mine"
    assert mine.origin.lms_id == "" and codes(mine) == ["lms-name-ambiguous"] and mine.origin.handed_in is None


# --- Blackboard and Brightspace: times ----------------------------------------------------------

BLACKBOARD = {
    "hw_vera_attempt_2025-11-03-10-00-00.txt": b"Name: Vera Victim (vera)\n",
    "hw_vera_attempt_2025-11-03-10-00-00_model.onnx": b"hers",
    "hw_mal_attempt_2025-12-01-10-00-00.txt": b"Name: Vera Victim (mal)\n",
}


def test_blackboard_a_time_in_a_files_name_is_no_time(tmp_path: Path):
    name = "hw_mal_attempt_2025-12-01-10-00-00_x_attempt_2025-01-01-00-00-00"
    tree = {**BLACKBOARD, f"{name}_model.onnx": b"mine", f"{name}.txt": b"Name: Vera Victim (vera)\n"}
    unpacked(tree, tmp_path / "given")
    (tmp_path / "work").mkdir()
    found = {one.origin.lms_id: one for one in collect(tmp_path / "given", tmp_path / "work")}
    assert set(found) == {"vera", "mal"}
    assert found["mal"].origin.handed_in == datetime.datetime(2025, 12, 1, 10, 0)
    assert files(found["vera"]) == {"model.onnx"}


def test_blackboard_a_time_in_a_groups_name_is_no_time(tmp_path: Path):
    name = "hw_x_attempt_2025-01-01-00-00-00_y_attempt_2025-12-01-10-00-00"
    tree = {**BLACKBOARD, f"{name}.txt": b"Name: A group\n", f"{name}_model.onnx": b"mine"}
    unpacked(tree, tmp_path / "given")
    (tmp_path / "work").mkdir()
    times = {one.origin.lms_id: one.origin.handed_in for one in collect(tmp_path / "given", tmp_path / "work")}
    assert times["x_attempt_2025-01-01-00-00-00_y"] == datetime.datetime(2025, 12, 1, 10, 0)


def test_brightspace_of_two_dates_in_a_name_the_later_counts_and_a_person_is_told(tmp_path: Path):
    tree = {
        "1-9 - Jan - Nov 3, 2025 1234 PM - model.onnx": b"his",
        "2-9 - Mal - Nov 1, 2025 100 AM - Dec 1, 2025 100 PM - model.onnx": b"mine",
        "3-9 - Odd - Nov 2, 2025 100 AM - my report - x.ipynb": NOTEBOOK,
    }
    found = {one.origin.lms_id: one for one in collect_from(tree, tmp_path)}
    assert found["2"].origin.handed_in == datetime.datetime(2025, 12, 1, 13, 0)
    assert codes(found["2"]) == ["lms-time-ambiguous"]
    assert files(found["3"]) == {"my report - x.ipynb"} and codes(found["3"]) == []


def collect_from(tree: dict[str, bytes], tmp_path: Path) -> list[Submission]:
    unpacked(tree, tmp_path / "given")
    (tmp_path / "work").mkdir()
    return collect(tmp_path / "given", tmp_path / "work")


# --- nbgrader and Gradescope: only where most entries fit ---------------------------------------

PLAIN = {f"{name}/model.onnx": b"x" for name in ("anna", "bert", "cora")}


@pytest.mark.parametrize(
    "more",
    [
        {"mallory/run1/timestamp.txt": b"2025-01-01 00:00:00 UTC", "mallory/run2/timestamp.txt": b"x"},
        {"submitted/x/ps1/timestamp.txt": b"2025-01-01 00:00:00 UTC", "submitted/x/ps1/model.onnx": b"x"},
        {"anna+ps1+2025-01-01 00:00:00 UTC/model.onnx": b"x"},
        {"submission_metadata.yml": b"anna: {':submitters': []}\nbert: {':submitters': []}\n"},
        {"submission_metadata.yml": b"a: [", "submission_1/model.onnx": b"x"},
        {"mallory/submission_metadata.yml": b"a: [", "mallory/submission_1/model.onnx": b"x"},
        {"Anna_1_assignsubmission_file_/model.onnx": b"x"},
        {"hw_anna_attempt_2025-01-01-00-00-00_model.onnx": b"x"},
        {"1-2 - Anna - Jan 1, 2025 100 AM/model.onnx": b"x"},
    ],
    ids=lambda more: next(iter(more))[:30],
)
def test_one_students_entry_does_not_make_the_class_a_download(tmp_path: Path, more: dict[str, bytes]):
    found = collect_from({**PLAIN, **more}, tmp_path)
    assert {"anna", "bert", "cora"} <= {one.student for one in found}
    assert {one.origin.source for one in found} == {"plain"}
    assert all(one.origin.handed_in is None for one in found)


def test_gradescope_one_entrys_broken_time_is_that_entrys(tmp_path: Path):
    metadata = b"""
submission_1: {":submitters": [{":name": Anna, ":sid": "1"}], ":created_at": 2025-11-45 10:00:00 Z}
submission_2: {":submitters": [{":name": Bert, ":sid": "2"}], ":created_at": 2025-11-03 10:00:00 Z}
"""
    tree = {"submission_metadata.yml": metadata, **{f"submission_{n}/model.onnx": b"x" for n in (1, 2)}}
    found = {one.student: one for one in collect_from(tree, tmp_path)}
    assert codes(found["Anna"]) == ["lms-metadata-unreadable"] and found["Anna"].origin.handed_in is None
    assert codes(found["Bert"]) == [] and found["Bert"].origin.handed_in is not None


def test_two_that_claim_one_id_both_say_so(tmp_path: Path):
    metadata = "".join(
        f'submission_{n}: {{":submitters": [{{":name": S{n}, ":sid": {sid}}}]}}\n'
        for n, sid in ((1, "A1"), (2, "a1"), (3, "b"))
    )
    tree = {"submission_metadata.yml": metadata.encode(), **{f"submission_{n}/model.onnx": b"x" for n in (1, 2, 3)}}
    found = {one.student: codes(one) for one in collect_from(tree, tmp_path)}
    assert found == {"S1": ["lms-id-claimed-twice"], "S2": ["lms-id-claimed-twice"], "S3": []}


@pytest.mark.parametrize("form", ["unpacked", "the zip", "alone"])
@pytest.mark.parametrize("name", ["work.rar", "work.zip"])
def test_an_archive_that_is_not_unpacked_has_a_content_of_its_own(tmp_path: Path, form: str, name: str):
    """Else a mark for what a person read in one counts for whatever is handed in after it."""
    contents = []
    for number, handed_in in enumerate((b"Rar! what was marked", b"Rar! another's", b"Rar! what was marked")):
        path = f"anna{Path(name).suffix}" if form == "alone" else f"anna/{name}"
        layout = "unpacked" if form == "alone" else form
        given = lay_out({path: handed_in, "bert/model.onnx": b"x"}, tmp_path / f"given{number}", layout)
        (tmp_path / f"work{number}").mkdir()
        [anna] = [one for one in collect(given, tmp_path / f"work{number}") if one.id == "anna"]
        assert codes(anna)[0] == "archive-unreadable" and not files(anna)
        contents.append(anna.sha256)
    assert contents[0] == contents[2] != contents[1]


# --- ids ----------------------------------------------------------------------------------------


def test_ids_and_identities_of_names_that_clash_do_not_depend_on_the_others(tmp_path: Path):
    first = {one.identity: one.id for one in collect_from({"Anna/m.onnx": b"1", " Anna/m.onnx": b"2"}, tmp_path / "1")}
    again = collect_from({"Anna/m.onnx": b"1", " Anna/m.onnx": b"2", "Anna.ipynb": NOTEBOOK}, tmp_path / "2")
    assert len(first) == 2 and "Anna" not in first.values()
    assert first.items() <= {one.identity: one.id for one in again}.items()
    assert json.dumps(["plain", "", " Anna"]) in first


def test_a_name_that_is_anothers_id_with_its_hash_gets_neither(tmp_path: Path):
    before = {one.id for one in collect_from({"Anna/m.onnx": b"1", " Anna/m.onnx": b"2"}, tmp_path / "1")}
    tree = {f"{name}/m.onnx": b"1" for name in ("Anna", " Anna", *before)}
    after = collect_from(tree, tmp_path / "2")
    assert len({one.id.casefold() for one in after}) == 4
    assert not before & {one.id for one in after}


def test_hashes_in_ids_have_64_bits():
    assert len(identifier("漢字").rpartition("-")[2]) == 16
    assert len(identifier("n" * 255)) <= 80


# --- no name breaks a reader --------------------------------------------------------------------

NAMES = st.lists(
    st.one_of(
        st.text(st.characters(blacklist_characters="/\0", blacklist_categories=("Cs",)), min_size=1, max_size=40),
        st.from_regex(
            r"[a-z]{0,3}(_(LATE|[0-9]{1,6}|attempt|assignsubmission|anon)| - | 2025|-|\+|[0-9]){1,8}(\.txt|\.csv)?",
            fullmatch=True,
        ),
    ).filter(lambda name: name not in (".", "..") and len(name.encode()) < 200),
    max_size=8,
    unique=True,
)


class _Names(FolderPlace):
    """A folder of which only the names are there."""

    def __init__(self, names: list[str], children: Children) -> None:
        super().__init__(Path("/nowhere"), children)
        self._names = names

    def entries(self, folder: str = ""):
        from harness.inputs.submissions.place import Entry

        kinds = [Entry(name, is_folder=len(name) % 2 == 0) for name in sorted(self._names)]
        return () if folder else tuple(kinds)


@given(NAMES)
def test_any_names_are_read_and_no_entry_is_anybodys_twice(names: list[str]):
    with Children() as children:
        for source, reader in readers().items():
            claimed = [entry for one in reader.read(_Names(names, children)).deliveries for entry in one.entries]
            assert len(claimed) == len(set(claimed)) and set(claimed) <= set(names), source
