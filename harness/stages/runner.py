"""Runs a stage for one submission: uses cached results, retries, and decides whose fault a failure is.

The student's failure is the stage's own result. A broken engine, a machine without free cores and a defect of ours
never count against the submission.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TypeVar

from pydantic import BaseModel

from harness.boundary.one_by_one import Defect, defect
from harness.errors import EngineFailed, EnvironmentMissing
from harness.findings import finding, one_line, sentence
from harness.inputs.assignment.limits import ResourceLimits
from harness.stages.cache import StageCache
from harness.stages.context import StageContext
from harness.stages.evidence.stage_result import Failed, Skipped, StageResult, Usage, told_to_student
from harness.stages.progress import Progress
from harness.stages.stage import Stage

_ENGINE_TRIES = 3
_BUSY_TRIES = 2
_FAIR_SHARE = 0.75  # of the promised cores; with less, a time-out is not the student's fault

R = TypeVar("R")
T = TypeVar("T", bound=BaseModel)


class StageRunner:
    """Runs stages of one submission, or of the reference. `cached` names those that an earlier run did."""

    def __init__(self, submission: str | None, context: StageContext, cache: StageCache, progress: Progress) -> None:
        """`submission`: its id for reporting progress; None for the reference, whose progress is not reported."""
        self.context, self.cached = context, set[str]()
        self._submission, self._cache, self._progress = submission, cache, progress
        self._whose: str | None = submission or ""  # empty for the reference

    def aside(self) -> StageRunner:
        """A runner for the same submission, whose stages are not counted as the submission's."""
        runner = StageRunner(self._submission, self.context, self._cache, self._progress)
        runner._whose = None
        return runner

    def run(
        self,
        stage: Stage[R, T],
        request: R,
        *,
        context: StageContext | None = None,
        starting: Callable[[], None] = lambda: None,
    ) -> StageResult[T]:
        """The stage's result. `context` replaces the runner's; `starting` is called before work that is not cached.

        A broken engine and a time-out on a busy machine are retried. If that fails, or after a defect of ours, a
        finding makes the submission `needs-review`, and nothing is cached. Raises `MachineError`.
        """
        place = context or self.context
        key = [request, place.limits, place.software_id]

        def work() -> StageResult[T]:
            starting()
            result = stage.work(request, place)
            return on_fair_cores(told_to_student(result) if stage.sees_no_secret else result, place.limits)

        if self._submission is not None:
            self._progress.stage_started(self._submission, stage.name)
        result, was_cached = self._tried(stage, key, work)
        if was_cached:
            self.cached.add(stage.name)
        if self._submission is not None:
            self._progress.stage_ended(self._submission, stage.name, result.status, was_cached)
        return result

    def _tried(
        self, stage: Stage[R, T], key: object, work: Callable[[], StageResult[T]]
    ) -> tuple[StageResult[T], bool]:
        """The result, and whether an earlier run made it."""
        result: StageResult[T] | None = None
        for attempt in range(_ENGINE_TRIES):
            try:
                remembered = self._cache.run(stage.name, key, stage.value, work, self._whose)
                return remembered.result, remembered.cached
            except EngineFailed as error:
                result = Skipped(
                    reason=sentence("engine-failed-times", times=attempt + 1),
                    detail=one_line(error.message),
                    findings=(finding("engine-failed", detail=error.message),),
                )
            except TooBusy as error:
                result = error.result
                if attempt + 1 == _BUSY_TRIES:
                    break
            except EnvironmentMissing as error:
                return (
                    Skipped(
                        reason=sentence(
                            "environment-needed", what=error.message[:1].upper() + error.message[1:], command=error.do
                        ),
                        findings=(finding("environment-missing", what=error.message, command=error.do),),
                    ),
                    False,
                )
            except Exception as error:
                return lost_to(defect(stage.name, error)), False
        assert result is not None
        return result, False


def lost_to(found: Defect) -> Skipped:
    """The result of a stage in which the harness failed."""
    return Skipped(reason=found.reason, findings=(found.finding,), usage=Usage(log=found.log))


class TooBusy(Exception):
    """A stage timed out while other work used its cores; `result` is its result."""

    def __init__(self, result: Failed) -> None:
        super().__init__(result.reason)
        self.result = result


def on_fair_cores(result: StageResult[T], limits: ResourceLimits) -> StageResult[T]:
    """The result. Raises `TooBusy` for a time-out with too few of the promised cores."""
    promised = min(limits.cpus, os.cpu_count() or 1)
    left = result.usage.cores_left
    if isinstance(result, Failed) and result.status == "timeout" and left is not None and left < _FAIR_SHARE * promised:
        busy = finding("machine-busy", cores=min(left, promised), cpus=promised)
        raise TooBusy(result.model_copy(update={"findings": (*result.findings, busy)}))
    return result
