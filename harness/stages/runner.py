"""One stage of one submission, and whose fault it is when it does not end well.

The student's is the stage's own result. An engine that broke, a machine that had no cores to spare and a
defect of ours never count against the submission.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TypeVar

from pydantic import BaseModel

from harness.boundary.one_by_one import Defect, defect
from harness.errors import EngineFailed, EnvironmentMissing
from harness.findings import finding, one_line
from harness.inputs.assignment.sections import ResourceLimits
from harness.stages.cache import StageCache
from harness.stages.evidence.stage_result import Failed, Skipped, StageResult, Usage
from harness.stages.evidence.submission import STAGES
from harness.stages.progress import Progress

_ENGINE_TRIES = 3
_BUSY_TRIES = 2
_FAIR_SHARE = 0.75  # of the cores that the limits promise; with less, running out of time is not the student's doing

T = TypeVar("T", bound=BaseModel)


def guarded(
    submission: str,
    name: str,
    value: type[T],
    inputs: object,
    work: Callable[[], StageResult[T]],
    *,
    cache: StageCache,
    progress: Progress,
    limits: ResourceLimits,
) -> tuple[StageResult[T], bool]:
    """The stage's result. An engine that breaks is tried again, and so is a time-out on a busy machine; then, as
    after a defect of ours, there is a finding that makes the submission `needs-review`, and nothing is kept."""
    assert name in STAGES
    progress.stage_started(submission, name)
    result: StageResult[T] | None = None
    was_cached = False
    for attempt in range(_ENGINE_TRIES):
        try:
            remembered = cache.run(name, inputs, value, lambda: on_fair_cores(work(), limits))
            result, was_cached = remembered.result, remembered.cached
            break
        except EngineFailed as error:
            result = Skipped(
                reason=f"The sandbox engine failed {attempt + 1} times.",
                detail=one_line(error.message),
                findings=(finding("engine-failed", detail=error.message),),
            )
        except TooBusy as error:
            result = error.result
            if attempt + 1 == _BUSY_TRIES:
                break
        except EnvironmentMissing as error:
            result = Skipped(
                reason=f"{error.message[0].upper()}{error.message[1:]}. {error.do}",
                findings=(finding("environment-missing", what=error.message, command=error.do),),
            )
            break
        except Exception as error:
            result = lost_to(defect(name, error))
            break
    assert result is not None
    progress.stage_ended(submission, name, result.status, was_cached)
    return result, was_cached


def lost_to(found: Defect) -> Skipped:
    """The result of a stage in which the harness failed."""
    return Skipped(reason=f"The harness failed in {found.what}.", findings=(found.finding,), usage=Usage(log=found.log))


class TooBusy(Exception):
    """A stage ran out of time on cores that other work had; `result` says so."""

    def __init__(self, result: Failed) -> None:
        super().__init__(result.reason)
        self.result = result


def on_fair_cores(result: StageResult[T], limits: ResourceLimits) -> StageResult[T]:
    """The result. Raises `TooBusy` for a time-out with too few of the cores that the limits promise."""
    promised = min(limits.cpus, os.cpu_count() or 1)
    left = result.usage.cores_left
    if isinstance(result, Failed) and result.status == "timeout" and left is not None and left < _FAIR_SHARE * promised:
        busy = finding("machine-busy", cores=min(left, promised), cpus=promised)
        raise TooBusy(result.model_copy(update={"findings": (*result.findings, busy)}))
    return result
