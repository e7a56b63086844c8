"""What lies in the submissions folder becomes submissions; nothing hostile is followed or written outside."""

import io
import os
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.inputs.submissions import collect
from harness.inputs.submissions.archives import UnpackLimits


@pytest.fixture
def incoming(tmp_path: Path) -> Path:
    folder = tmp_path / "submissions"
    folder.mkdir()
    return folder


def taken(incoming: Path, **limits: int):
    work = incoming.parent / "work"
    work.mkdir(exist_ok=True)
    return {one.id: one for one in collect(incoming, work, UnpackLimits(**limits))}


def codes(submission) -> list[str]:
    return [finding.code for finding in submission.findings]


def zip_of(file: Path, members: dict[str, bytes]) -> None:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def tar_of(file: Path, *members: tuple[tarfile.TarInfo, bytes]) -> None:
    with tarfile.open(file, "w:gz") as archive:
        for info, content in members:
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))


def test_a_folder_with_notebook_model_and_labels(incoming: Path):
    folder = incoming / "Group 7"
    folder.mkdir()
    for name in ("Assignment.ipynb", "model.onnx", "labels.txt", "handin.json"):
        (folder / name).write_text("x")
    one = taken(incoming)["Group-7"]
    assert one.student == "Group 7"
    assert (one.notebook, one.model) == (Path("Assignment.ipynb"), Path("model.onnx"))
    assert [one.path for one in one.models[0].companions] == [Path("labels.txt"), Path("handin.json")]
    assert codes(one) == []


def test_a_zip_with_one_top_folder_is_looked_into(incoming: Path):
    zip_of(incoming / "mia.zip", {"hand in/notebook.ipynb": b"{}", "__MACOSX/._x": b"", "hand in/.DS_Store": b""})
    one = taken(incoming)["mia"]
    assert one.notebook == Path("notebook.ipynb")
    assert one.model is None


def test_a_tar_is_read_by_content_whatever_its_name(incoming: Path):
    tar_of(incoming / "odd.zip", (tarfile.TarInfo("model.onnx"), b"onnx"))
    assert taken(incoming)["odd"].model == Path("model.onnx")


def test_a_loose_notebook_or_model_is_a_hand_in_and_other_files_are_not(incoming: Path):
    for name in ("Zoë.ipynb", "team.onnx", "README.md", "make_models.py", ".hidden.ipynb"):
        (incoming / name).write_text("x")
    found = taken(incoming)
    assert set(found) == {"Zoe", "team"}


@pytest.mark.parametrize("name", ["../../x", "/etc/cron.d/x", "a/../../b", "C:\\x", "a\\..\\b", "..", "C:/windows/x"])
def test_an_unsafe_name_in_a_zip_stops_the_unpacking(incoming: Path, name: str):
    zip_of(incoming / "evil.zip", {name: b"x", "notebook.ipynb": b"{}"})
    one = taken(incoming)["evil"]
    assert codes(one) == ["unsafe-path"]
    assert one.notebook is None
    assert not list((incoming.parent).glob("x"))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_in_a_tar_are_never_made(incoming: Path, kind: bytes):
    info = tarfile.TarInfo("labels.txt")
    info.type, info.linkname = kind, "/etc/passwd"
    tar_of(incoming / "evil.tar.gz", (info, b""))
    one = taken(incoming)["evil"]
    assert codes(one) == ["unsafe-member"]
    assert list(one.root.iterdir()) == []


def test_a_set_uid_file_and_a_zipped_link_are_refused(incoming: Path):
    info = tarfile.TarInfo("x")
    info.mode = 0o4755
    tar_of(incoming / "suid.tar.gz", (info, b"x"))
    with zipfile.ZipFile(incoming / "link.zip", "w") as archive:
        member = zipfile.ZipInfo("labels.txt")
        member.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(member, "/etc/passwd")
    found = taken(incoming)
    assert codes(found["suid"]) == codes(found["link"]) == ["unsafe-member"]


def test_bombs_stop_at_the_limits(incoming: Path):
    zip_of(incoming / "size.zip", {"zeros": bytes(3 * 10**6)})
    zip_of(incoming / "count.zip", {f"f{i}": b"" for i in range(60)})
    zip_of(incoming / "deep.zip", {"/".join("d" * 40) + "/f": b""})
    found = taken(incoming, total_bytes=2 * 10**6, files=50)
    assert {name: codes(one) for name, one in found.items()} == {
        name: ["archive-too-large"] for name in ("size", "count", "deep")
    }


def test_a_high_ratio_stops_above_a_hundred_megabytes(incoming: Path):
    zip_of(incoming / "bomb.zip", {"zeros": bytes(150 * 10**6)})
    assert codes(taken(incoming)["bomb"]) == ["archive-too-large"]


