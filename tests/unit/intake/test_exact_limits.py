"""Limits of what is handed in: exactly at each a submission is taken, one beyond it is not."""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import asdict
from pathlib import Path

import pytest
from downloads import NOTEBOOK, unpacked, zipped

from harness.apart.submissions import budget, class_zip, zip_file
from harness.apart.submissions.budget import Budget, Spent, UnpackLimits
from harness.apart.submissions.noticed import Stopped
from harness.inputs.submissions import collect, copying

DOCS = Path(__file__).parents[3] / "docs"
FREE = 100 * 10**6  # bytes below which no ratio is looked at


def stops(work) -> bool:
    try:
        work()
    except Stopped as stopped:
        assert stopped.noticed.code in ("archive-too-large", "unsafe-path")
        return True
    return False


def test_the_limits_are_the_documented_ones():
    page = re.sub(r"\s+", " ", (DOCS / "intake.md").read_text())
    said = re.search(r"its limits: (\d+) GB, ([\d,]+) files, ([\d,]+) members, (\d+) times its own size, ten min", page)
    assert said is not None
    limits = UnpackLimits()
    assert limits.total_bytes == int(said[1]) * 10**9
    assert (limits.files, limits.members) == tuple(int(said[n].replace(",", "")) for n in (2, 3))
    assert (limits.ratio, limits.seconds) == (int(said[4]), 600)
    assert (limits.depth, limits.name_bytes, limits.path_bytes) == (32, 255, 1024)


@pytest.mark.parametrize("already", [0, 2])
def test_files_and_members_are_counted_up_to_the_limit(already: int):
    of_all = Budget(UnpackLimits(files=5, members=7), spent=Spent(files=already, members=already))
    assert [stops(of_all.entry) for _ in range(6 - already)] == [False] * (5 - already) + [True]
    assert [stops(of_all.member) for _ in range(8 - already)] == [False] * (7 - already) + [True]


@pytest.mark.parametrize("ask", ["count", "expect"])
def test_bytes_are_counted_up_to_the_limit(ask: str):
    one = Budget(UnpackLimits(total_bytes=100), spent=Spent(bytes=40))
    assert not stops(lambda: getattr(one, ask)(60))
    assert stops(lambda: getattr(Budget(UnpackLimits(total_bytes=100), spent=Spent(bytes=40)), ask)(61))


def test_what_was_counted_stays_counted_and_what_is_expected_does_not():
    one = Budget(UnpackLimits(total_bytes=100))
    one.expect(100)
    one.count(60)
    assert stops(lambda: one.count(41)) and not stops(lambda: one.count(40))
    assert one.used(2.5) == Spent(bytes=100, files=0, members=0, seconds=2.5)
    assert Budget(UnpackLimits(), spent=Spent(seconds=2)).used(0.5).seconds == 2.5


@pytest.mark.parametrize(
    ("packed", "size", "too_much"),
    [
        (1, FREE, False),
        (1, FREE + 1, True),
        (10**6, 500 * 10**6, False),
        (10**6, 500 * 10**6 + 1, True),
        (200_000, FREE, False),
        (200_000, FREE + 1, True),
        (None, 4 * 10**9, False),
    ],
)
def test_beyond_a_hundred_megabytes_it_unpacks_to_500_times_its_size_at_most(packed, size: int, too_much: bool):
    assert stops(lambda: Budget(UnpackLimits(), packed).count(size)) == too_much


@pytest.mark.parametrize(
    ("name", "too_long"),
    [
        ("/".join(["a"] * 32), False),
        ("/".join(["a"] * 33), True),
        ("é" * 127 + "a", False),  # 255 bytes
        ("é" * 128, True),
        ("/".join(["a" * 204] * 4 + ["b" * 204]), False),  # 1,024 bytes
        ("/".join(["a" * 204] * 4 + ["b" * 205]), True),
    ],
)
def test_names_are_bounded_in_bytes_and_folders_in_depth(name: str, too_long: bool):
    assert stops(lambda: Budget(UnpackLimits()).path(name)) == too_long


@pytest.mark.parametrize(
    "name",
    [".DS_Store", "a/Thumbs.db", "__MACOSX/a", ".git/a", "a/.venv/b", "a/._b", "a/__MACOSX/b", "@eaDir/x", "", "./"],
)
def test_litter_is_nothing_to_take(name: str):
    assert Budget(UnpackLimits()).path(name) is None


@pytest.mark.parametrize("name", [".gitignore", "a/.env", "MACOSX/a", "a/lib/b", "bin/run.py"])
def test_a_hidden_file_is_taken(name: str):
    assert str(Budget(UnpackLimits()).path(name)) == name


# --- two of everything --------------------------------------------------------------------------


