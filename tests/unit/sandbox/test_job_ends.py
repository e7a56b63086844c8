"""How a job's end is told: which status it has, what is kept of its log, what its wall time begins with."""

import time
from dataclasses import replace
from pathlib import Path

import pytest

from harness.errors import EngineFailed, RunStopped
from harness.sandbox import process
from harness.sandbox.engine import Job, Limits
from harness.sandbox.process import Conversation, Ended, Log, status_of

WHOLE = Ended(stopped="", exit_code=0, begun=True, complete=True, log="", seconds=1.0)


@pytest.mark.parametrize(
    ("changes", "hit", "status"),
    [
        ({}, False, "ok"),
        ({}, True, "ok"),  # the kernel killed something in the tree, and the phase went on
        ({"complete": False}, False, "failed"),
        ({"exit_code": 1}, False, "failed"),
        ({"exit_code": 128}, False, "failed"),
        ({"exit_code": 129}, False, "killed"),
        ({"exit_code": -1}, False, "killed"),
        ({"exit_code": -9}, True, "memory"),
        ({"exit_code": 137, "complete": False}, True, "memory"),
        ({"exit_code": 1}, True, "memory"),
        ({"complete": False}, True, "memory"),
        ({"stopped": "timeout", "exit_code": -9}, False, "timeout"),
        ({"stopped": "timeout", "exit_code": -9}, True, "timeout"),
        ({"stopped": "output"}, False, "output"),
        ({"stopped": "memory"}, False, "memory"),
        ({"stopped": "processes"}, False, "killed"),
        ({"begun": False, "exit_code": -9}, True, "memory"),
    ],
)
def test_the_status_of_a_job(changes: dict, hit: bool, status: str):
    assert status_of(replace(WHOLE, **changes), memory_limit_hit=hit) == status


@pytest.mark.parametrize("exit_code", [0, 1, -9])
@pytest.mark.parametrize("complete", [True, False])
@pytest.mark.parametrize("stopped", ["", "timeout"])
def test_a_job_that_did_not_begin_is_the_engines_failure_whatever_it_says(exit_code, complete, stopped):
    ended = replace(WHOLE, begun=False, exit_code=exit_code, complete=complete, stopped=stopped, log="bwrap: no")
    with pytest.raises(EngineFailed, match="did not start"):
        status_of(ended, memory_limit_hit=False)


@pytest.mark.parametrize("begun", [True, False])
def test_a_job_that_the_run_stopped_has_no_status(begun: bool):
    with pytest.raises(RunStopped):
        status_of(replace(WHOLE, stopped="stop", begun=begun), memory_limit_hit=True)


@pytest.mark.parametrize("pieces", [1, 7, 1000, 65_536])
@pytest.mark.parametrize(("length", "cut"), [(65_536, 0), (65_537, 1), (200_000, 134_464)])
def test_of_a_log_the_first_and_the_last_32_kibibytes_are_kept(pieces: int, length: int, cut: int):
    if pieces == 1 and length > 70_000:
        pieces = 3
    said = bytes(b"abcdefghij"[n % 10] for n in range(length))
    log = Log()
    for start in range(0, length, pieces):
        log.feed(said[start : start + pieces])
    gap = f"\n[... {cut} bytes left out ...]\n".encode() if cut else b""
    assert log.text().encode() == said[:32_768] + gap + said[length - 32_768 :]


def test_a_jobs_seconds_begin_with_its_first_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Until then the engine has two minutes, whatever the job's own limit."""
    now = 1000.0
    monkeypatch.setattr(process, "time", type("Clock", (), {"monotonic": staticmethod(lambda: now)}))
    limits = Limits(5, 1, 1, 1, 1, 100)
    one = Conversation(Job("x", b"{}", {}, limits, {}), {}, tmp_path)
    assert one.deadline == 1120
    now = 1060.0
    assert one.deadline == 1120
    one.frames.begun = True
    assert one.deadline == 1065
    now = 1063.0
    assert one.deadline == 1065
    assert time.monotonic() != now
