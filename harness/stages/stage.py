"""What a stage is: a function of one request and a context, and what the function gives back."""

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
    """A stage. All that decides its result is in the request, the context's limits and software, and our own code.

    A request is a frozen dataclass. What is large in it, or lies on the disk, has a method `key()` that stands for its
    content.
    """

    name: str
    value: type[Value]
    work: Callable[[Request, StageContext], StageResult[Value]]
    sees_no_secret: bool = False  # its sandbox holds no held-out or withheld image: a student may read its words
