"""Code in the notebook that takes more than its share: stopped by a limit, and nothing of it is left."""

import time

import psutil
import pytest
from handed_in import Notebook
from sandboxed import LIMITS, Ran, limits

hostile = pytest.mark.hostile


def alive(mark: str) -> list[psutil.Process]:
    """Processes of this machine with `mark` in their command line."""
    return [p for p in psutil.process_iter(["cmdline"]) if any(mark in part for part in p.info["cmdline"] or ())]


@hostile(line=16, expected="L cell time")
@pytest.mark.parametrize(
    "cell",
    [
        "while True: pass",
        "import ctypes, signal, threading\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nlock = threading.Lock()\n"
        "lock.acquire()\nwhile True: lock.acquire(timeout=5); ctypes.CDLL(None).usleep(10**6)",
    ],
    ids=["loop", "ignores-interrupt"],
)
def test_a_cell_that_never_ends_is_stopped(engine, got, tmp_path, cell):
    ran = Notebook(engine, tmp_path, "print('before')", cell, cell_seconds=3)
    assert (ran.status, ran.codes) == ("timeout", ["cell-timeout"])
    assert ran.execution.executed_cells == 1 and "before" in ran.text
    got(ran.said())


@hostile(line=16, expected="L idle time", runsc=True)
@pytest.mark.parametrize(
    "cell",
    [
        "import time\nwhile True:\n    print('waiting for a free GPU')\n    time.sleep(2)",
        "import subprocess\nsubprocess.run(['sleep', 'infinity'])",
        "import threading\nlock = threading.Lock()\nlock.acquire()\nlock.acquire()",
    ],
    ids=["sleeps", "waits-for-a-process", "waits-for-itself"],
)
def test_a_cell_that_does_nothing_is_stopped_before_its_time(engine, got, tmp_path, cell):
    ran = Notebook(engine, tmp_path, "print('before')", cell, cell_seconds=80, idle_seconds=5)
    assert (ran.status, ran.codes) == ("timeout", ["cell-timeout"])
    assert "did nothing for 5 s" in ran.result.findings[0].message
    assert ran.execution.executed_cells == 1 and "before" in ran.text
    got(ran.said())


@hostile(line=16, expected="runs on", runsc=True)
def test_a_cell_whose_processes_work_is_not_idle(engine, got, tmp_path):
    """Also where the work is done by a process that is no child of the kernel."""
    program = "import time; end = time.monotonic() + 9\nwhile time.monotonic() < end: pass"
    waits = (
        f"import subprocess, sys, time\nsubprocess.Popen(['setsid', sys.executable, '-c', {program!r}])\ntime.sleep(8)"
    )
    ran = Notebook(engine, tmp_path, waits, "print('after')", cell_seconds=80, idle_seconds=5)
    assert ran.status == "ok", ran.said()
    got(ran.said())


@hostile(line=16, expected="L total time", runsc=True)
def test_a_stopped_program_and_a_closed_output_end_with_the_total_time(engine, got):
    for code in (
        "import signal\nos.kill(os.getppid(), signal.SIGSTOP)\ntime.sleep(1e9)",
        "os.closerange(0, 100)\ntime.sleep(1e9)",
    ):
        started = time.monotonic()
        ran = Ran(engine, code, limits(wall_seconds=3))
        assert ran.outcome.status == "timeout"
        assert time.monotonic() - started < 40
    got("timeout")


@hostile(line=17, expected="L processes", runsc=True)
def test_a_fork_bomb_stays_in_its_sandbox(engine, got):
    mark = f"bomb-{time.monotonic_ns()}"
    bomb = f"while True:  # {mark}\n    try: os.fork()\n    except OSError: pass\n"
    ran = Ran(engine, bomb, limits(wall_seconds=5))
    assert ran.outcome.status in ("timeout", "memory")  # it began: what did not raises `EngineFailed`
    assert not alive(mark)
    got(f"{ran.outcome.status} after {ran.outcome.seconds:.0f} s")


@hostile(line=17, expected="L processes")
def test_ten_thousand_threads_are_not_had(engine, got):
    code = """
import threading
started = 0
try:
    for _ in range(10_000):
        threading.Thread(target=time.sleep, args=(5,), daemon=True).start()
        started += 1
except RuntimeError:
    pass
say(started)
os._exit(0)
"""
    started = int(Ran(engine, code).said[0])
    assert 0 < started <= LIMITS.processes
    got(f"{started} threads, then refused")


@hostile(line=17, expected="gone afterwards", runsc=True)
def test_daemons_are_gone_afterwards(engine, got):
    mark = f"outlives-{time.monotonic_ns()}"
    ran = Ran(
        engine,
        f"""
subprocess.Popen(["setsid", "nohup", sys.executable, "-c", "import time; time.sleep(900)", "{mark}"])
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execv(sys.executable, [sys.executable, "-c", "import time; time.sleep(900)", "{mark}"])
    os._exit(0)
os.wait()
time.sleep(1)
""",
    )
    assert ran.outcome.status == "ok"
    time.sleep(0.5)
    assert not alive(mark)
    got("ok, and nothing left")


