"""Many submissions on this machine: threads that wait for sandboxes.

Benchmarks come last and one at a time, so that nothing of ours runs beside them.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from functools import partial

import psutil

from harness.boundary.one_by_one import Defect, attempt, for_each
from harness.files.system import usable_cores
from harness.grading.context import RunContext
from harness.grading.first_pages import FirstPages
from harness.grading.rubric.criteria.latency_vs_reference import anchors
from harness.grading.submission_run import Examined, examine, time_model, unexamined, with_defect
from harness.inputs.assignment.limits import ResourceLimits
from harness.inputs.submission import Submission


def examine_all(
    submissions: Sequence[Submission], run_context: RunContext, jobs: int, pages: FirstPages
) -> list[Examined]:
    """Every submission through all stages, `jobs` at a time; in the order of `submissions`.

    `pages` is told how far each has come. A submission that the harness fails on has a finding
    that says so. On KeyboardInterrupt every sandbox is stopped before it is raised again.
    """
    progress = run_context.progress

    def begun(submission: Submission) -> Examined:
        progress.submission_started(submission.id)
        attempt("showing it", partial(pages.started, submission))
        return examine(submission, run_context)

    def examined(submission: Submission) -> Examined:
        done = attempt("examining it", partial(begun, submission))
        one = unexamined(submission, done, run_context.assignment.task) if isinstance(done, Defect) else done
        progress.submission_ended(submission.id)
        attempt("showing it", partial(pages.examined, one))
        return one

    def timed(one: Examined) -> Examined:
        progress.submission_started(one.submission.id)
        try:
            one = time_model(one, run_context, anchors(run_context.assignment.criteria))
        finally:
            progress.submission_ended(one.submission.id)
        attempt("showing it", partial(pages.timed, one))
        return one

    pool = ThreadPoolExecutor(max_workers=jobs, thread_name_prefix="submission")
    try:
        progress.begins("examining", len(submissions), jobs)
        # What has no notebook takes seconds instead of minutes: first, so that there is soon a page to look at.
        quickest_first = sorted(submissions, key=lambda one: one.notebook is not None)
        with pages.written_meanwhile():
            futures = {each.id: pool.submit(examined, each) for each in quickest_first}
            wait(futures.values())
        all_examined = [futures[each.id].result() for each in submissions]
        progress.begins("timing", len(submissions), 1)
        return for_each("timing it", all_examined, timed, with_defect)
    except BaseException:
        run_context.stage_context.sandbox.stop()
        pool.shutdown(wait=True, cancel_futures=True)
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def default_jobs(limits: ResourceLimits) -> int:
    """As many submissions at once as cores and memory allow, at least one."""
    by_cores = len(usable_cores()) // limits.cpus
    by_memory = int(psutil.virtual_memory().available // limits.memory)
    return max(1, min(by_cores, by_memory))
