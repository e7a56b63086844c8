"""Restricts what a criterion sees: the stages that it declares, and of these only what is not self-reported.

A stage says where its value comes from (`Done.origin`). A criterion sees the values of the stages in its `READS`, and
of other stages only whether they were done; any further access raises `Undeclared`, and a person decides. So a
criterion that forgets to declare a stage gives no points for values that a student's own process reported.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, NoReturn

from harness.findings import sentence
from harness.stages.evidence.execution import Execution, FailedExecution
from harness.stages.evidence.stage_result import Done
from harness.stages.evidence.submission import STAGES, Evidence

# The harness computes the first from the answers of the second.
_COMPUTED_FROM = {"evaluate": "predict", "score_boxes": "detect"}


class Undeclared(Exception):
    """A criterion used a value that it did not declare. The message names it."""


class _Hidden:
    """Stands for a value that a criterion may not use; every use raises `Undeclared`."""

    def __init__(self, what: str) -> None:
        object.__setattr__(self, "_what", what)

    def _refuse(self, *_: object) -> NoReturn:
        raise Undeclared(object.__getattribute__(self, "_what"))

    __getattr__ = __bool__ = __len__ = __iter__ = __contains__ = __getitem__ = _refuse
    __eq__ = __lt__ = __le__ = __gt__ = __ge__ = __float__ = __int__ = __str__ = __format__ = _refuse
    __hash__ = None  # type: ignore[assignment]


def only(evidence: Evidence, reads: Collection[str]) -> Evidence:
    """The evidence with values and findings of the stages `reads` only."""
    changed: dict[str, Any] = {}
    for name in STAGES:
        result = getattr(evidence, name)
        if name not in reads:
            hidden = {"value": _Hidden(name)} if isinstance(result, Done) else {}
            changed[name] = result.model_copy(update={**hidden, "findings": ()})
        elif name == "execute" and isinstance(result, Done):
            changed[name] = result.model_copy(update={"value": _observed(result.value)})
        elif isinstance(result, FailedExecution) and result.execution is not None:
            changed[name] = result.model_copy(update={"execution": _observed(result.execution)})
    return evidence.model_copy(update=changed)


def self_reported(evidence: Evidence, reads: Collection[str]) -> list[str]:
    """The stages in `reads` whose value was reported by a process that ran the student's code."""
    found = []
    for name in dict.fromkeys([*reads, *(_COMPUTED_FROM[name] for name in reads if name in _COMPUTED_FROM)]):
        result = getattr(evidence, name)
        if isinstance(result, Done) and result.origin == "self-reported":
            found.append(name)
    return found


def waiting(stages: Sequence[str], reason: str) -> str:
    """Why a mark that depends on self-reported stages waits, and what it would be."""
    return sentence("rests-on-own-word", stages=", ".join(stages), reason=reason)


def _observed(execution: Execution) -> Execution:
    """The run as the agent observed it, without what the student's own kernel reported."""
    return execution.model_copy(update={name: _Hidden(f"execute.{name}") for name in Execution.SELF_REPORTED})
