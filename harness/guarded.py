"""One stage of one hand-in, whose trouble must not stop the others."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import TypeVar

from pydantic import BaseModel

from harness.cache import StageCache
from harness.errors import EngineFailed, MachineError, RunStopped
from harness.evidence import STAGES, Skipped, StageResult, Usage
from harness.findings import finding
from harness.progress import Progress

_ENGINE_TRIES = 3

T = TypeVar("T", bound=BaseModel)


def guarded(
    submission: str,
    name: str,
    value: type[T],
    inputs: object,
    work: Callable[[], StageResult[T]],
    cache: StageCache,
    progress: Progress,
) -> tuple[StageResult[T], bool]:
    """The stage's result. An engine that breaks is tried again; then, as after a defect of ours, the
    stage is `Skipped` with a finding that makes the hand-in `needs-review`, and nothing is kept."""
    assert name in STAGES
    progress.stage_started(submission, name)
    result: StageResult[T] | None = None
    was_cached = False
    for attempt in range(_ENGINE_TRIES):
        try:
            remembered = cache.run(name, inputs, value, work)
            result, was_cached = remembered.result, remembered.cached
            break
        except EngineFailed as error:
            result = Skipped(
                reason=f"The sandbox engine failed {attempt + 1} times: {error.message}",
                findings=(finding("engine-failed", reason=error.message),),
            )
        except (MachineError, RunStopped):
            raise
        except OSError as error:
            raise MachineError(
                f"{name} of {submission}: {error}", "make room on the disk, or check its permissions"
            ) from error
        except Exception as error:  # the one place where one hand-in's trouble must not stop the others
            result = Skipped(
                reason=f"The harness failed in {name}: {type(error).__name__}",
                findings=(finding("harness-defect", reason=f"{name}: {type(error).__name__}: {error}"),),
                usage=Usage(log=traceback.format_exc()),
            )
            break
    assert result is not None
    progress.stage_ended(submission, name, result.status, was_cached)
    return result, was_cached
