"""What students made is read by another process: what it says is bounded, and its death is one file's trouble."""

from __future__ import annotations

import bz2
import io
import os
import tarfile
import zipfile
from pathlib import Path

import pytest
from downloads import NOTEBOOK, unpacked, zipped
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import MachineError, UsageError
from harness.findings import finding
from harness.inputs.submission import Submission
from harness.inputs.submissions import child, collect, copying, plain_deliveries
from harness.inputs.submissions.archives import UnpackLimits
from harness.inputs.submissions.child import Children, Unreadable, path_text
from harness.inputs.submissions.one_entry import kept_apart
from harness.inputs.submissions.place import ArchivePlace, FolderPlace

CLASS = {f"{name}/model.onnx": b"x" for name in ("anna", "bert")}


def taken(given: Path, tmp_path: Path, **limits: int) -> dict[str, Submission]:
    (tmp_path / "work").mkdir()
    return {one.student: one for one in collect(given, tmp_path / "work", UnpackLimits(**limits))}


def codes(one: Submission) -> list[str]:
    return [found.code for found in one.findings]


@pytest.fixture
def children():
    with Children() as all_of_them:
        yield all_of_them


def asked(children: Children, what: str, content: bytes, tmp_path: Path, **more: object) -> object:
    file = tmp_path / "file"
    file.write_bytes(content)
    return children.ask(what, file={"path": path_text(file)}, **more)


READERS = [
    ("table", {"columns": ["student"], "start": 0}),
    ("receipt", {}),
    ("stamp", {}),
    ("gradescope", {"folders": ["submission_1"]}),
]


def test_any_bytes_as_an_lmss_file_are_read_or_unreadable(children: Children, tmp_path: Path):
    @given(st.sampled_from(READERS), st.binary(max_size=400))
    def check(reader: tuple[str, dict], content: bytes) -> None:
        try:
            asked(children, reader[0], content, tmp_path, **reader[1])
        except Unreadable as error:
            assert str(error)

    check()


