"""The type of a stage: a function of a request and a context, with its result type."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import BaseModel

from harness.stages.context import StageContext
from harness.stages.evidence.stage_result import StageResult

Request = TypeVar("Request")
Value = TypeVar("Value", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Stage(Generic[Request, Value]):
    """A stage. Its result depends only on the request, the context's limits and software, and our own code.

    A request is a frozen dataclass. Fields that are large or on the disk have a method `key()` that identifies their
    content.
    """

    name: str
    value: type[Value]
    work: Callable[[Request, StageContext], StageResult[Value]]
    sees_no_secret: bool = False  # its sandbox has no held-out or withheld image, so a student may read its messages