def test_twins_by_case_or_unicode_form_count_once_the_first(incoming: Path):
    zip_of(incoming / "twins.zip", {"Model.onnx": b"1", "model.ONNX": b"2", "é.txt": b"", "e\u0301.txt": b""})
    one = taken(incoming)["twins"]
    assert codes(one) == ["duplicate-name", "duplicate-name"]
    assert (one.root / "Model.onnx").read_bytes() == b"1"


@pytest.mark.parametrize("content", [b"", b"Rar!\x1a\x07\x00", b"PK\x03\x04 cut"])
def test_an_unreadable_archive_says_what_to_hand_in(incoming: Path, content: bytes):
    (incoming / "mia.zip").write_bytes(content)
    (incoming / "tom.rar").write_bytes(content)
    for one in taken(incoming).values():
        assert codes(one) == ["archive-unreadable"]
        assert "Hand in a .zip" in one.findings[0].message


def test_links_and_fifos_in_a_folder_are_not_followed(incoming: Path):
    for number, make in enumerate((lambda p: p.symlink_to("/etc/passwd"), lambda p: os.mkfifo(p))):
        folder = incoming / f"s{number}"
        folder.mkdir()
        make(folder / "labels.txt")
    (incoming / "link").symlink_to("/etc")
    found = taken(incoming)
    assert {name: codes(one) for name, one in found.items()} == {
        name: ["unsafe-member"] for name in ("link", "s0", "s1")
    }


def test_an_empty_folder_is_a_row_with_a_finding(incoming: Path):
    (incoming / "empty").mkdir()
    assert codes(taken(incoming)["empty"]) == ["nothing-handed-in"]


def test_hostile_names_become_safe_ids_and_stay_as_they_are_for_people(incoming: Path):
    names = ["-rf", "$(touch x)", "<img onerror=1>", "CON", "漢字", "a\nb", "😀" * 20, "n" * 255]
    for name in names:
        (incoming / name).mkdir()
    found = taken(incoming)
    assert len(found) == len(names)
    assert sorted(one.student for one in found.values()) == sorted(names)
    for id in found:
        assert id.isascii() and all(c.isalnum() or c in "-_" for c in id) and not id.startswith("-")


def test_of_students_with_one_id_nobody_gets_it(incoming: Path):
    (incoming / "Zoe").mkdir()
    (incoming / "Zoë").mkdir()
    found = taken(incoming)
    assert {one.student for one in found.values()} == {"Zoe", "Zoë"}
    assert len(found) == 2 and "Zoe" not in found
    assert all("duplicate-id" in codes(one) for one in found.values())


def test_the_content_hash_is_of_names_and_contents(incoming: Path):
    for name, content in (("a", b"1"), ("b", b"1"), ("c", b"2")):
        (incoming / name).mkdir()
        (incoming / name / "model.onnx").write_bytes(content)
    found = taken(incoming)
    assert found["a"].sha256 == found["b"].sha256 != found["c"].sha256


@pytest.mark.parametrize("make", [lambda p: None, lambda p: p.mkdir()])
def test_a_missing_or_empty_submissions_folder_is_a_usage_error(tmp_path: Path, make):
    make(tmp_path / "none")
    with pytest.raises(UsageError, match="none"):
        collect(tmp_path / "none", tmp_path)


def test_several_notebooks_the_expected_name_wins(incoming: Path):
    folder = incoming / "s"
    folder.mkdir()
    for name in ("a.ipynb", "notebook.ipynb"):
        (folder / name).write_text("{}")
    one = taken(incoming)["s"]
    assert one.notebook == Path("notebook.ipynb")
    assert codes(one) == ["several-notebooks"]


def test_a_dataset_archive_beside_a_notebook_is_the_data_set(incoming: Path):
    """It stays an archive: what is unpacked as work is looked through for models and notebooks."""
    folder = incoming / "mia"
    folder.mkdir()
    (folder / "notebook.ipynb").write_text("{}")
    zip_of(folder / "dataset.zip", {"cup/1.jpg": b"1", "train/model.h5": b"not mine"})
    one = taken(incoming)["mia"]
    assert (one.dataset, one.notebook, one.model) == (Path("dataset.zip"), Path("notebook.ipynb"), None)


def test_a_hand_in_that_is_called_dataset_zip_is_unpacked(incoming: Path):
    folder = incoming / "mia"
    folder.mkdir()
    zip_of(folder / "dataset.zip", {"notebook.ipynb": b"{}", "dataset/cup/1.jpg": b"1"})
    one = taken(incoming)["mia"]
    assert (one.dataset, one.notebook) == (Path("dataset"), Path("notebook.ipynb"))
