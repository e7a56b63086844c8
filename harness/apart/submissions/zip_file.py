"""Unpacks a zip; every member's name and size is checked before the first file is written."""

from __future__ import annotations

import calendar
import stat
import zipfile
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from .budget import Budget, write
from .noticed import LeftOut, Noticed, Stopped

DIRECTORY = 32 << 20  # bytes of a zip's list of members


def unpack_zip(archive: Path, folder: Path, budget: Budget) -> list[Noticed]:
    """Unpack; return what was left out. Raises `Stopped`, `OutOfRoom`, and what `zipfile` raises for a damaged file."""
    if directory_bytes(archive) > DIRECTORY:
        raise Stopped("archive-too-large", reason=f"it holds over {budget.limits.members} members")
    with zipfile.ZipFile(archive) as opened:
        members = opened.infolist()
        check_overlap(members, opened.start_dir)
        return unpack_members(opened, ((name_of(info), info) for info in members), folder, budget)


def unpack_members(
    opened: zipfile.ZipFile, members: Iterable[tuple[str, zipfile.ZipInfo]], folder: Path, budget: Budget
) -> list[Noticed]:
    """Unpack each (path below `folder`, member); return what was left out. Skipped members count by announced size."""
    left_out = LeftOut()
    chosen: list[tuple[zipfile.ZipInfo, PurePosixPath]] = []
    expected = skipped = 0
    members = list(members)
    budget.listed(name for name, _ in members)
    for name, info in members:  # all names before the first file
        path = budget.path(name)
        budget.member(name, 0 if path else info.file_size)
        if path is None:
            skipped += info.file_size
            continue
        budget.entry(path, info.file_size)
        if name.endswith(("/", "\\")):
            continue
        mode = info.external_attr >> 16 if info.create_system == 3 else 0
        if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
            left_out.note("unsafe-member", name=str(path), kind="link or device")
        elif mode & (stat.S_ISUID | stat.S_ISGID):
            left_out.note("unsafe-member", name=str(path), kind="set-id file")
        elif budget.twin(path):
            left_out.note("duplicate-name", name=str(path))
        else:
            chosen.append((info, path))
            expected += info.file_size
    budget.count(skipped)
    budget.expect(expected)
    for info, path in chosen:
        with opened.open(info) as stream:
            write(budget.counted(stream), folder / path, _changed(info))
    return [*left_out.noticed, *budget.noticed()]


def _changed(info: zipfile.ZipInfo) -> float:
    """When the member was last changed, in seconds since 1970 by the packer's clock; 0 for a date that is none."""
    try:
        return calendar.timegm((*info.date_time, 0, 0, 0))
    except (ValueError, OverflowError):
        return 0


def name_of(info: zipfile.ZipInfo) -> str:
    """The member's whole name, also after a NUL; UTF-8 is recognised without its flag."""
    name = info.orig_filename if "\x00" in info.orig_filename else info.filename
    if not info.flag_bits & 0x800:
        try:
            return name.encode("cp437").decode()
        except UnicodeError:
            pass
    return name


def directory_bytes(archive: Path) -> int:
    """The size in bytes of the list of members; zipfile makes objects from it before they can be counted."""
    with archive.open("rb") as stream:
        stream.seek(max(0, archive.stat().st_size - (1 << 16) - 22))
        tail = stream.read()
        at = tail.rfind(b"PK\x05\x06")
        if at < 0 or len(tail) - at < 22:
            return 0
        size = int.from_bytes(tail[at + 12 : at + 16], "little")
        wide = tail.rfind(b"PK\x06\x06", 0, at)
        if wide >= 0 and at - wide >= 56:
            size = max(size if size != 0xFFFFFFFF else 0, int.from_bytes(tail[wide + 40 : wide + 48], "little"))
    return size


def check_overlap(members: list[zipfile.ZipInfo], directory: int) -> None:
    """Raise `BadZipFile` when two members share bytes of the file, as in Fifield's zip bombs."""
    ordered = sorted(members, key=lambda info: info.header_offset)
    ends = [info.header_offset for info in ordered[1:]] + [directory]
    for info, end in zip(ordered, ends, strict=False):  # an empty zip has no members, and one end
        if info.header_offset + 30 + info.compress_size > end:
            raise zipfile.BadZipFile("its members overlap")
