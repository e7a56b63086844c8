"""The hash of a file that may be mostly holes."""

import os
from pathlib import Path

import pytest

from harness.files.hashing import sparse_sha256

MOST = 4 << 20


def write(file: Path, size: int, *pieces: tuple[int, bytes]) -> Path:
    with file.open("wb") as stream:
        stream.truncate(size)
        for place, content in pieces:
            stream.seek(place)
            stream.write(content)
    return file


def test_holes_and_written_zeros_hash_the_same(tmp_path):
    size = (3 << 20) + 17
    holes = write(tmp_path / "holes", size, (size - 5, b"end"))
    zeros = write(tmp_path / "zeros", size, (0, bytes(size)), (size - 5, b"end"))
    assert holes.stat().st_blocks < zeros.stat().st_blocks
    assert sparse_sha256(holes, MOST) == sparse_sha256(zeros, MOST)


@pytest.mark.parametrize(
    ("size", "pieces"),
    [
        (0, []),
        (8 << 20, []),  # another size
        ((8 << 20) + 1, [(5, b"a")]),
        ((8 << 20) + 1, [(5, b"b")]),
        ((8 << 20) + 1, [(5 << 20, b"a")]),  # another place
        ((8 << 20) + 1, [(5, b"a"), (7 << 20, b"a")]),
        ((8 << 20) + 1, [(8 << 20, b"a")]),  # the last byte
    ],
)
def test_size_content_and_place_count(tmp_path, size: int, pieces: list[tuple[int, bytes]]):
    one = sparse_sha256(write(tmp_path / "one", size, *pieces), MOST)
    other = sparse_sha256(write(tmp_path / "other", (8 << 20) + 1, (5, b"A")), MOST)
    assert one != other
    assert one == sparse_sha256(write(tmp_path / "again", size, *pieces), MOST)


def test_a_hole_of_50_gb_is_not_read(tmp_path, monkeypatch):
    read = []
    real = os.lseek
    monkeypatch.setattr(os, "lseek", lambda *args: read.append(args) or real(*args))
    sparse_sha256(write(tmp_path / "sparse", 50 * 10**9, (30 * 10**9, b"x")), MOST)
    assert len(read) < 10  # one for each block, and one for the hole after it


def test_only_the_first_bytes_of_content_count(tmp_path):
    content = os.urandom(6 << 20)
    one = write(tmp_path / "one", len(content), (0, content))
    other = write(tmp_path / "other", len(content), (0, content[:-1] + bytes([content[-1] ^ 1])))
    assert sparse_sha256(one, MOST) == sparse_sha256(other, MOST)
    assert sparse_sha256(one, 8 << 20) != sparse_sha256(other, 8 << 20)
