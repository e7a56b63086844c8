"""Many submissions on this machine: threads that wait for sandboxes.

Benchmarks come last and one at a time, so that nothing of ours runs beside them.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from functools import partial

import psutil

from harness.boundary.one_by_one import Defect, attempt, for_each
from harness.grading.context import RunContext
from harness.grading.submission_run import Examined, examine, time_model, unexamined, with_defect
from harness.inputs.assignment.limits import ResourceLimits
from harness.inputs.submission import Submission


def examine_all(submissions: Sequence[Submission], run_context: RunContext, jobs: int) -> list[Examined]:
    """Every submission through all stages, `jobs` at a time; in the order of `submissions`.

    A submission that the harness fails on has a finding
    that says so. On KeyboardInterrupt every sandbox is stopped before it is raised again.
    """
    run_context.progress.expect(len(submissions))
    pool = ThreadPoolExecutor(max_workers=jobs, thread_name_prefix="submission")
    try:
        futures = [pool.submit(attempt, "examining it", partial(examine, each, run_context)) for each in submissions]
        wait(futures)
        examined = []
        for submission, future in zip(submissions, futures, strict=True):
            done = future.result()
            examined.append(unexamined(submission, done) if isinstance(done, Defect) else done)
        return for_each("timing it", examined, lambda one: time_model(one, run_context), with_defect)
    except BaseException:
        run_context.stage_context.sandbox.stop()
        pool.shutdown(wait=True, cancel_futures=True)
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def default_jobs(limits: ResourceLimits) -> int:
    """As many submissions at once as cores and memory allow, at least one."""
    by_cores = len(os.sched_getaffinity(0)) // limits.cpus
    by_memory = int(psutil.virtual_memory().available // limits.memory)
    return max(1, min(by_cores, by_memory))
