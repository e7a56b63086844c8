"""Archives that lead outside, or unpack to too much: stopped, and what is said of it."""

from __future__ import annotations

import io
import os
import stat
import subprocess
import tarfile
import zipfile
import zlib
from pathlib import Path

import pytest
from archive_files import codes, files, taken, tar_info, write_7z, write_tar, write_zip


@pytest.fixture
def incoming(tmp_path: Path) -> Path:
    folder = tmp_path / "submissions"
    folder.mkdir()
    return folder


@pytest.mark.hostile(line=1, expected="F unsafe path, rest not unpacked")
@pytest.mark.parametrize("kind", ["zip", "tar.gz", "7z"])
def test_a_name_that_climbs_out_stops_the_unpacking(incoming, got, kind: str):
    archive = incoming / f"mia.{kind}"
    members = {"notebook.ipynb": b"{}", "../../escaped": b"x"}
    if kind == "zip":
        write_zip(archive, members)
    elif kind == "7z":
        write_7z(archive, {"notebook.ipynb": b"{}", "aa/aa/escaped": b"x"})
        content = archive.read_bytes()
        packed = "aa/aa/escaped".encode("utf-16-le")
        assert content.count(packed) == 1
        changed = content.replace(packed, "../../escaped".encode("utf-16-le"))
        start = 32 + int.from_bytes(changed[12:20], "little")
        header = changed[start : start + int.from_bytes(changed[20:28], "little")]
        changed = changed[:28] + zlib.crc32(header).to_bytes(4, "little") + changed[32:]
        archive.write_bytes(changed[:8] + zlib.crc32(changed[12:32]).to_bytes(4, "little") + changed[12:])
    else:
        write_tar(archive, *((tar_info(name), content) for name, content in members.items()))
    one = taken(incoming)["mia"]
    assert codes(one) == ["unsafe-path"]
    assert files(one) == []
    assert not list(incoming.parent.parent.rglob("escaped"))
    got(codes(one)[0])


@pytest.mark.hostile(line=2, expected="F")
@pytest.mark.parametrize(
    "name",
    [
        "/etc/cron.d/x",
        "//server/x",
        "C:\\x",
        "C:/x",
        "c:x",
        "a\\..\\..\\b",
        "\\\\server\\x",
        "a\x00/../../b",
        "..",
        "a/../b",
    ],
)
def test_absolute_names_drive_letters_and_backslashes_are_refused(incoming, got, name: str):
    with zipfile.ZipFile(incoming / "mia.zip", "w") as archive:
        info = zipfile.ZipInfo("placeholder")
        info.filename = name  # ZipInfo's own constructor would tidy it
        archive.writestr(info, b"x")
        archive.writestr("notebook.ipynb", b"{}")
    one = taken(incoming)["mia"]
    assert codes(one) == ["unsafe-path"]
    assert files(one) == []
    got(codes(one)[0])


@pytest.mark.hostile(line=3, expected="F, never followed or created")
def test_links_devices_fifos_and_set_id_files_are_left_out_of_a_tar(incoming, got):
    secret = incoming.parent / "secret"
    secret.write_text("secret")
    write_tar(
        incoming / "mia.tar.gz",
        (tar_info("notebook.ipynb"), b"{}"),
        (tar_info("labels.txt", tarfile.SYMTYPE, "/etc/passwd"), b""),
        (tar_info("handin.json", tarfile.LNKTYPE, str(secret)), b""),
        (tar_info("folder", tarfile.SYMTYPE, str(incoming.parent)), b""),
        (tar_info("folder/through-the-link", tarfile.REGTYPE), b"x"),
        (tar_info("disk", tarfile.BLKTYPE), b""),
        (tar_info("terminal", tarfile.CHRTYPE), b""),
        (tar_info("pipe", tarfile.FIFOTYPE), b""),
        (tar_info("shell", mode=0o4755), b"x"),
        (tar_info("group-shell", mode=0o2755), b"x"),
    )
    one = taken(incoming)["mia"]
    assert set(codes(one)) == {"unsafe-member"}
    assert len(one.findings) == 8
    assert files(one) == ["folder/through-the-link", "notebook.ipynb"]
    assert not (incoming.parent / "through-the-link").exists()
    assert all(path.lstat().st_mode & 0o7000 == 0 and not path.is_symlink() for path in one.root.rglob("*"))
    got("8 x unsafe-member; the plain files are graded")


@pytest.mark.hostile(line=3, expected="F, never followed or created")
def test_a_link_and_a_set_id_file_are_left_out_of_a_zip(incoming, got):
    with zipfile.ZipFile(incoming / "mia.zip", "w") as archive:
        for name, mode in (
            ("labels.txt", stat.S_IFLNK | 0o777),
            ("shell", stat.S_IFREG | 0o4755),
            ("notebook.ipynb", 0),
        ):
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            archive.writestr(info, "/etc/passwd")
    one = taken(incoming)["mia"]
    assert codes(one) == ["unsafe-member", "unsafe-member"]
    assert files(one) == ["notebook.ipynb"]
    got("2 x unsafe-member")


@pytest.mark.hostile(line=4, expected="L unpacked size or ratio", makes_much=True)
@pytest.mark.parametrize("kind", ["zip", "tar.gz", "tar.bz2", "tar.xz", "7z"])
def test_a_bomb_is_stopped_by_its_ratio(incoming, got, kind: str):
    archive = incoming / f"mia.{kind}"
    zeros = bytes(150 * 10**6)
    if kind == "zip":
        write_zip(archive, {"zeros": zeros})
    elif kind == "7z":
        write_7z(archive, {"zeros": zeros})
    else:
        with tarfile.open(
            archive, f"w:{kind[4:]}", **({"compresslevel": 1} if kind[4:] != "xz" else {"preset": 0})
        ) as packed:
            info = tarfile.TarInfo("zeros")
            info.size = len(zeros)
            packed.addfile(info, io.BytesIO(zeros))
    assert archive.stat().st_size < 10**6 or kind in ("tar.gz", "tar.bz2")
    one = taken(incoming, ratio=100)["mia"]
    assert codes(one) == ["archive-too-large"]
    assert files(one) == []
    got(one.findings[0].message)


