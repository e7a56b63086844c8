"""What the agent is told goes out as fast as it is taken, images from the disk one at a time."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import pytest

from harness.sandbox.feed import Feed


def written(feed: Feed, room: int = 1000) -> bytes:
    """All that it sends to a stream that takes at most `room` bytes at once."""
    taken = bytearray()

    def write(piece: memoryview) -> int:
        taken.extend(piece[:room])
        return min(room, len(piece))

    while not feed.write_to(write):
        pass
    return bytes(taken)


def test_settings_request_and_images_follow_each_other(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("b", "a", "empty")]
    for file, content in zip(files, (b"bb" * 3000, b"a", b""), strict=True):
        file.write_bytes(content)
    line, _, rest = written(Feed(b'{"x": 1}', {"nonce": "n"}, {"seen": files[:2], "other": files[1:]})).partition(b"\n")
    assert json.loads(line) == {"nonce": "n", "request_bytes": 8, "images": {"seen": [6000, 1], "other": [1, 0]}}
    assert rest == b'{"x": 1}' + b"bb" * 3000 + b"aa"


def test_a_stream_without_room_is_asked_again_and_one_without_a_reader_is_done() -> None:
    feed = Feed(b"{}", {}, {})

    def full(_: memoryview) -> int:
        raise BlockingIOError

    def gone(_: memoryview) -> int:
        raise BrokenPipeError

    assert not feed.write_to(full)
    assert feed.write_to(gone)


def test_an_image_that_changed_is_not_sent_as_another(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"12345")
    feed = Feed(b"{}", {}, {"images": [tmp_path / "a"]})
    (tmp_path / "a").write_bytes(b"1234567")
    with pytest.raises(OSError, match="changed"):
        written(feed)


def test_a_pipe_gets_more_than_it_holds(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(os.urandom(3 * 2**20))
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    got = bytearray()

    def read() -> None:
        with os.fdopen(reading, "rb") as stream:
            got.extend(stream.read())

    reader = threading.Thread(target=read)
    reader.start()
    feed = Feed(b"{}", {}, {"images": [tmp_path / "large"]})
    while not feed.write_to(lambda piece: os.write(writing, piece)):
        pass
    os.close(writing)
    reader.join(timeout=60)
    assert got.endswith((tmp_path / "large").read_bytes())
