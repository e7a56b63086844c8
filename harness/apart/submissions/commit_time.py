"""When a stranger's git repository was last committed to, read without git.

Git would read the repository's own .git/config, and that can name programs to run. So nothing of git's runs and no
configuration is read: HEAD, the reference that it names and one commit object, each a plain file opened without
following links, with limits on every length. What a commit says of its time is its committer's own claim.
"""

from __future__ import annotations

import datetime
import os
import re
import stat
import struct
import zlib
from pathlib import Path

_TEXT_BYTES = 4_000_000  # of packed-refs, which names every branch and tag
_COMMIT_BYTES = 64_000
_PACKS = 100
_DELTAS = 50  # git's own default depth of a chain
_COMMIT, _OFFSET_DELTA = 1, 6  # kinds of objects in a pack
_COMMITTER = re.compile(rb"^committer [^\n]* (\d{1,12}) ([+-])(\d\d)(\d\d)$", re.MULTILINE)
_REFERENCE = re.compile(r"refs/[\w./+@-]{1,200}")
_ID = re.compile(r"[0-9a-f]{40}")


class _NotThere(Exception):
    """The repository does not have it, or it is not what git writes."""


def last_commit(git_folder: Path) -> datetime.datetime | None:
    """The committer's time of HEAD, with its zone; None when the repository is empty or cannot be read."""
    try:
        head = os.open(git_folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        commit = _commit(head, _resolve(head))
        return _time(commit)
    except (_NotThere, OSError, ValueError, OverflowError, struct.error, zlib.error, IndexError):
        return None
    finally:
        os.close(head)


def _time(commit: bytes) -> datetime.datetime:
    match = _COMMITTER.search(commit.partition(b"\n\n")[0])
    if match is None:
        raise _NotThere
    minutes = int(match[3]) * 60 + int(match[4])
    zone = datetime.timezone(datetime.timedelta(minutes=-minutes if match[2] == b"-" else minutes))
    return datetime.datetime.fromtimestamp(int(match[1]), zone)


def _resolve(git: int) -> str:
    """The id of the commit that HEAD names."""
    name = _text(git, "HEAD", 1_000).strip()
    if _ID.fullmatch(name):
        return name
    reference = name.removeprefix("ref: ")
    if not _REFERENCE.fullmatch(reference) or ".." in reference:
        raise _NotThere
    try:
        id = _text(git, reference, 1_000).strip()
    except OSError:
        lines = _text(git, "packed-refs", _TEXT_BYTES).splitlines()
        packed = {line[41:]: line[:40] for line in lines if line[40:41] == " "}
        id = packed.get(reference, "")
    if not _ID.fullmatch(id):
        raise _NotThere
    return id


def _commit(git: int, id: str) -> bytes:
    """The commit's text, cut at `_COMMIT_BYTES`."""
    try:
        handle = _open(git, f"objects/{id[:2]}/{id[2:]}")
    except OSError:
        return _packed_commit(git, id)
    try:
        kind, _, text = _inflate(os.read(handle, 2 * _COMMIT_BYTES)).partition(b"\0")
    finally:
        os.close(handle)
    if not kind.startswith(b"commit "):
        raise _NotThere
    return text


def _packed_commit(git: int, id: str) -> bytes:
    folder = _open(git, "objects/pack", os.O_DIRECTORY)
    try:
        with os.scandir(folder) as entries:
            indices = sorted(entry.name for entry in entries if entry.name.endswith(".idx"))[:_PACKS]
        for name in indices:
            index = _open(folder, name)
            try:
                offset = _offset(index, bytes.fromhex(id))
            finally:
                os.close(index)
            if offset is None:
                continue
            pack = _open(folder, name.removesuffix(".idx") + ".pack")
            try:
                return _object(pack, offset, _DELTAS)
            finally:
                os.close(pack)
    finally:
        os.close(folder)
    raise _NotThere


def _offset(index: int, id: bytes) -> int | None:
    """Where the object begins in its pack, by the index (version 2); None when it is not in it."""
    magic, version = struct.unpack(">4sI", os.pread(index, 8, 0))
    if (magic, version) != (b"\xfftOc", 2):
        return None
    fanout = struct.unpack(">256I", os.pread(index, 1024, 8))
    total = fanout[255]
    low, high = (fanout[id[0] - 1] if id[0] else 0), fanout[id[0]]
    while low < high:
        middle = (low + high) // 2
        found = os.pread(index, 20, 1032 + 20 * middle)
        if found == id:
            (offset,) = struct.unpack(">I", os.pread(index, 4, 1032 + 24 * total + 4 * middle))
            if offset & 0x80000000:
                place = 1032 + 28 * total + 8 * (offset & 0x7FFFFFFF)
                (offset,) = struct.unpack(">Q", os.pread(index, 8, place))
            return int(offset)
        low, high = (middle + 1, high) if found < id else (low, middle)
    return None


def _object(pack: int, offset: int, deltas_left: int) -> bytes:
    """A commit in a pack, by itself or as changes to another one in the same pack."""
    start = os.pread(pack, 64, offset)
    kind, at = (start[0] >> 4) & 7, 1
    while start[at - 1] & 0x80:
        at += 1
    if kind == _COMMIT:
        return _inflate(os.pread(pack, 2 * _COMMIT_BYTES, offset + at))
    if kind != _OFFSET_DELTA or deltas_left == 0:  # deltas by id are for packs on their way
        raise _NotThere
    back = start[at] & 0x7F
    while start[at] & 0x80:
        at += 1
        back = ((back + 1) << 7) | (start[at] & 0x7F)
    if not 0 < back <= offset:
        raise _NotThere
    base = _object(pack, offset - back, deltas_left - 1)
    return _apply(base, _inflate(os.pread(pack, 2 * _COMMIT_BYTES, offset + at + 1)))


def _apply(base: bytes, delta: bytes) -> bytes:
    """The object that `delta` makes of `base`: copied and new stretches."""
    at = 0
    for _ in range(2):  # the two lengths
        while delta[at] & 0x80:
            at += 1
        at += 1
    made = bytearray()
    while at < len(delta) and len(made) < _COMMIT_BYTES:
        code = delta[at]
        at += 1
        if code & 0x80:
            numbers = []
            for bit in range(7):
                numbers.append(delta[at] if code >> bit & 1 else 0)
                at += code >> bit & 1
            start = int.from_bytes(numbers[:4], "little")
            size = int.from_bytes(numbers[4:], "little") or 0x10000
            made += base[start : start + size]
        else:
            made += delta[at : at + code]
            at += code
            if not code:
                raise _NotThere
    return bytes(made[:_COMMIT_BYTES])


def _inflate(packed: bytes) -> bytes:
    return zlib.decompressobj().decompress(packed, _COMMIT_BYTES)


def _text(git: int, path: str, limit: int) -> str:
    handle = _open(git, path)
    try:
        return os.read(handle, limit).decode("utf-8", "replace")
    finally:
        os.close(handle)


def _open(folder: int, path: str, flags: int = 0) -> int:
    """A plain file (or, with O_DIRECTORY, a folder) below `folder`; no part of the path may be a link."""
    *parents, name = path.split("/")
    here = os.dup(folder)
    try:
        for parent in parents:
            below = os.open(parent, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=here)
            os.close(here)
            here = below
        handle = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | flags, dir_fd=here)
    finally:
        os.close(here)
    mode = os.fstat(handle).st_mode
    if not (stat.S_ISREG(mode) or (flags and stat.S_ISDIR(mode))):
        os.close(handle)
        raise _NotThere
    return handle
