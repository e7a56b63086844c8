"""Caches stage results under a key that hashes the content of everything that the stage reads."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from harness.stages.code_identity import code_sha256
from harness.stages.evidence.execution import FailedExecution
from harness.stages.evidence.record import Blob
from harness.stages.evidence.stage_result import Done, Failed, Skipped, StageResult
from harness.stages.store import Store

T = TypeVar("T", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Remembered:
    """A stage's result, and whether an earlier run made it."""

    result: Any  # StageResult[T]; the caller knows which
    cached: bool


class StageCache:
    """Runs a stage, or returns its earlier result for the same inputs."""

    def __init__(self, store: Store, environment_id: str, *, force: bool = False) -> None:
        """`force`: run every stage again, once in this object's lifetime, and keep the new results."""
        self._store = store
        self._base = f"{environment_id} {code_sha256()}"
        self._force = force
        self._redone: set[str] = set()  # keys that were run again; used with `force` only

    def run(
        self,
        stage: str,
        inputs: object,
        value: type[T],
        work: Callable[[], StageResult[T]],
    ) -> Remembered:
        """The stage's result for `inputs`, which are identified by `canonical`.

        A success is kept, and so is the submission's failure; an exception is not.
        """
        key = hashlib.sha256(f"{stage} {self._base} {canonical(inputs)}".encode()).hexdigest()
        adapter: TypeAdapter[Any] = TypeAdapter(_result_of(value))
        again = self._force and key not in self._redone
        if not again and (kept := self._store.result(key)) is not None:
            try:
                result = adapter.validate_json(kept)
            except ValidationError:
                result = None  # written by another version, or damaged: do it again
            if result is not None and all(self._store.has(blob) for blob in blobs(result)):
                return Remembered(result, cached=True)
        result = work()
        self._store.keep(key, result.model_dump_json().encode())
        self._redone.add(key)
        return Remembered(result, cached=False)


def _result_of(value: type[BaseModel]) -> Any:
    """`StageResult[value]` for pydantic, created at run time, so that a type checker cannot check it."""
    return Done[value] | FailedExecution | Failed | Skipped  # type: ignore[valid-type]


def canonical(value: object) -> str:
    """A JSON text that is the same for equal values, whatever the order of their keys.

    An object with a method `key()` is represented by its result, a dataclass by its fields. Raises `TypeError` for
    other values that JSON and pydantic do not support, also for a path, because the file there may change.
    """

    def plain(item: object) -> object:
        if isinstance(item, BaseModel):
            return item.model_dump(mode="json")
        if callable(key := getattr(item, "key", None)):
            return key()
        if is_dataclass(item) and not isinstance(item, type):
            return {field.name: getattr(item, field.name) for field in fields(item)}
        raise TypeError(f"{type(item).__name__} cannot be part of a key")

    return json.dumps(value, sort_keys=True, default=plain)


def blobs(value: object) -> Iterator[Blob]:
    """Every blob that a result refers to."""
    if isinstance(value, Blob):
        yield value
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from blobs(getattr(value, name))
    elif isinstance(value, dict):
        for item in value.values():
            yield from blobs(item)
    elif isinstance(value, (tuple, list)):
        for item in value:
            yield from blobs(item)
