"""Caches stage results under a key that hashes the content of everything that the stage reads."""

from __future__ import annotations

import functools
import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from harness.stages.code_identity import kept_code_sha256
from harness.stages.evidence.execution import FailedExecution
from harness.stages.evidence.record import Blob
from harness.stages.evidence.stage_result import Done, Failed, Skipped, StageResult
from harness.stages.store import Store

T = TypeVar("T", bound=BaseModel)
_PLAIN = (str, int, float, bool, type(None))  # most of what a result holds


@dataclass(frozen=True, slots=True)
class Remembered:
    """A stage's result, and whether an earlier run made it."""

    result: Any  # StageResult[T]; the caller knows which
    cached: bool


class StageCache:
    """Runs a stage, or returns its earlier result for the same inputs.

    `asked`: whose -> stage -> the key of its request, for `harness why`.
    """

    def __init__(self, store: Store, environment_id: str, *, force: bool = False) -> None:
        """`force`: run every stage again, once in this object's lifetime, and keep the new results."""
        self._store = store
        self.asked: dict[str, dict[str, str]] = defaultdict(dict)
        self._base = f"{environment_id} {kept_code_sha256(store)}"
        self._force = force
        self._redone: set[str] = set()  # keys that were run again; used with `force` only

    def run(
        self,
        stage: str,
        inputs: object,
        value: type[T],
        work: Callable[[], StageResult[T]],
        whose: str | None = None,
    ) -> Remembered:
        """The stage's result for `inputs`, which are identified by `canonical`.

        A success is kept, and so is the submission's failure; an exception is not. `whose`: the submission that asks,
        empty for a reference, None for what a submission is compared with.
        """
        request = f"{stage} {self._base} {canonical(inputs)}"
        key = hashlib.sha256(request.encode()).hexdigest()
        if whose is not None:
            self.asked[whose][stage] = key
        again = self._force and key not in self._redone
        if not again and (result := self._kept(key, value)) is not None:
            return Remembered(result, cached=True)
        result = self._new(stage, request, work, whose)
        if result is None:
            return Remembered(Skipped(reason=""), cached=False)
        self._store.keep(key, result.model_dump_json().encode())
        self._store.keep(_of_request(key), request.encode())
        self._redone.add(key)
        return Remembered(result, cached=False)

    def request(self, key: str) -> str | None:
        """The request that was kept with the result under `key`: stage, engine and software, code, inputs as JSON."""
        kept = self._store.result(_of_request(key))
        return None if kept is None else kept.decode()

    def _kept(self, key: str, value: type[T]) -> Any:
        """The result, None where it or a file of it is not there any more."""
        kept = self._store.result(key)
        if kept is None:
            return None
        try:
            result = _results_of(value).validate_json(kept)
        except ValidationError:
            return None  # written by another version, or damaged: do it again
        return result if all(self._store.has(blob) for blob in blobs(result)) else None

    def _new(
        self, stage: str, request: str, work: Callable[[], StageResult[T]], whose: str | None
    ) -> StageResult[T] | None:
        """The result of the work; None where nothing is worked on."""
        return work()


@dataclass(frozen=True, slots=True)
class Missing:
    """A request whose result is not kept. `whose`: as `StageCache.run` was told."""

    stage: str
    request: str
    whose: str | None


class LookingCache(StageCache):
    """Works on nothing: `missing` has the requests whose results are not kept."""

    def __init__(self, store: Store, environment_id: str, *, force: bool = False) -> None:
        super().__init__(store, environment_id, force=force)
        self.missing: list[Missing] = []  # in order

    def _new(self, stage: str, request: str, work: Callable[[], StageResult[T]], whose: str | None) -> None:
        self.missing.append(Missing(stage, request, whose))


def _of_request(key: str) -> str:
    return hashlib.sha256(f"request {key}".encode()).hexdigest()


@functools.cache
def _results_of(value: type[BaseModel]) -> TypeAdapter[Any]:
    """`StageResult[value]` for pydantic, created at run time, so that a type checker cannot check it."""
    return TypeAdapter(Done[value] | FailedExecution | Failed | Skipped)  # type: ignore[valid-type, arg-type]


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
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, Blob):
            yield item
        elif isinstance(item, BaseModel):
            waiting += [getattr(item, name) for name in type(item).model_fields]
        elif isinstance(item, dict):
            waiting += [inner for inner in item.values() if type(inner) not in _PLAIN]
        elif isinstance(item, (tuple, list)):
            waiting += [inner for inner in item if type(inner) not in _PLAIN]
