"""`harness why`: what differs between two requests of a stage, and what a cache that works on nothing finds missing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness.grading.why import Change, changes
from harness.stages.cache import LookingCache, StageCache
from harness.stages.evidence.audit import DatasetAudit
from harness.stages.evidence.stage_result import Done, Skipped
from harness.stages.store import Store


@dataclass(frozen=True, slots=True)
class Request:
    files: str
    rules: dict[str, int]


def request_of(cache: StageCache, files: str, seconds: int) -> str:
    """The request as the cache keeps it, after its stage ran for group-1."""
    asked = [Request(files, {"seconds": seconds, "runs": 3}), {"memory": 2000}, "torch 1"]
    done = Done(value=DatasetAudit(classes={}, unreadable=()))
    cache.run("audit", asked, DatasetAudit, lambda: done, "group-1")
    kept = cache.request(cache.asked["group-1"]["audit"])
    assert kept is not None
    return kept


def test_the_inputs_that_differ_are_named_with_what_they_were(tmp_path: Path):
    cache = StageCache(Store(tmp_path / "cache"), "engine")
    before = request_of(cache, "a" * 64, 20)
    assert changes(before, request_of(cache, "a" * 64, 30)) == (Change("rules.seconds", "20", "30"),)
    assert changes(before, request_of(cache, "b" * 64, 20)) == (Change("files"),)  # a hash tells a person nothing
    assert changes(before, before) == ()


def test_another_engine_and_other_code_are_told_apart(tmp_path: Path):
    store = Store(tmp_path / "cache")
    before = request_of(StageCache(store, "engine"), "a" * 64, 20)
    other = request_of(StageCache(store, "engine of another kind"), "a" * 64, 20)
    assert [one.what for one in changes(before, other)] == ["the engine or its software"]
    code = before.replace(before.split(" [")[0].split(" ")[-1], "f" * 64)
    assert [one.what for one in changes(before, code)] == ["the harness's own code"]


def test_looking_works_on_nothing_and_keeps_nothing(tmp_path: Path):
    store = Store(tmp_path / "cache")
    looking = LookingCache(store, "engine")
    found = looking.run("audit", 1, DatasetAudit, lambda: 1 / 0)
    assert isinstance(found.result, Skipped) and not found.cached
    assert [stage for stage, _ in looking.missing] == ["audit"]
    assert not LookingCache(store, "engine").run("audit", 1, DatasetAudit, lambda: 1 / 0).cached
