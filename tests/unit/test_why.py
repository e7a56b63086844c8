"""`harness why`: what differs between two requests of a stage, and what a cache that works on nothing finds missing."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from PIL import Image
from voc_course import voc

from harness.grading.why import Again, Change, _again, changes, why
from harness.inputs import weights
from harness.inputs.assignment import load
from harness.inputs.weights import store as weights_store
from harness.sandbox.software import Software
from harness.stages.cache import LookingCache, StageCache
from harness.stages.evidence.audit import DatasetAudit
from harness.stages.evidence.stage_result import Done, Skipped
from harness.stages.store import Store

TOML = """\
title = "Cups"
task = "{task}"
[dataset]
path = "train"
[held_out]
path = "held out"
[[criteria]]
kind = "manual"
points = 10
"""


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
    assert [one.stage for one in looking.missing] == ["audit"]
    assert not LookingCache(store, "engine").run("audit", 1, DatasetAudit, lambda: 1 / 0).cached


class Engine:
    """Runs nothing."""

    name = environment_id = "test"
    not_enforced = ()

    def software_id(self, software: Software) -> str:
        return "test"


@dataclass
class Course:
    """A course with one submission, of which a run is said to have asked for these keys."""

    folder: Path
    task: str
    said: list[str] = field(default_factory=list)

    def why(self, asked: dict[str, dict[str, str]]) -> Again | None:
        toml = self.folder / "assignment.toml"
        toml.write_text(TOML.format(task=self.task))
        (self.folder / "submissions" / "mia").mkdir(parents=True, exist_ok=True)
        (self.folder / "submissions" / "mia" / "notebook.ipynb").write_text('{"cells": []}')
        (self.folder / "out").mkdir(exist_ok=True)
        (self.folder / "out" / "asked.json").write_text(json.dumps(asked))
        course, out = load(toml), self.folder / "out"
        return why(self.folder / "submissions", course, out, "mia", Engine(), self)  # type: ignore[arg-type]

    def say(self, line: str) -> None:
        self.said.append(line)


def test_boxes_that_are_not_kept_are_no_fault_of_the_data_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    for folder, seed in (("train", 1), ("held out", 50)):
        voc(tmp_path / folder, [[("cup", 13, 9, 61, 49)]], seed=seed)
    assert Course(tmp_path, "detection").why({}) == Again("reference", "read_boxes", ())


def test_scenes_that_are_not_kept_are_not_said_to_be_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    for folder in (tmp_path / place / name for place in ("train", "held out") for name in ("ball", "mug")):
        folder.mkdir(parents=True)
        Image.new("RGB", (20, 10), "red").save(folder / "0.png")
    [entry] = weights.named("mobilenet_v2")
    stored = weights_store._folder() / entry.stored_as  # which nothing reads here
    stored.parent.mkdir(parents=True)
    stored.write_bytes(b"weights")
    course = Course(tmp_path, "classification")
    assert course.why({}) == Again("reference", "scenes", ())
    assert [line for line in course.said if "not found" in line] == []


def test_only_the_submissions_own_request_is_compared(tmp_path: Path):
    """A reference and a rerun ask for a stage several times: the last of their keys is another request's."""
    cache = StageCache(Store(tmp_path / "cache"), "engine")
    before = request_of(cache, "a" * 64, 20)
    asked = {"group-1": dict(cache.asked["group-1"]), "": dict(cache.asked["group-1"])}
    looking = LookingCache(Store(tmp_path / "cache"), "engine")
    for whose in ("group-1", "", None):
        looking.run("audit", [Request("a" * 64, {"seconds": 30, "runs": 3})], DatasetAudit, lambda: 1 / 0, whose)
    found = [_again(one, "group-1", asked, looking) for one in looking.missing]
    assert before and [one.asker for one in found] == ["submission", "reference", "beside"]
    assert found[0].changes and not found[1].changes and not found[2].changes
    assert _again(looking.missing[0], "group-1", {}, looking).changes is None
