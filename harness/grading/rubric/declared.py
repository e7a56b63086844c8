"""What a criterion may look at: the stages that it declares, and of these what does not rest on the student's word.

A stage says where its value comes from (`Done.origin`). A criterion sees the values of the stages in its `READS` and
of others only whether they were done; to look further ends in `Undeclared`, and a person decides. So a criterion that
forgets to say what it reads gives no points for what a student's own process said.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, NoReturn

from harness.findings import sentence
from harness.stages.evidence.execution import Execution, FailedExecution
from harness.stages.evidence.stage_result import Done
from harness.stages.evidence.submission import STAGES, Evidence

_COMPUTED_FROM = {"evaluate": "predict"}  # outside, from what that stage sent


class Undeclared(Exception):
    """A criterion looked at what it may not judge by. The message names it."""


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
    """The evidence with the values and findings of the stages `reads` alone."""
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
    """Which of the stages `reads` have a value that a process which ran the student's code said."""
    found = []
    for name in dict.fromkeys([*reads, *(_COMPUTED_FROM[name] for name in reads if name in _COMPUTED_FROM)]):
        result = getattr(evidence, name)
        if isinstance(result, Done) and result.origin == "self-reported":
            found.append(name)
    return found


def waiting(stages: Sequence[str], reason: str) -> str:
    """Why a mark that rests on self-reported stages waits, with what it would be."""
    return sentence("rests-on-own-word", stages=", ".join(stages), reason=reason)


def _observed(execution: Execution) -> Execution:
    """The run as the agent saw it, without what the student's own kernel told."""
    return execution.model_copy(update={name: _Hidden(f"execute.{name}") for name in Execution.SELF_REPORTED})