@pytest.mark.parametrize(("missing", "taken"), [(0, True), (1, False)])
def test_two_archives_of_one_submission_share_its_limit(tmp_path: Path, missing: int, taken: bool):
    """The archives are copied, which counts, and then unpacked."""
    (tmp_path / "given").mkdir()
    for number in (1, 2):
        name = f"devriesanna_12345_67890{number}_part{number}.zip"
        (tmp_path / "given" / name).write_bytes(zipped({f"{number}.ipynb": b"x" * 1000}))
    total = 2000 + sum(file.stat().st_size for file in (tmp_path / "given").iterdir()) - missing
    [one] = collect(tmp_path / "given", tmp_path / "work", UnpackLimits(total_bytes=total))
    assert ("archive-too-large" not in [found.code for found in one.findings]) == taken


@pytest.mark.parametrize(("count", "unpacked_all"), [(copying._MOST_NESTED, True), (copying._MOST_NESTED + 1, False)])
def test_five_archives_in_a_submission_are_unpacked(tmp_path: Path, count: int, unpacked_all: bool):
    inside = {f"{number}.zip": zipped({f"{number}.txt": b"x"}) for number in range(count)}
    unpacked({f"anna/{name}": content for name, content in inside.items()}, tmp_path / "given")
    unpacked({"anna/notebook.ipynb": NOTEBOOK}, tmp_path / "given")
    [one] = collect(tmp_path / "given", tmp_path / "work")
    assert copying._MOST_NESTED == 5
    assert (len(list(one.root.rglob("*.txt"))) == count) == unpacked_all


# --- zip ----------------------------------------------------------------------------------------


def stored(*contents: bytes) -> zipfile.ZipFile:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for number, content in enumerate(contents):
            archive.writestr(f"{number}", content)
    return zipfile.ZipFile(stream)


def test_members_may_touch_and_not_overlap():
    """A local header takes 30 bytes and the name; the check knows of the 30."""
    opened = stored(b"abc", b"defg", b"hi")
    members = opened.infolist()
    zip_file.check_overlap(members[::-1], opened.start_dir)
    first, second, last = members
    room = second.header_offset - first.header_offset
    first.compress_size = room - 30
    zip_file.check_overlap(members, opened.start_dir)
    for one, size in ((first, room - 29), (last, opened.start_dir - last.header_offset - 29)):
        before, one.compress_size = one.compress_size, size
        with pytest.raises(zipfile.BadZipFile, match="overlap"):
            zip_file.check_overlap(members[::-1], opened.start_dir)
        one.compress_size = before


def test_two_members_at_one_place_overlap():
    opened = stored(b"abc", b"def")
    one, other = opened.infolist()
    other.header_offset = one.header_offset
    with pytest.raises(zipfile.BadZipFile):
        zip_file.check_overlap([one, other], opened.start_dir)


def test_overlapping_members_are_seen_before_the_first_file_is_written(tmp_path: Path):
    content = bytearray(zipped({"one": b"x" * 50, "two": b"y" * 50}))
    second = content.rfind(b"PK\x01\x02")
    content[second + 42 : second + 46] = bytes(4)  # where its local header is: at the first one's
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(zipfile.BadZipFile):
        zip_file.unpack_zip(tmp_path / "a.zip", tmp_path / "to", Budget(UnpackLimits()))
    assert not (tmp_path / "to").exists()


def test_the_size_of_the_list_of_members_is_read_before_it(tmp_path: Path):
    (tmp_path / "a.zip").write_bytes(zipped({"one": b"x", "another": b"y"}))
    expected = sum(46 + len(name) for name in ("one", "another"))
    assert zip_file.directory_bytes(tmp_path / "a.zip") == expected
    (tmp_path / "none").write_bytes(b"no zip")
    assert zip_file.directory_bytes(tmp_path / "none") == 0


@pytest.mark.parametrize(("announced", "stopped"), [(32 << 20, False), ((32 << 20) + 1, True)])
def test_a_list_of_members_over_32_mebibytes_is_not_read(tmp_path: Path, announced: int, stopped: bool):
    content = bytearray(zipped({"one": b"x"}))
    at = content.rfind(b"PK\x05\x06")
    content[at + 12 : at + 16] = announced.to_bytes(4, "little")
    (tmp_path / "a.zip").write_bytes(content)
    try:
        zip_file.unpack_zip(tmp_path / "a.zip", tmp_path / "to", Budget(UnpackLimits()))
    except (Stopped, zipfile.BadZipFile) as error:
        assert isinstance(error, Stopped) == stopped


def test_a_class_zip_may_hold_more_than_a_students():
    assert (class_zip._DIRECTORY, class_zip._MOST_MEMBERS) == (128 << 20, 500_000)
    assert class_zip._DIRECTORY > zip_file.DIRECTORY and asdict(UnpackLimits())["members"] < class_zip._MOST_MEMBERS
    assert budget.CHUNK == 1 << 20
