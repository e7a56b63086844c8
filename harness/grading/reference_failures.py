"""What becomes of a reference that fails in a stage: an error that says what to do."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from harness.errors import MachineError
from harness.stages.evidence.stage_result import NOT_THE_STUDENTS, Done, StageResult

T = TypeVar("T")
_LOG_LINES = 15


def needed(result: StageResult[T], stage: str, code: Path | None) -> T:
    """The stage's value. Raises `MachineError` if there is none, through the fault of the code or the machine."""
    if isinstance(result, Done):
        return result.value
    lost = any(found.code in NOT_THE_STUDENTS for found in result.findings)
    log = "\n".join(result.usage.log.splitlines()[-_LOG_LINES:])
    raise MachineError(
        f"the reference solution failed in {stage}: {result.whole_reason}\n{log}",
        "run the same command again" if lost else _to_do(code),
    )


def _to_do(code: Path | None) -> str:
    if code is None:
        return "look at the training images and at [reference] in assignment.toml: harness validate"
    return f"correct {code}"
