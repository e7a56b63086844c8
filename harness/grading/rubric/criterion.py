"""What a criterion is: one module in `harness/grading/rubric/criteria/`, checked when it is loaded.

    TITLE     the line in the rubric
    READS     the stages whose results it uses. A person decides when the machine lost one of them, or when one is
              self-reported by the student's code. Values of other stages are hidden (`declared.py`)
    TASKS     the tasks of assignments in which it can stand; both, where it is left out
    Options   a frozen pydantic model of the keys that it takes in assignment.toml
    mark      (evidence, options, max_points) -> Judgement

Criteria are discovered in their folder; no list names them.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, model_validator

from harness.grading.rubric import criteria
from harness.plugins import modules_of
from harness.stages.evidence.record import Interval
from harness.stages.evidence.submission import STAGES

_BOTH_TASKS = ("classification", "detection")


@dataclass(frozen=True, slots=True)
class Judgement:
    """Points, or None when a person has to decide; and the reason, with its numbers.

    `points_interval`: 95 %, where the points rest on a sample; None where they do not. `more`: what would have earned
    more, with no figure that the student's page does not show; empty where all points are given.
    """

    points: float | None
    reason: str
    detail: str = ""  # for the instructor only
    points_interval: Interval | None = None
    more: str = ""


class CriterionOptions(BaseModel):
    """Base of every criterion's options."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class RisingOptions(CriterionOptions):
    """Anchors of a criterion for which more is better."""

    full_at: float
    zero_at: float

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.zero_at >= self.full_at:
            raise ValueError("zero_at must be below full_at")
        return self


@functools.cache
def kinds() -> dict[str, ModuleType]:
    """Every criterion by its kind, the module's name. Raises `TypeError` for a malformed one."""
    parameters = ("evidence", "options", "max_points")
    return modules_of(criteria.__name__, noun="criterion", function="mark", parameters=parameters, check=_check)


def _check(name: str, module: Any) -> None:
    reads = getattr(module, "READS", None)
    if not (isinstance(reads, tuple) and set(reads) <= set(STAGES)):
        raise TypeError(f"criterion {name} has no READS")
    if not (isinstance(tasks := tasks_of(module), tuple) and tasks and set(tasks) <= set(_BOTH_TASKS)):
        raise TypeError(f"criterion {name} has TASKS that no assignment has")
    options = getattr(module, "Options", None)
    if not (isinstance(options, type) and issubclass(options, CriterionOptions)):
        raise TypeError(f"criterion {name} has no Options")


def tasks_of(module: ModuleType) -> tuple[str, ...]:
    """The tasks of assignments in which a criterion can stand."""
    tasks: tuple[str, ...] = getattr(module, "TASKS", _BOTH_TASKS)
    return tasks


def linear(value: float, zero_at: float, full_at: float, max_points: float) -> float:
    """Points on the line from 0 at `zero_at` to `max_points` at `full_at`, and flat beyond both."""
    share = (value - zero_at) / (full_at - zero_at)
    return max_points * min(1.0, max(0.0, share))
