"""When a cell counts as idle."""

import subprocess
import sys
import time

import pytest

from harness.agent.notebook.idleness import Idleness, Sample, sampled


def run(*samples: tuple[float, float], seconds: float = 10.0, ready: tuple[int, ...] = ()) -> list[bool]:
    idleness = Idleness(seconds)
    idleness.begin()
    return [idleness.sample(Sample(*one, number in ready)) for number, one in enumerate(samples)]


def test_nothing_for_long_enough_is_idle():
    assert run((0, 5.0), (4, 5.0), (9.9, 5.0)) == [False, False, False]
    assert run((0, 5.0), (4, 5.0), (10, 5.0))[-1]


def test_little_work_is_idle_and_more_is_not():
    assert run((0, 5.0), (10, 5.0 + 0.1))[-1]
    assert not run((0, 5.0), (10, 5.0 + 0.11))[-1]


def test_work_long_ago_does_not_count():
    samples = [(float(second), 5.0 + min(second, 20)) for second in range(31)]
    assert run(*samples) == [False] * 30 + [True]


def test_time_that_falls_is_work():
    """As when a process ends for whose time nobody asked."""
    assert not run((0, 5.0), (10, 3.0))[-1]


def test_a_time_that_nobody_counts_is_not_idle():
    assert not any(run(*((float(second), 0.0) for second in range(100))))


def test_who_gets_no_core_or_waits_for_the_disk_is_not_idle():
    """On a machine with much other work a cell may get hardly any processor time."""
    seconds = [(float(second), 5.0) for second in range(11)]
    assert run(*seconds, ready=(3,))[-1], "once, by chance"
    assert not run(*seconds, ready=(3, 7))[-1]
    assert not run(*seconds, ready=tuple(range(11)))[-1]


def test_a_new_cell_begins_anew():
    idleness = Idleness(10)
    assert not idleness.sample(Sample(0, 5.0, False))
    idleness.begin()
    assert not idleness.sample(Sample(11, 5.0, False))
    assert idleness.sample(Sample(21, 5.0, False))


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
def test_the_work_of_others_is_counted():
    child = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        before = sampled().used
        deadline = time.monotonic() + 60
        while sampled().used < before + 0.3:
            assert time.monotonic() < deadline
            time.sleep(0.05)
    finally:
        child.kill()
        child.wait()
    assert before > 0