@pytest.mark.hostile(line=4, expected="L unpacked size or ratio")
def test_a_bomb_that_lies_about_its_size_is_stopped_while_it_unpacks(incoming, got):
    write_zip(incoming / "mia.zip", {"zeros": bytes(30 * 10**6)})
    content = (incoming / "mia.zip").read_bytes()
    honest = (30 * 10**6).to_bytes(4, "little")
    assert content.count(honest) == 2
    (incoming / "mia.zip").write_bytes(content.replace(honest, (1000).to_bytes(4, "little")))
    one = taken(incoming, total_bytes=10**6)["mia"]
    assert codes(one)[0] in ("archive-too-large", "archive-unreadable")
    assert files(one) == []
    got(one.findings[0].message)


@pytest.mark.hostile(line=4, expected="L unpacked size or ratio")
def test_a_nested_bomb_is_not_unpacked_further(incoming, got):
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(20 * 10**6))
    write_zip(incoming / "mia.zip", {f"{number}.zip": inner.getvalue() for number in range(16)})
    write_zip(incoming / "ben.zip", {"model.onnx": b"x"})  # a folder with one zip of zips would be a whole class
    one = taken(incoming, total_bytes=10**6)["mia"]
    assert sum((one.root / name).stat().st_size for name in files(one)) < 10**6
    got(f"{len(files(one))} inner archives left as they are")


@pytest.mark.hostile(line=4, expected="L unpacked size or ratio")
def test_members_that_overlap_are_refused(incoming, got):
    """Two entries of the list point to one file: Fifield's bomb, with a kernel of two."""
    write_zip(incoming / "mia.zip", {"a": os.urandom(5000), "b": b""})
    with zipfile.ZipFile(incoming / "mia.zip", "a") as archive:
        first, second = archive.infolist()
        second.header_offset, second.compress_size, second.CRC = first.header_offset, first.compress_size, first.CRC
        second.file_size, second.compress_type = first.file_size, first.compress_type
        archive._didModify = True
    one = taken(incoming)["mia"]
    assert codes(one) == ["archive-unreadable"]
    assert "overlap" in one.findings[0].message
    got(one.findings[0].message)


@pytest.mark.hostile(line=4, expected="L unpacked size or ratio")
@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME])
def test_a_tar_header_that_wants_all_memory_ends_the_unpacking_not_the_harness(incoming, got, kind: bytes):
    """tarfile reads such a header whole; in a .gz it takes no room: 6 GB in 6 MB."""
    info = tarfile.TarInfo("header")
    info.type, info.size = kind, 6 * 10**9
    packer = zlib.compressobj(1, wbits=31)
    with (incoming / "mia.tar.gz").open("wb") as stream:
        stream.write(packer.compress(info.tobuf(tarfile.GNU_FORMAT)))
        for _ in range(1500):
            stream.write(packer.compress(bytes(10**6)))
        stream.write(packer.flush())
    one = taken(incoming)["mia"]
    assert codes(one)[0] in ("archive-too-large", "archive-unreadable")
    assert files(one) == []
    got(one.findings[0].message)


@pytest.mark.hostile(line=5, expected="L")
@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
def test_a_million_empty_files_are_stopped(incoming, got, kind: str):
    archive = incoming / f"mia.{kind}"
    if kind == "zip":
        with zipfile.ZipFile(archive, "w") as packed:
            for number in range(60_000):  # three times the limit
                packed.writestr(zipfile.ZipInfo(f"{number}/"), b"")
    else:
        packer = zlib.compressobj(1, wbits=31)
        with archive.open("wb") as stream:
            for number in range(1_000_000):
                if number > 50_000:
                    break  # the limit is long passed
                stream.write(packer.compress(tar_info(f"{number}", tarfile.DIRTYPE).tobuf()))
            stream.write(packer.flush())
    one = taken(incoming)["mia"]
    assert codes(one) == ["archive-too-large"]
    got(one.findings[0].message)


@pytest.mark.hostile(line=5, expected="L")
@pytest.mark.parametrize("name", ["d/" * 300 + "f", "n" * 5000, "/".join(["part-of-a-path" * 10] * 20)])
def test_long_and_deep_paths_are_stopped(incoming, got, name: str):
    write_zip(incoming / "mia.zip", {name: b"x"})
    write_tar(incoming / "tom.tar.gz", (tar_info(name), b"x"))
    for one in taken(incoming).values():
        assert codes(one) == ["archive-too-large"]
        got(one.findings[0].message)


@pytest.mark.hostile(line=5, expected="L")
def test_a_deep_folder_on_disk_is_stopped(incoming, got):
    """Deeper than a path may be long: made, and to be removed, step by step."""
    here = os.open(incoming, os.O_RDONLY)
    (incoming / "mia").mkdir()
    levels = 3000
    try:
        inside = os.open("mia", os.O_RDONLY, dir_fd=here)
        for _ in range(levels):
            os.mkdir("d", dir_fd=inside)
            below = os.open("d", os.O_RDONLY, dir_fd=inside)
            os.close(inside)
            inside = below
        os.close(inside)
    finally:
        os.close(here)
    try:
        one = taken(incoming)["mia"]
    finally:
        subprocess.run(["rm", "-rf", str(incoming / "mia")], check=True)
    assert codes(one) == ["archive-too-large"]
    got(one.findings[0].message)
