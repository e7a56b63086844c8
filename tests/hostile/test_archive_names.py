"""Archives and folders with odd names, damaged, or changed while they are read: what is taken, and what is said."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import tarfile
import threading
import zipfile
from pathlib import Path

import pytest
from archive_files import codes, files, taken, tar_info, write_7z, write_tar, write_zip

from harness.errors import MachineError
from harness.inputs.submissions import collect


@pytest.fixture
def incoming(tmp_path: Path) -> Path:
    folder = tmp_path / "submissions"
    folder.mkdir()
    return folder


@pytest.mark.hostile(line=6, expected="F, deterministic choice")
@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_twins_by_name_case_or_unicode_form_count_once_the_first(incoming, got, kind: str):
    names = ["model.onnx", "model.onnx", "MODEL.onnx", "\u00e9.txt", "e\u0301.txt", "stra\u00dfe", "STRASSE"]
    members = [(name, str(number).encode()) for number, name in enumerate(names)]
    if kind == "zip":
        with zipfile.ZipFile(incoming / "mia.zip", "w") as archive:
            for name, content in members:
                archive.writestr(name, content)
    else:
        write_tar(incoming / "mia.tar.gz", *((tar_info(name), content) for name, content in members))
    one = taken(incoming)["mia"]
    assert codes(one) == ["duplicate-name"] * 4
    assert {name: (one.root / name).read_bytes() for name in files(one)} == {
        "model.onnx": b"0", "\u00e9.txt": b"3", "stra\u00dfe": b"5",
    }  # fmt: skip
    got("4 x duplicate-name; the first one counts")


@pytest.mark.hostile(line=6, expected="F, deterministic choice")
def test_ten_thousand_twins_do_not_make_ten_thousand_findings(incoming, got):
    write_tar(incoming / "mia.tar.gz", *((tar_info("model.onnx"), b"x") for _ in range(10_000)))
    one = taken(incoming)["mia"]
    assert 1 <= len(one.findings) <= 10
    got(f"{len(one.findings)} findings")


ODD_NAMES = [
    "new\nline", "-rf", "rtl\u202egnp", "emoji \U0001f600", ".hidden", "CON", 'quo"te', "it's", "$(touch x)", "`id`",
    "%s%n", "<img src=x onerror=alert(1)>", "a:b,c=d", "tab\there", "=1+1", "a;b|c&e", "{0}", "{{7*7}}", "back\\slash",
]  # fmt: skip


@pytest.mark.hostile(line=7, expected="handled as plain text everywhere")
def test_odd_names_of_files_and_of_hand_ins_are_taken_as_they_are(incoming, got):
    for name in ODD_NAMES:
        place = incoming / name
        place.mkdir()
        (place / f"{name}.ipynb").write_text("{}")
        (place / f"{name}.onnx").write_bytes(b"x")
    long = incoming / ("n" * 255)
    long.mkdir()
    (long / ("n" * 250 + ".onnx")).write_bytes(b"x")
    found = taken(incoming)
    shown = [name for name in ODD_NAMES if name != ".hidden"]
    assert sorted(one.student for one in found.values()) == sorted([*shown, "n" * 255])
    for id, one in found.items():
        assert id.isascii() and all(c.isalnum() or c in "-_" for c in id) and not id.startswith("-")
        assert id.upper() not in ("CON", "NUL") and len(id) <= 80
        assert one.findings == ()
        assert (one.root / str(one.model)).is_file()
    got(f"{len(found)} submissions, no finding")


@pytest.mark.hostile(line=7, expected="handled as plain text everywhere")
def test_names_that_are_no_utf8_are_read_as_windows_wrote_them(incoming, got):
    Path(os.fsdecode(os.fsencode(incoming) + b"/M\xfcller")).mkdir()
    Path(os.fsdecode(os.fsencode(incoming) + b"/M\xfcller/L\xf6sung.ipynb")).write_text("{}")
    info = tar_info("x")
    info.name = os.fsdecode(b"L\xf6sung.ipynb")
    with tarfile.open(incoming / "mia.tar.gz", "w:gz", encoding="utf-8") as archive:
        archive.addfile(info)
    with zipfile.ZipFile(incoming / "tom.zip", "w") as archive:  # macOS writes UTF-8 and does not say so
        archive.writestr("Loesung.ipynb", "{}")
    content = (incoming / "tom.zip").read_bytes().replace(b"Loesung", "Lösung".encode())
    (incoming / "tom.zip").write_bytes(content)
    for one in taken(incoming).values():
        assert one.notebook == Path("Lösung.ipynb"), one.id
        str(one.student).encode()
    got("Lösung.ipynb in each")


@pytest.mark.hostile(line=8, expected="F with what to hand in instead")
@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("empty.zip", b"", "empty"),
        ("cut.zip", b"PK\x03\x04 nothing more", "cut off or damaged"),
        ("rar.zip", b"Rar!\x1a\x07\x01\x00 and so on", ".rar"),
        ("mia.rar", b"Rar!\x1a\x07\x01\x00 and so on", ".rar"),
        ("page.zip", b"<!doctype html><title>Log in", "no zip, tar or 7z"),
        ("cut.7z", b"7z\xbc\xaf\x27\x1c\x00\x04" + bytes(40), ""),
        ("cut.tar.gz", b"\x1f\x8b\x08\x00" + bytes(6), ""),
        ("cut.tar.xz", b"\xfd7zXZ\x00" + bytes(20), ""),
    ],
)
def test_an_archive_that_is_none_says_what_to_hand_in(incoming, got, name: str, content: bytes, said: str):
    (incoming / name).write_bytes(content)
    (one,) = taken(incoming).values()
    assert codes(one) == ["archive-unreadable"]
    assert said in one.findings[0].message
    assert "Hand in a .zip" in one.findings[0].message
    got(one.findings[0].message)


@pytest.mark.hostile(line=8, expected="F with what to hand in instead")
def test_encrypted_archives_are_told_from_damaged_ones(incoming, got):
    write_7z(incoming / "tom.7z", {"notebook.ipynb": b"{}"}, password="secret")
    write_zip(incoming / "mia.zip", {"notebook.ipynb": b"{}"})
    content = bytearray((incoming / "mia.zip").read_bytes())
    for magic, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(magic) + flags] |= 1
    (incoming / "mia.zip").write_bytes(content)
    for one in taken(incoming).values():
        assert codes(one) == ["archive-unreadable"]
        assert "encrypted" in one.findings[0].message
        got(one.findings[0].message)


@pytest.mark.hostile(line=8, expected="F with what to hand in instead")
@pytest.mark.parametrize("cut", [0.3, 0.6, 0.95])
def test_a_truncated_archive_is_a_finding(incoming, got, cut: float):
    payload = {"notebook.ipynb": b"{}", "model.onnx": os.urandom(20_000)}
    write_zip(incoming / "a.zip", payload)
    write_7z(incoming / "b.7z", payload)
    write_tar(incoming / "c.tar.gz", *((tar_info(name), content) for name, content in payload.items()))
    for file in incoming.iterdir():
        whole = file.read_bytes()
        file.write_bytes(whole[: int(len(whole) * cut)])
    for one in taken(incoming).values():
        assert codes(one) == ["archive-unreadable"], one.id
        assert files(one) == []
    got("archive-unreadable")


@pytest.mark.hostile(line=8, expected="F with what to hand in instead")
def test_honest_archives_of_every_kind_are_taken(incoming, got):
    """The twin: zip64, 7z, xz, a wrong suffix, a top folder, litter of macOS and Windows, dot files."""
    payload = {
        "Mia's submission/notebook.ipynb": b"{}", "Mia's submission/model.onnx": os.urandom(20_000),
        "Mia's submission/.ipynb_checkpoints/notebook-checkpoint.ipynb": b"{}",
        "__MACOSX/Mia's submission/._notebook.ipynb": b"x", "Mia's submission/._notebook.ipynb": b"x",
        "Mia's submission/.DS_Store": b"x", "Mia's submission/Thumbs.db": b"x",
    }  # fmt: skip
    with zipfile.ZipFile(incoming / "wide.zip", "w") as archive:
        for name, content in payload.items():
            with archive.open(name, "w", force_zip64=True) as stream:
                stream.write(content)
    write_7z(incoming / "seven.7z", payload)
    write_7z(incoming / "seven-called.zip", payload)
    write_tar(incoming / "tar-called.zip", *((tar_info(name), content) for name, content in payload.items()))
    found = taken(incoming)
    assert len(found) == 4
    for one in found.values():
        assert codes(one) == []
        assert (one.notebook, one.model) == (Path("notebook.ipynb"), Path("model.onnx"))
        assert (one.root / "model.onnx").read_bytes() == payload["Mia's submission/model.onnx"]
    got("no finding")


@pytest.mark.hostile(line=9, expected="F")
def test_a_hand_in_that_is_a_link_is_not_followed(incoming, got):
    (incoming / "mia").symlink_to("/etc")
    (incoming / "tom.zip").symlink_to("/etc/passwd")
    for one in taken(incoming).values():
        assert codes(one) == ["unsafe-member"]
        assert files(one) == []
    got("unsafe-member")


@pytest.mark.hostile(line=9, expected="F")
def test_a_file_without_read_permission_is_said_and_the_rest_is_taken(incoming, got):
    """Root may read everything: so it is tried without that power."""
    (incoming / "mia").mkdir()
    for name in ("notebook.ipynb", "model.onnx"):
        (incoming / "mia" / name).write_text("{}")
    (incoming / "mia" / "model.onnx").chmod(0)
    (incoming / "mia" / "closed").mkdir(mode=0)
    (incoming / "tom.zip").write_bytes(b"PK")
    (incoming / "tom.zip").chmod(0)
    script = (
        "import sys, tempfile\n"
        "from pathlib import Path\n"
        "from harness.inputs.submissions import collect\n"
        "for one in collect(Path(sys.argv[1]), Path(tempfile.mkdtemp())):\n"
        "    print(one.id, one.notebook, one.model, *sorted(f.code for f in one.findings))\n"
    )
    command = [sys.executable, "-c", script, str(incoming)]
    done = subprocess.run(command, capture_output=True, text=True, preexec_fn=_without_power, check=False)
    (incoming / "mia" / "closed").chmod(0o700)
    assert done.stdout.splitlines() == [
        "mia notebook.ipynb None file-unreadable file-unreadable", "tom None None archive-unreadable",
    ], done.stderr  # fmt: skip
    got("file-unreadable; the notebook is graded")


def _without_power() -> None:
    """Take CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH from what is started; nothing for an ordinary user."""
    libc = ctypes.CDLL(None)
    for capability in (1, 2):
        libc.prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP


@pytest.mark.hostile(line=9, expected="F")
def test_a_folder_that_changes_while_it_is_read_leads_nowhere_else(incoming, got):
    secret = incoming.parent / "secrets"
    (secret / "deep").mkdir(parents=True)
    (secret / "deep" / "model.onnx").write_text("secret")
    place = incoming / "mia"
    (place / "deep").mkdir(parents=True)
    (place / "deep" / "model.onnx").write_text("mine")
    stop = threading.Event()

    def swap() -> None:
        while not stop.is_set():
            (place / "deep").rename(place / "away")
            (place / "deep").symlink_to(secret / "deep")
            (place / "deep").unlink()
            (place / "away").rename(place / "deep")

    swapper = threading.Thread(target=swap)
    swapper.start()
    try:
        for number in range(60):
            work = incoming.parent / f"work-{number}"
            work.mkdir()
            for one in collect(incoming, work):  # a listing may catch the folder under both names
                assert all((one.root / name).read_text() == "mine" for name in files(one))
    finally:
        stop.set()
        swapper.join()
    got("60 tries, nothing of the other folder")


@pytest.mark.hostile(line=10, expected="L")
def test_a_sparse_file_of_50_gb_is_refused_before_it_is_read(incoming, got):
    for name in ("mia/model.onnx", "tom.onnx", "kim.zip"):
        file = incoming / name
        file.parent.mkdir(exist_ok=True)
        with file.open("wb") as stream:
            stream.truncate(50 * 10**9)
    for one in taken(incoming).values():
        assert codes(one) == ["archive-too-large"]
        got(one.findings[0].message)


@pytest.mark.hostile(line=52, expected="exit 3 or clear error")
@pytest.mark.parametrize("kind", ["zip", "7z", "folder"])
def test_a_full_disk_is_the_machines_trouble_not_the_students(incoming, got, kind: str):
    content = {"notebook.ipynb": b"{}", "model.onnx": os.urandom(3 * 10**6)}
    if kind == "folder":
        (incoming / "mia").mkdir()
        for name, data in content.items():
            (incoming / "mia" / name).write_bytes(data)
    else:
        (write_zip if kind == "zip" else write_7z)(incoming / f"mia.{kind}", content)
    work = incoming.parent / "small disk"
    work.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(work)], check=True)
    try:
        with pytest.raises(MachineError, match="No space left") as error:
            collect(incoming, work)
    finally:
        subprocess.run(["umount", str(work)], check=True)
    assert error.value.exit_status == 3
    got(error.value.message)
