"""Results as they arrive: whole files or none, and nobody but who knows the nonce can add to them."""

import json
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.sandbox.frames import BadFrames, FrameReader

NONCE = "0123456789abcdef"


def line(**fields: object) -> bytes:
    return json.dumps(fields).encode() + b"\n"


def file(name: str, content: bytes, nonce: str = NONCE) -> bytes:
    return line(name=name, bytes=len(content), nonce=nonce) + content


WHOLE = line(begin=NONCE) + file("a.txt", b"hello\n{}") + file("empty", b"") + line(end=NONCE)


def test_files_arrive_whole_however_the_stream_is_cut(tmp_path_factory: pytest.TempPathFactory):
    @given(st.lists(st.integers(0, len(WHOLE)), max_size=8))
    def check(cuts: list[int]) -> None:
        folder = tmp_path_factory.mktemp("out")
        reader = FrameReader(folder, 100, NONCE)
        places = [0, *sorted(cuts), len(WHOLE)]
        for start, stop in pairwise(places):
            reader.feed(WHOLE[start:stop])
        assert reader.begun and reader.ended
        assert {f.name: f.read_bytes() for f in folder.iterdir()} == {"a.txt": b"hello\n{}", "empty": b""}

    check()


@pytest.mark.parametrize(
    "stream",
    [
        line(end=NONCE),
        line(begin="another"),
        file("a", b"x"),
        line(begin=NONCE) + file("a", b"x", nonce="another"),
        line(begin=NONCE) + line(name="a", bytes=1) + b"x",
        line(begin=NONCE) + line(end="another"),
        line(begin=NONCE) + line(end=True),
        line(begin=NONCE) + file("../a", b"x"),
        line(begin=NONCE) + file("a", b"x") + file("a", b"x"),
        line(begin=NONCE) + file("a", bytes(101)),
        line(begin=NONCE) + line(name="a", bytes=-1, nonce=NONCE),
        line(begin=NONCE) + line(end=NONCE) + b"more",
        b"[" * 900 + b"\n",
        b"x" * 2000,
    ],
)
def test_what_breaks_the_format_is_refused(stream: bytes, tmp_path: Path):
    reader = FrameReader(tmp_path, 100, NONCE)
    with pytest.raises(BadFrames):
        reader.feed(stream)
    assert not list(tmp_path.glob(".*"))


def test_a_stream_that_is_cut_off_has_no_end(tmp_path: Path):
    reader = FrameReader(tmp_path, 100, NONCE)
    reader.feed(line(begin=NONCE) + line(name="a", bytes=5, nonce=NONCE) + b"he")
    reader.close()
    assert reader.begun and not reader.ended and list(tmp_path.iterdir()) == []
