"""Attacks on what a warm start shares: each job's processes are forks of one zygote."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest
from handed_in import Notebook
from sandboxed import Ran, limits
from test_code_runner import READ_THE_RUNNER

from harness.sandbox.bubblewrap import Bubblewrap

hostile = pytest.mark.hostile
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root has warm starts")

MARKER = "marker-of-the-first-job"


@pytest.fixture(scope="module")
def warm() -> Bubblewrap:
    return Bubblewrap(wait_for_zygote_seconds=120)


def zygotes_of(pid: int) -> list[psutil.Process]:
    """The zygotes among the process's descendants."""
    found = psutil.Process(pid).children(recursive=True)
    return [one for one in found if any(word.startswith("zygote:") for word in one.cmdline())]


@hostile(line=84, expected="N")
def test_a_warm_runner_cannot_be_read_traced_or_limited(warm, got):
    *attempts, arguments = Ran(warm, READ_THE_RUNNER).said
    assert zygotes_of(os.getpid())
    assert [line for line in attempts if "refused" not in line] == []
    assert arguments == "arguments ['/opt/harness/agent/__main__.py', 'selfcheck']"
    got(f"{len(attempts)} attempts refused")


@hostile(line=84, expected="nothing of another job")
def test_a_kernel_has_nothing_of_the_notebook_before_it(warm, got, tmp_path):
    """A zygote reads nothing of a job, so its next child cannot have it in memory."""
    scan = (
        f"needle = bytes(reversed({MARKER[::-1]!r}.encode()))\nhits = scanned = 0\n"
        "for line in open('/proc/self/maps').read().splitlines():\n"
        "    start, end = (int(one, 16) for one in line.split()[0].split('-'))\n"
        "    if ' rw' in line and '[v' not in line:\n"
        "        with open('/proc/self/mem', 'rb', 0) as memory:\n"
        "            memory.seek(start)\n            piece = memory.read(min(end - start, 2**24))\n"
        "        scanned += len(piece)\n        hits += piece.count(needle)\n        del piece\n"
        "print(scanned > 10**6, hits - 1)"  # its own needle
    )
    texts = []
    for number, cell in enumerate((f"text = {MARKER!r}\n" + scan, scan)):
        folder = tmp_path / str(number)
        folder.mkdir()
        texts.append(Notebook(warm, folder, cell).text.split())
    assert texts[0][0] == texts[1][0] == "True"
    assert int(texts[0][1]) > 0, "the scan finds what is there"
    assert texts[1][1] == "0"
    got("nothing found")


@hostile(line=84, expected="nothing of another job")
def test_two_warm_jobs_draw_different_random_numbers(warm, got, tmp_path):
    draw = (
        "import random, tempfile, uuid, multiprocessing as m\nprint(random.random(), m.current_process().authkey.hex())"
    )
    drawn = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        drawn += Notebook(warm, tmp_path / name, draw).text.split()
    assert len(set(drawn)) == 4
    got("different")


@hostile(line=84, expected="L memory")
def test_a_warm_job_keeps_to_its_memory(warm, got):
    """What a zygote has is not counted, what its child takes is."""
    hog = "x = [bytearray(os.urandom(1) * 50_000_000) for _ in range(40)]\nsay('has it')"
    ran = Ran(warm, hog, limits(memory_bytes=300 * 10**6))
    assert ran.said == [] and ran.outcome.memory_limit_hit
    got(ran.outcome.status)


_SLEEP = "import os; os.execvp('sleep', ['sleep', '499'])"
_HARNESS = (
    "import json, sys, tempfile\nfrom harness.sandbox import Job, Limits\n"
    "from harness.sandbox.bubblewrap import Bubblewrap\nfrom pathlib import Path\n"
    "engine = Bubblewrap(wait_for_zygote_seconds=120)\nlimits = Limits(600, 6 * 10**8, 1, 64, 10**7, 10**7)\n"
    "for code in ('', sys.argv[2]):\n"
    "    request, outputs = json.dumps({'code': code}).encode(), Path(tempfile.mkdtemp(dir=sys.argv[1]))\n"
    "    print('ready', flush=True)\n"
    "    engine.run(Job('selfcheck', request, {}, limits), outputs)\n"
)


@hostile(line=84, expected="nothing left")
def test_a_killed_harness_leaves_neither_zygote_nor_job(got, tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", _HARNESS, str(tmp_path), _SLEEP], stdout=subprocess.PIPE, text=True
    ) as harness:
        assert harness.stdout is not None
        assert [harness.stdout.readline() for _ in range(2)] == ["ready\n"] * 2
        started = psutil.Process(harness.pid)
        while not sleeping(started):
            time.sleep(0.2)
        there = started.children(recursive=True)
        zygotes, jobs = zygotes_of(harness.pid), sleeping(started)
        harness.send_signal(signal.SIGKILL)
    assert zygotes
    assert {one.pid for one in jobs} <= {one.pid for one in there}
    assert psutil.wait_procs(there, timeout=30)[1] == []
    got("gone")


def sleeping(harness: psutil.Process) -> list[psutil.Process]:
    """The processes of its warm job that sleep."""
    return [one for one in harness.children(recursive=True) if one.cmdline() == ["sleep", "499"]]


@hostile(line=84, expected="cold start, nobody's failure")
def test_a_killed_zygote_costs_no_job(got):
    engine = Bubblewrap(wait_for_zygote_seconds=120)
    assert Ran(engine, "say(1)").said == ["1"]
    for process in zygotes_of(os.getpid()):
        process.kill()
    time.sleep(0.1)
    assert Ran(engine, "say(2)").said == ["2"]
    got("cold")
