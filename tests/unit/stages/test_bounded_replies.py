"""A reply of a phase is a stranger's: what it costs to read has a bound, whatever it holds."""

import contextlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict

from harness.boundary.bounded_json import MOST_BYTES, Unbounded, check
from harness.stages.context import Rejected, read_reply

_MOST_MEMORY = 200 * 2**20  # bytes over what the process had before
# Reads one reply against the schema of a real stage, in a process of its own, and says by how much its memory peaked.
_READ = """
import sys
from pathlib import Path
from harness.stages.context import Rejected, read_reply
from harness.stages.conversion_reply import ConversionReply

def peak():
    return next(int(l.split()[1]) for l in open("/proc/self/status") if l.startswith("VmHWM")) * 1024

before = peak()
try:
    read_reply(Path(sys.argv[1]), "conversion.json", ConversionReply)
except Rejected as why:
    print(peak() - before, why)
"""


def _a_million_keys() -> bytes:
    return b"{" + b",".join(b'"%x":0' % i for i in range(1_200_000)) + b"}"


BOMBS = {
    "the attack: a million keys": _a_million_keys(),
    "as many keys as fit": b"{" + b",".join(b'"%x":0' % i for i in range(49_000)) + b"}",
    "a list of wrong items": b'{"labels":[' + b",".join([b"0"] * 24_000) + b"]}",
    "deep": b"[" * 500_000,
    "empty lists": b"[" + b",".join([b"[]"] * 300_000) + b"]",
    "a long number": b'{"outputs":' + b"9" * 1_000_000 + b"}",
    "a string without an end": b'{"' + b'\\"' * 500_000 + b"\\",
    "a long string": json.dumps({"source_format": "x" * 1_000_000}).encode(),
    "a long key": json.dumps({"x" * 1_000_000: 0}).encode(),
    "no text": bytes(range(256)) * 4000,
    "nothing": b"",
}


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS)
def test_no_reply_takes_much_memory(bomb: bytes, tmp_path: Path):
    """The attack took 3.3 GB: pydantic lists every key that a schema forbids."""
    (tmp_path / "conversion.json").write_bytes(bomb)
    done = subprocess.run([sys.executable, "-c", _READ, tmp_path], capture_output=True, text=True, timeout=120)
    assert done.stdout.startswith(tuple("0123456789")), done.stderr[-2000:]
    peak, _, why = done.stdout.partition(" ")
    assert int(peak) < _MOST_MEMORY
    assert len(why) < 600


class _Small(BaseModel):
    model_config = ConfigDict(extra="forbid")

    names: tuple[str, ...]


def test_what_is_within_the_bounds_is_read(tmp_path: Path):
    names = ['with "quotes", commas: and [brackets] \\', "\u00e9" * 50, *map(str, range(20_000))]
    (tmp_path / "reply.json").write_text(json.dumps({"names": names}))
    assert read_reply(tmp_path, "reply.json", _Small).names == tuple(names)


def test_only_the_first_fault_is_told(tmp_path: Path):
    (tmp_path / "reply.json").write_text(json.dumps({f"k{i}" * 100: 0 for i in range(100)}))
    with pytest.raises(Rejected) as caught:
        read_reply(tmp_path, "reply.json", _Small)
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize(
    "content", [b'"' * (MOST_BYTES - 1), b'\\"' * (MOST_BYTES // 2), b"1" * MOST_BYTES, b'"\\' * 400_000]
)
def test_looking_takes_time_by_the_byte(content: bytes):
    """By its square it would take hours."""
    with contextlib.suppress(Unbounded):
        check(content)
