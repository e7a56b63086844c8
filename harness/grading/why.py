"""Says which stage of a submission would run again, and which of its inputs changed since the last run."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from harness.errors import AssignmentError, MachineError, UsageError
from harness.files.user_folders import default_folder
from harness.files.whole_file import write_whole
from harness.grading.reference import prepared
from harness.grading.rubric.criteria.latency_vs_reference import anchors
from harness.grading.submission_run import examine, time_model
from harness.inputs.assignment import Assignment
from harness.inputs.submissions import collect
from harness.sandbox import Sandbox
from harness.stages.cache import LookingCache, Missing, StageCache
from harness.stages.progress import Progress
from harness.stages.store import Store

Asker = Literal["submission", "reference", "beside"]

_ASKED = "asked.json"  # in the output folder: submission -> stage -> the key of its request
_HASH = re.compile(r"[0-9a-f ]{64,}")
_SHOWN = 60  # characters of a value
_MOST = 8  # changes that are named


@dataclass(frozen=True, slots=True)
class Change:
    """One input that differs. `before` and `now` are empty where only a hash of them is known."""

    what: str
    before: str = ""
    now: str = ""


@dataclass(frozen=True, slots=True)
class Again:
    """A stage that would run again.

    `asker`: the submission, a reference that it is compared with, or what is done beside its stages: with the model
    that its rerun made, say. `changes` is None where the last run did not ask for it, and empty where what it asked is
    not known any more, as always for other askers: they ask for a stage several times.
    """

    asker: Asker
    stage: str
    changes: tuple[Change, ...] | None


def write_asked(out: Path, cache: StageCache) -> None:
    """Keep, beside the results, which requests this run made. Raises `MachineError`."""
    write_whole(out / _ASKED, json.dumps(cache.asked))


def why(
    submissions: Path, assignment: Assignment, out: Path, id: str, sandbox: Sandbox, progress: Progress
) -> Again | None:
    """The first stage of the reference, and of the submission, whose result is not kept; nothing is run.

    Later stages read its result, so nothing is known of them. Raises `UsageError` for a submission that is not there.
    """
    last = _asked(out)
    with TemporaryDirectory(prefix="harness-submissions-") as workdir:
        found = {one.id: one for one in collect(submissions, Path(workdir))}
        if id not in found:
            raise UsageError(f"{submissions}: no submission {id!r}", f"harness intake {submissions} lists them")
        cache = LookingCache(Store(default_folder()), sandbox.environment_id)
        try:
            with prepared(assignment, sandbox, progress, cache=cache) as run_context:
                if cache.missing:
                    return _again(cache.missing[0], id, last, cache)
                one = examine(found[id], run_context)
                if not cache.missing:
                    time_model(one, run_context, anchors(assignment.criteria))
        except (MachineError, AssignmentError):
            if not cache.missing:  # something else is the trouble
                raise
            # What is missing is needed to go on: a reference, or what was read of the course's images.
        return _again(cache.missing[0], id, last, cache) if cache.missing else None


def _asked(out: Path) -> Mapping[str, Mapping[str, str]]:
    try:
        found = json.loads((out / _ASKED).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise UsageError(f"{out}: no run has ended there", "give the --out of a `harness grade`") from None
    return found if isinstance(found, dict) else {}


def _again(missing: Missing, id: str, last: Mapping[str, Mapping[str, str]], cache: StageCache) -> Again:
    if missing.whose != id:
        return Again("reference" if missing.whose == "" else "beside", missing.stage, ())
    key = last.get(id, {}).get(missing.stage)
    if key is None:
        return Again("submission", missing.stage, None)
    before = cache.request(key)
    return Again("submission", missing.stage, () if before is None else changes(before, missing.request))


def changes(before: str, now: str) -> tuple[Change, ...]:
    """What differs between two requests of one stage, as `StageCache.request` gives them."""
    old, new = dict(_leaves(before)), dict(_leaves(now))
    found = []
    for name in dict.fromkeys((*old, *new)):
        if old.get(name) != new.get(name):
            one = Change(name, _short(old.get(name, "")), _short(new.get(name, "")))
            found.append(one if one.before and one.now else Change(name))
    return tuple(dict.fromkeys(found))[:_MOST]


def _short(value: str) -> str:
    return "" if _HASH.search(value) or len(value) > _SHOWN else value


def _leaves(request: str) -> Iterator[tuple[str, str]]:
    """Each value of the request as text, by its name."""
    head, opened, rest = request.partition(" [")
    stage_and_software, _, code = head.rpartition(" ")
    yield "the engine or its software", stage_and_software
    yield "the harness's own code", code
    inputs = json.loads(opened.strip() + rest)
    for part, name in zip(inputs, ("", "limits", "the software of this stage"), strict=False):
        yield from _below(name, part)


def _below(name: str, value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _below(f"{name}.{key}" if name else str(key), inner)
    elif isinstance(value, list) and any(isinstance(inner, (dict, list)) for inner in value):
        for number, inner in enumerate(value):
            yield from _below(f"{name}[{number}]", inner)
    else:
        yield name, json.dumps(value)
