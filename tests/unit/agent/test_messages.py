"""What a student's process sends to the agent is bounded and never unpickled."""

from __future__ import annotations

import io
import json
import pickle

import numpy as np
import pytest

from harness.agent.models import messages


def sent(*said: object, body: bytes = b"") -> io.BytesIO:
    return io.BytesIO(b"".join(json.dumps(one).encode() + b"\n" for one in said) + body)


@pytest.mark.parametrize(
    "array", [None, np.zeros((2, 3), np.float32), np.zeros((0, 6), np.float32), np.full((1, 4, 4, 3), 200, np.uint8)]
)
def test_words_and_arrays_arrive(array: np.ndarray | None) -> None:
    stream = io.BytesIO()
    messages.write(stream, {"do": "answer"}, array)
    stream.seek(0)
    said, got = messages.read(stream)
    assert said == {"do": "answer"}
    assert got is None if array is None else np.array_equal(got, array) and got.dtype == array.dtype


@pytest.mark.parametrize(
    "stream",
    [
        io.BytesIO(pickle.dumps(np.zeros(3))),
        io.BytesIO(b"[" * 100_000 + b"\n"),
        io.BytesIO(b"\xff\xfe\n"),
        io.BytesIO(b"x" * (5 * 2**20)),
        sent({"said": 1, "array": None}),
        sent({"said": {}}),
        sent([]),
        sent({"said": {}, "array": {"dtype": "object", "shape": [1]}}),
        sent({"said": {}, "array": {"dtype": "float32", "shape": [-1, 3]}}),
        sent({"said": {}, "array": {"dtype": "float32", "shape": [True, 3]}}),
        sent({"said": {}, "array": {"dtype": "float32", "shape": []}}),
        sent({"said": {}, "array": {"dtype": "float32", "shape": [1] * 33}}),
        sent({"said": {}, "array": {"dtype": "float32", "shape": "11"}}),
        sent({"said": {}, "array": {"dtype": "float32", "shape": [2**20, 2**20]}}),
    ],
)
def test_what_is_no_message_is_refused(stream: io.BytesIO) -> None:
    with pytest.raises(messages.Malformed):
        messages.read(stream)


def test_a_cut_off_array_is_the_end() -> None:
    with pytest.raises(EOFError):
        messages.read(sent({"said": {}, "array": {"dtype": "float32", "shape": [2, 3]}}, body=b"123"))
    with pytest.raises(EOFError):
        messages.read(io.BytesIO())
