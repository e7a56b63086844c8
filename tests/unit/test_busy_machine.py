"""A time-out on cores that other work had is not the student's doing."""

import os
import time
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest

from harness.inputs.assignment.limits import ResourceLimits
from harness.sandbox import machine_load
from harness.sandbox.machine_load import MachineLoad
from harness.stages.evidence.stage_result import Failed, Skipped, Usage
from harness.stages.runner import TooBusy, on_fair_cores

LIMITS = ResourceLimits(cpus=1, wall_seconds=60, cell_seconds=30)


def _timeout(cores_left: float | None) -> Failed:
    return Failed(status="timeout", reason="It did not end.", usage=Usage(cores_left=cores_left))


@pytest.mark.parametrize("left", [1.0, 0.8, None])
def test_with_its_cores_a_timeout_counts(left: float | None):
    assert on_fair_cores(_timeout(left), LIMITS) == _timeout(left)


def test_without_its_cores_a_timeout_waits_for_a_person():
    with pytest.raises(TooBusy) as raised:
        on_fair_cores(_timeout(0.4), LIMITS)
    assert raised.value.result.status == "timeout"
    assert [found.code for found in raised.value.result.findings] == ["machine-busy"]
    assert "0.4 of 1" in raised.value.result.findings[0].message


def test_other_ends_count_however_busy_the_machine():
    failed = Failed(status="failed", reason="It raised.", usage=Usage(cores_left=0.0))
    skipped = Skipped(reason="There was nothing to do.")
    assert on_fair_cores(failed, LIMITS) == failed
    assert on_fair_cores(skipped, LIMITS) == skipped


@pytest.mark.parametrize(("left", "counts"), [(1.5, True), (1.49, False)])
def test_three_quarters_of_the_cores_are_enough(left: float, counts: bool, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    limits = ResourceLimits(cpus=8, wall_seconds=60, cell_seconds=30)  # the machine has two, so two are promised
    if counts:
        assert on_fair_cores(_timeout(left), limits) == _timeout(left)
    else:
        with pytest.raises(TooBusy):
            on_fair_cores(_timeout(left), limits)


@dataclass
class Machine:
    """A clock, and a /proc/stat whose counters a test sets; in ticks, as proc_stat(5) lists them."""

    stat: Path
    now: float = 100.0

    def says(self, **ticks: int) -> None:
        fields = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal", "guest", "guest_nice")
        self.stat.write_text("cpu  " + " ".join(str(ticks.get(name, 0)) for name in fields) + "\ncpu0 9 9 9\n")


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """Of four cores."""
    found = Machine(tmp_path / "stat")
    monkeypatch.setattr(machine_load, "_STAT", found.stat)
    monkeypatch.setattr(machine_load, "time", SimpleNamespace(monotonic=lambda: found.now))
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    return found


TICKS = os.sysconf("SC_CLK_TCK")
BUSY = ("user", "nice", "system", "irq", "softirq", "steal")
IDLE = ("idle", "iowait", "guest", "guest_nice")  # a guest's time is in the user's


@pytest.mark.parametrize("field", [*BUSY, *IDLE])
def test_what_others_use_is_not_left_and_what_the_job_uses_is(machine: Machine, field: str):
    """In ten seconds 20 were used on four cores: by others that leaves two, by the job itself all."""
    machine.says(**{field: 7 * TICKS})
    load = MachineLoad()
    machine.now += 10
    machine.says(**{field: 27 * TICKS})
    assert load.cores_left(0.0) == pytest.approx(2 if field in BUSY else 4)
    assert load.cores_left(20.0) == pytest.approx(4)
    assert load.cores_left(15.0) == pytest.approx(3.5 if field in BUSY else 4)


def test_there_are_never_more_cores_than_the_machine_has_and_never_fewer_than_none(machine: Machine):
    machine.says(user=0)
    load = MachineLoad()
    machine.now += 1
    machine.says(user=9 * TICKS)
    assert load.cores_left(0.0) == 0
    assert load.cores_left(99.0) == 4


def test_without_figures_nothing_is_said(machine: Machine):
    assert MachineLoad().cores_left(0.0) is None
    machine.says(user=1)
    load = MachineLoad()
    assert load.cores_left(0.0) is None  # no time has passed
    machine.now += 1
    assert load.cores_left(0.0) == pytest.approx(4)
    machine.stat.write_text("cpu 1 2 x")
    assert load.cores_left(0.0) is None


def test_this_machine_has_figures():
    load = MachineLoad()
    time.sleep(0.05)
    left = load.cores_left(0.0)
    assert left is not None and 0 <= left <= (os.cpu_count() or 1)