def test_an_alias_in_yaml_is_refused_before_it_is_a_billion(children: Children, tmp_path: Path):
    lines = ["a0: &a0 [lol, lol]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    with pytest.raises(Unreadable, match="alias"):
        asked(children, "gradescope", "\n".join(lines).encode(), tmp_path, folders=["a11"])


@pytest.mark.parametrize(
    "content",
    [b"[" * 200_000, b"- " * 30_000 + b"x", b"!!python/object/apply:os.system ['touch /tmp/x']", b"a: !!binary x"],
)
def test_hostile_yaml_is_unreadable(children: Children, tmp_path: Path, content: bytes):
    with pytest.raises(Unreadable):
        asked(children, "gradescope", content, tmp_path, folders=[])
    assert asked(children, "stamp", b"still here", tmp_path) == "still here"


def test_a_process_that_takes_too_long_is_ended_and_the_next_request_gets_another(children: Children, tmp_path: Path):
    long = b"a: [" + b"1, " * 2_500_000 + b"]"
    with pytest.raises(Unreadable, match="processor time"):
        asked(children, "gradescope", long, tmp_path, folders=[], seconds=0.2)
    assert asked(children, "stamp", b"fine", tmp_path) == "fine"


def test_an_answer_over_a_mebibyte_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    program = tmp_path / "program.py"
    program.write_text("import sys; sys.stdin.readline(); print('[' * 3_000_000, flush=True); sys.stdin.read()")
    monkeypatch.setattr(child, "_PROGRAM", program)
    with Children() as some, pytest.raises(Unreadable, match="more of it"):
        some.ask("anything")


@pytest.mark.parametrize("said", ["[1]", "NaN", '{"value": NaN}', "[" * 5_000, "{}", '{"stopped": ["x"]}', '{"a'])
def test_an_answer_that_is_none_is_the_files_trouble(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str):
    program = tmp_path / "program.py"
    program.write_text(f"import sys; sys.stdin.readline(); print({said!r}, flush=True); sys.stdin.read()")
    monkeypatch.setattr(child, "_PROGRAM", program)
    with Children() as some, pytest.raises(Unreadable):
        some.ask("anything")


def test_no_command_line_names_a_submission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    started = []
    popen = child.subprocess.Popen
    monkeypatch.setattr(
        child.subprocess, "Popen", lambda command, **more: started.append(command) or popen(command, **more)
    )
    unpacked({"Secret Name.zip": zipped({"notebook.ipynb": NOTEBOOK}), "anna/model.onnx": b"x"}, tmp_path / "given")
    taken(tmp_path / "given", tmp_path)
    assert started and not any("Secret" in part or str(tmp_path) in part for command in started for part in command)


# --- the limits of one submission, over all its archives ----------------------------------------


def tar_bz2(name: str, size: int) -> bytes:
    """One member of zeros: 10 MB are 50 bytes."""
    info = tarfile.TarInfo(name)
    info.size = size
    zeros = bz2.compress(bytes(10**7)) * (size // 10**7)
    return bz2.compress(info.tobuf(tarfile.GNU_FORMAT)) + zeros + bz2.compress(bytes(10_240))


@pytest.mark.parametrize("name", ["model.bin", ".git/pack", "__MACOSX/x"])
def test_what_is_skipped_in_a_tar_counts(tmp_path: Path, name: str):
    unpacked({"mia.tar.bz2": tar_bz2(name, 150 * 10**6), **CLASS}, tmp_path / "given")
    found = taken(tmp_path / "given", tmp_path, total_bytes=90 * 10**6)
    assert codes(found["mia"]) == ["archive-too-large"]


@pytest.mark.parametrize("kind", ["zip", "7z"])
def test_what_is_skipped_counts_in_every_kind(tmp_path: Path, kind: str):
    members = {".git/pack": bytes(3 * 10**6), "notebook.ipynb": NOTEBOOK}
    (tmp_path / "given").mkdir()
    file = tmp_path / "given" / f"mia.{kind}"
    if kind == "zip":
        file.write_bytes(zipped(members))
    else:
        import py7zr

        with py7zr.SevenZipFile(file, "w") as archive:
            for name, content in members.items():
                archive.writestr(content, name)
    assert codes(taken(tmp_path / "given", tmp_path, total_bytes=2 * 10**6)["mia"]) == ["archive-too-large"]


def test_archives_in_an_archive_share_its_limits(tmp_path: Path):
    """Each alone is allowed."""
    inner = {f"{n}.zip": zipped({f"{n}.bin": os.urandom(600_000)}) for n in range(4)}
    loose = {f"tom/{name}": content for name, content in inner.items()}
    unpacked({"mia.zip": zipped(inner), **loose}, tmp_path / "given")
    found = taken(tmp_path / "given", tmp_path, total_bytes=4 * 10**6)
    for name in ("mia", "tom"):
        assert codes(found[name]).count("archive-too-large") >= 2, name
        held = [path.stat().st_size for path in found[name].root.rglob("*") if path.is_file()]
        assert sum(held) <= 4 * 10**6


def test_a_ratio_is_of_the_whole_submission(tmp_path: Path):
    """Three nested ones of 90 MB each are no 270 MB from 4 KB."""
    inner = {f"{n}.tar.bz2": tar_bz2("x.bin", 90 * 10**6) for n in range(3)}
    unpacked({"mia.zip": zipped(inner), **CLASS}, tmp_path / "given")
    found = taken(tmp_path / "given", tmp_path)
    assert codes(found["mia"]).count("archive-too-large") == 2


def test_honest_litter_is_left_out_and_costs_no_file(tmp_path: Path):
    """A virtual environment of 21,000 files, git's folder, macOS's: more than a submission may have of its own."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("notebook.ipynb", NOTEBOOK)
        archive.writestr("model.onnx", b"x")
        for number in range(21_000):
            archive.writestr(f".venv/lib/{'deep/' * (number % 40)}{number}.py", b"")
        archive.writestr(".git/objects/pack", os.urandom(10_000))
        archive.writestr("__MACOSX/._notebook.ipynb", b"x")
    unpacked({"mia.zip": stream.getvalue(), **CLASS}, tmp_path / "given")
    one = taken(tmp_path / "given", tmp_path)["mia"]
    assert codes(one) == [] and one.notebook and one.model
    assert sum(path.is_file() for path in one.root.rglob("*")) == 2


def test_more_members_than_any_litter_has_are_too_many(tmp_path: Path):
    unpacked({"mia.zip": zipped({f".git/{n}": b"" for n in range(60)}), **CLASS}, tmp_path / "given")
    assert codes(taken(tmp_path / "given", tmp_path, members=50)["mia"]) == ["archive-too-large"]


# --- one entry's trouble ------------------------------------------------------------------------

TROUBLE = [RuntimeError("x"), MemoryError(), RecursionError(), OSError(36, "File name too long"), UnicodeError("x")]


@pytest.mark.parametrize("error", TROUBLE, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize(
    "where", [(copying, "_unpack_nested"), (plain_deliveries, "_of_one")], ids=lambda where: where[1]
)
def test_trouble_of_ours_with_one_entry_leaves_the_others_as_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: tuple, error: Exception
):
    module, name = where
    honest = getattr(module, name)

    def broken(about, *more):
        if "anna" in str(about):
            raise error
        return honest(about, *more)

    monkeypatch.setattr(module, name, broken)
    unpacked(CLASS, tmp_path / "given")
    found = taken(tmp_path / "given", tmp_path)
    assert codes(found["anna"])[-1:] == ["harness-defect"]
    assert codes(found["bert"]) == [] and found["bert"].model


def test_a_full_disk_is_no_entrys_trouble():
    def full() -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(MachineError, match="No space left"):
        kept_apart("intake", full, lambda why: None)
    assert kept_apart("intake", lambda: 1 // 0, lambda why: why) == finding(
        "harness-defect", reason="intake: ZeroDivisionError", detail="integer division or modulo by zero"
    )


def test_what_an_exception_of_intake_says_is_the_instructors():
    """It may quote another's name, or a folder of the machine; the message stands on the student's page."""

    def fails() -> None:
        raise KeyError("victimvera")

    found = kept_apart("intake", fails, lambda why: why)
    assert found and "victimvera" not in found.message and "victimvera" in found.detail


@pytest.mark.parametrize("name", [b"\xe9" * 200 + b".onnx", b"\xff\xfe.ipynb", b"a\xed\xa0\x80.onnx"])
def test_a_loose_file_with_a_name_in_another_encoding(tmp_path: Path, name: bytes):
    """Latin-1: 200 letters of one byte are 400 in UTF-8, longer than a name may be."""
    unpacked(CLASS, tmp_path / "given")
    Path(os.fsdecode(os.fsencode(tmp_path / "given") + b"/" + name)).write_bytes(b"x")
    found = taken(tmp_path / "given", tmp_path)
    assert len(found) == 3
    assert all(codes(found[name]) == [] for name in ("anna", "bert"))
    for one in found.values():
        one.student.encode()
        one.identity.encode()
        "".join(codes(one)).encode()


def test_a_damaged_member_of_the_class_zip_costs_one_submission(tmp_path: Path):
    content = bytearray(
        zipped({f"{name}/model.onnx": os.urandom(50) + bytes(500) for name in ("anna", "bert", "cora")})
    )
    at = content.index(b"bert/model.onnx") + len("bert/model.onnx")
    content[at : at + 20] = b"\xff" * 20
    (tmp_path / "class.zip").write_bytes(content)
    found = taken(tmp_path / "class.zip", tmp_path)
    assert {name: codes(one) for name, one in found.items()} == {
        "anna": [], "bert": ["archive-unreadable"], "cora": [],
    }  # fmt: skip


def test_an_archive_of_a_class_is_listed_by_pages(tmp_path: Path, children: Children):
    names = sorted(f"{number:05}{'é' * 100}.txt" for number in range(9_000))
    with zipfile.ZipFile(tmp_path / "class.zip", "w") as archive:
        for name in names:
            archive.writestr(name, b"")
    place = ArchivePlace(tmp_path / "class.zip", children)
    assert [entry.name for entry in place.entries()] == names


def test_no_entry_of_a_class_zip_that_is_none_is_believed(tmp_path: Path, children: Children):
    (tmp_path / "class.zip").write_bytes(b"PK\x05\x06" + bytes(18))
    assert ArchivePlace(tmp_path / "class.zip", children).entries() == ()
    (tmp_path / "other.zip").write_bytes(b"no zip")
    with pytest.raises(UsageError, match="cannot be read as a zip"):
        ArchivePlace(tmp_path / "other.zip", children)


def test_a_link_is_read_by_nobody(tmp_path: Path, children: Children):
    (tmp_path / "timestamp.txt").symlink_to("/etc/passwd")
    with pytest.raises(Unreadable):
        FolderPlace(tmp_path, children).ask("stamp", "timestamp.txt")
