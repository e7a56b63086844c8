"""A time-out on cores that other work had is not the student's doing."""

import multiprocessing
import os
import time

import pytest

from harness.inputs.assignment.sections import ResourceLimits
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


def _burn(seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass


def test_what_others_use_is_not_left_and_what_the_job_uses_is():
    """Twice the same work: once it is others', once the job's own."""
    load = MachineLoad()
    workers = [multiprocessing.Process(target=_burn, args=(1.5,)) for _ in range(os.cpu_count() or 1)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    as_others = load.cores_left(0.0)
    as_own = load.cores_left(1.5 * len(workers))
    assert as_others is not None and as_own is not None
    assert as_others < 0.5 * len(workers)
    assert as_own > as_others + 0.3 * len(workers) or as_others == 0.0
