"""A class of many submissions, one of them huge."""

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.hostile(line=58, expected="memory flat")
def test_the_memory_does_not_grow_with_the_hand_ins(tmp_path: Path, got):
    """One of 2 GB among 300; more would only take longer."""
    submissions = tmp_path / "s"
    for number in range(300):
        (submissions / f"team-{number}").mkdir(parents=True)
        (submissions / f"team-{number}" / "model.onnx").write_bytes(os.urandom(1000))
    with (submissions / "team-7" / "weights.bin").open("wb") as stream:
        stream.truncate(2 * 10**9)
    script = (
        "import resource, sys, tempfile\nfrom pathlib import Path\nfrom harness.inputs.submissions import collect\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "with tempfile.TemporaryDirectory() as work:\n    found = collect(Path(sys.argv[1]), Path(work))\n"
        "print(len(found), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, submissions], capture_output=True, text=True, check=True, timeout=600
    )
    count, grown = map(int, done.stdout.split())
    assert count == 300 and grown < 20_000  # KiB; one of the files alone would be 2,000,000
    got(f"{grown / 1024:.1f} MiB more for 300 submissions, one of 2 GB")
