"""When a cell counts as idle."""

import subprocess
import sys
import time

import pytest

from harness.agent.notebook.idleness import Idleness, processor_seconds


def run(*samples: tuple[float, float], seconds: float = 10.0) -> list[bool]:
    idleness = Idleness(seconds)
    idleness.begin()
    return [idleness.sample(now, used) for now, used in samples]


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


def test_a_new_cell_begins_anew():
    idleness = Idleness(10)
    assert not idleness.sample(0, 5.0)
    idleness.begin()
    assert not idleness.sample(11, 5.0)
    assert idleness.sample(21, 5.0)


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
def test_the_work_of_others_is_counted():
    child = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        before = processor_seconds()
        deadline = time.monotonic() + 60
        while processor_seconds() < before + 0.3:
            assert time.monotonic() < deadline
            time.sleep(0.05)
    finally:
        child.kill()
        child.wait()
    assert before > 0