MEMORY_HOGS = {
    "at-once": "x = bytearray(100 * 10**9)\nx[::4096] = bytes(len(x[::4096]))",
    "slowly": "x = []\nwhile True: x.append(bytearray(10**7))",
    "in-children": "for _ in range(8):\n    if os.fork() == 0:\n        x = bytearray(150 * 10**6)\n"
    "        time.sleep(20)\n        os._exit(0)\nfor _ in range(8):\n    if os.wait()[1]: sys.exit(1)",
    "shared-memory": "f = open('/dev/shm/x', 'wb')\nwhile True: f.write(bytes(10**7)); f.flush()",
    "sealed-memory": "f = os.memfd_create('x')\nwhile True: os.write(f, bytes(10**7))",
    "pipes": "ends = []\nimport fcntl\nwhile True:\n    r, w = os.pipe(); ends += [r, w]\n"
    "    fcntl.fcntl(w, 1031, 2**20); os.write(w, bytes(2**20))",
}


@hostile(line=18, expected="L memory")
@pytest.mark.parametrize("kind", MEMORY_HOGS)
def test_memory_is_bounded_however_it_is_taken(engine, got, kind):
    ran = Ran(engine, MEMORY_HOGS[kind], limits(wall_seconds=30))
    assert ran.outcome.status == "memory" or ran.exit_status not in (0, None), ran.outcome
    peak = ran.outcome.peak_memory_bytes
    assert peak is None or peak <= 1.1 * LIMITS.memory_bytes
    got(f"{ran.outcome.status}, its program ended with {ran.exit_status}, peak {(peak or 0) / 1e6:.0f} MB")


@hostile(line=18, expected="N, no channel", runsc=True)
def test_shared_memory_is_no_channel_to_another_sandbox(engine, got):
    leave = "open('/dev/shm/left', 'w').write('x'); open('/tmp/left', 'w').write('x')"
    assert Ran(engine, leave).outcome.status == "ok"
    ran = Ran(engine, "say(os.listdir('/dev/shm'), os.listdir('/tmp'))")
    assert ran.said == ["[] []"]
    got("both empty")


@hostile(line=18, expected="L memory: pages of files are given back")
def test_reading_many_files_is_not_held_against_it(engine, got):
    """The pages of what it reads belong to the kernel, which takes them back: no failure, and no harm."""
    code = """
for folder, _, names in os.walk('/usr/lib'):
    for name in names[:5]:
        try: open(f'{folder}/{name}', 'rb').read()
        except OSError: pass
"""
    ran = Ran(engine, code)
    assert ran.outcome.status == "ok" and not ran.outcome.memory_limit_hit
    got("ok")


@hostile(line=19, expected="L disk", runsc=True)
@pytest.mark.parametrize("place", ["/work", "/tmp", "/work/out", "/dev/shm"])
def test_written_bytes_are_bounded(engine, got, place):
    ran = Ran(
        engine,
        f"""
written = 0
try:
    for n in range(60):
        with open(f'{place}/{{n}}', 'wb') as f:
            for _ in range(10): f.write(bytes(10**6)); f.flush(); written += 1
except OSError as e:
    pass
for n in os.listdir('{place}'):
    if n.isdigit(): os.remove('{place}/' + n)
say(written)
""",
    )
    if place == "/dev/shm":  # of a fixed size, and counted as memory: whichever ends first
        assert ran.outcome.memory_limit_hit or 0 < int(ran.said[0]) < 600
    else:
        assert 0 < int(ran.said[0]) <= 41
    got(f"{ran.said[0] if ran.said else '?'} MB, then refused")


@hostile(line=19, expected="L disk or memory")
def test_inodes_are_bounded(engine, got):
    code = """
made = 0
try:
    os.mkdir('/tmp/many')
    while time.monotonic() < end:
        os.close(os.open(f'/tmp/many/{made}', os.O_CREAT | os.O_WRONLY)); made += 1
except OSError as error:
    say(made, error.errno)
"""
    ran = Ran(engine, "end = time.monotonic() + 120\n" + code, limits(wall_seconds=150, memory_bytes=256 * 10**6))
    assert ran.outcome.memory_limit_hit or (ran.said and ran.said[0].endswith(" 28"))
    got(ran.said[0] if ran.said else ran.outcome.status)


FLOODS = (
    "for _ in range(300): print('x' * 100_000)",
    "print('x' * 20_000_000)",
    "from IPython.display import display\nfor n in range(1_500): display(n)",
    "for _ in range(100): print(bytes(range(256)).decode('latin-1') * 100)",
    "import os\nfor _ in range(100): os.write(1, bytes(range(256)) * 1000)",
    "h = display(0, display_id=True)\nfor n in range(1_500): h.update(n)",
)


@hostile(line=20, expected="truncated, said so, grading goes on")
def test_floods_of_output_are_cut(engine, got, tmp_path):
    ran = Notebook(engine, tmp_path, *FLOODS, "print('the end')", cell_seconds=100, wall_seconds=300, memory=2 * 10**9)
    assert (ran.status, ran.codes) == ("ok", ["output-truncated"]), ran.result
    assert ran.text.endswith("the end\n") and len(ran.text) < 5 * 2**20
    got(ran.said())
