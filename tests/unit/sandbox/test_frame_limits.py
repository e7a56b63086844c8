"""The limits of the stream of results, exactly; and that they hold for all files together."""

import json
from pathlib import Path

import pytest

from harness.sandbox.frames import BadFrames, FrameReader

NONCE = "0123456789abcdef"


def line(**fields: object) -> bytes:
    return json.dumps(fields).encode() + b"\n"


def file(name: str, content: bytes) -> bytes:
    return line(name=name, bytes=len(content), nonce=NONCE) + content


BEGIN, END = line(begin=NONCE), line(end=NONCE)


def is_refused(folder: Path, stream: bytes, limit: int = 1000) -> bool:
    reader = FrameReader(folder, limit, NONCE)
    try:
        reader.feed(BEGIN + stream)
    except BadFrames:
        assert not list(folder.glob(".*")), "a part of a file is left"
        return True
    return False


@pytest.mark.parametrize(
    ("sizes", "refused"),
    [([1000], False), ([1001], True), ([600, 400], False), ([600, 401], True), ([400, 600, 0], False)],
)
def test_the_limit_is_for_all_files_together(tmp_path: Path, sizes: list[int], refused: bool):
    stream = b"".join(file(str(number), bytes(size)) for number, size in enumerate(sizes))
    assert is_refused(tmp_path, stream) == refused


@pytest.mark.parametrize(("count", "refused"), [(256, False), (257, True)])
def test_256_files_may_come(tmp_path: Path, count: int, refused: bool):
    assert is_refused(tmp_path, b"".join(file(str(number), b"") for number in range(count)) + END) == refused


@pytest.mark.parametrize(("length", "refused"), [(1024, False), (1025, True)])
def test_a_header_has_1024_bytes_with_the_end_of_its_line(tmp_path: Path, length: int, refused: bool):
    header = line(name="a", bytes=0, nonce=NONCE)[:-1]
    padded = header + b" " * (length - 1 - len(header)) + b"\n"
    assert is_refused(tmp_path, padded) == refused
    assert is_refused(tmp_path, b" " * length) == refused, "without an end"


@pytest.mark.parametrize(
    ("name", "refused"),
    [
        ("a" * 100, False), ("a" * 101, True), ("A-z_0.9", False), ("0", False), (".hidden", True), ("-x", True),
        ("_x", True), ("", True), ("a/b", True), ("a b", True), ("é", True), ("a\n", True),
    ],
)  # fmt: skip
def test_names_are_plain(tmp_path: Path, name: str, refused: bool):
    assert is_refused(tmp_path, file(name, b"x")) == refused


@pytest.mark.parametrize("size", [True, 1.0, "1", None, -1, [1]])
def test_a_size_is_a_whole_number(tmp_path: Path, size: object):
    assert is_refused(tmp_path, line(name="a", bytes=size, nonce=NONCE) + b"x")


@pytest.mark.parametrize("stream", [END + b"\n", END + END, END + file("a", b""), line(end=NONCE, more=1)])
def test_the_end_is_the_end(tmp_path: Path, stream: bytes):
    assert is_refused(tmp_path, stream)


def test_a_second_file_begins_where_the_first_ends(tmp_path: Path):
    reader = FrameReader(tmp_path, 1000, NONCE)
    reader.feed(BEGIN + file("a", b"one\n") + file("b", b"{}\ntwo") + END)
    assert (reader.begun, reader.ended) == (True, True)
    assert ((tmp_path / "a").read_bytes(), (tmp_path / "b").read_bytes()) == (b"one\n", b"{}\ntwo")
