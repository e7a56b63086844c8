"""The stage context, which runs phases of the agent: the only access to the sandbox."""

from __future__ import annotations

import json
import math
import mmap
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from harness.boundary.bounded_json import Unbounded, read_bounded
from harness.findings import Finding, one_line, sentence, with_detail
from harness.inputs.assignment.limits import ResourceLimits
from harness.inputs.images import Material
from harness.sandbox.engine import Job, Limits, Outcome, Sandbox
from harness.sandbox.machine_load import MachineLoad
from harness.sandbox.software import TORCH, Software
from harness.stages.evidence.stage_result import Failed, Usage
from harness.stages.store import Store

_SAID = 200  # characters of a reply that are repeated


@dataclass(frozen=True, slots=True)
class StageContext:
    """An engine, the store, and a submission's limits."""

    sandbox: Sandbox
    store: Store
    limits: ResourceLimits
    software: Software = TORCH  # the jobs' environment

    def using(self, software: Software) -> StageContext:
        """The same context with other software."""
        return replace(self, software=software)

    @property
    def software_id(self) -> str | None:
        """The identity of engine and software for a cache key; None when the software is not built."""
        return self.sandbox.software_id(self.software)

    def run(
        self,
        phase: str,
        request: Mapping[str, Any],
        inputs: Mapping[str, Path],
        outputs: Path,
        *,
        images: Mapping[str, Material] | None = None,
        wall_seconds: float | None = None,
        cores: tuple[int, ...] = (),
    ) -> Outcome:
        """Run one phase in a fresh sandbox; afterwards `outputs` holds what it sent.

        `images`: the lists of images that follow the request; they are never in a file system inside.
        `wall_seconds` replaces the assignment's limit; `cores` pins the job, without a quota.
        Raises `EngineFailed` when the engine broke.
        """
        limits = Limits(
            wall_seconds=wall_seconds or self.limits.wall_seconds,
            memory_bytes=self.limits.memory,
            cpus=self.limits.cpus,
            processes=self.limits.processes,
            disk_bytes=self.limits.disk,
            output_bytes=self.limits.output,
            cores=cores,
        )
        streamed = {name: material.files for name, material in (images or {}).items()}
        job = Job(phase, json.dumps(request).encode(), inputs, limits, self.software, streamed)
        load = MachineLoad()
        outcome = self.sandbox.run(job, outputs)
        if outcome.cpu_seconds is None:
            return outcome
        return replace(outcome, cores_left=load.cores_left(outcome.cpu_seconds))


def usage(outcome: Outcome) -> Usage:
    """A job's resource use, for the evidence."""
    return Usage(
        seconds=outcome.seconds,
        peak_memory_bytes=outcome.peak_memory_bytes,
        cores_left=outcome.cores_left,
        log=outcome.log,
    )


def failed(outcome: Outcome, what: str, limits: ResourceLimits, *findings: Finding) -> Failed:
    """The failure of a job that did not end `ok`; `what` is the subject of the reason.

    The job's last output may contain anything that it saw, so it is the detail, which the student does not read.

    A job that ended `ok` but sent an invalid reply (`what` then says so) counts as `failed`.
    """
    detail = ""
    match outcome.status:
        case "timeout":
            status, reason = "timeout", sentence("job-timeout", what=what, seconds=limits.wall_seconds)
        case "memory":
            status, reason = "memory", sentence("job-memory", what=what, gigabytes=limits.memory / 1e9)
        case "killed":
            status, reason = "killed", sentence("job-killed", what=what)
        case "output":
            status, reason = "rejected", sentence("job-output", what=what)
        case _:
            last = next((line for line in reversed(outcome.log.splitlines()) if line.strip()), "")
            detail = one_line(last)
            status, reason = "failed", sentence("job-failed", what=what)
    return Failed(
        status=status,  # type: ignore[arg-type]
        reason=reason,
        detail=detail,
        findings=findings,
        usage=usage(outcome),
    )


class Rejected(Exception):
    """A reply from the sandbox is not valid.

    The message is the reason in the harness's own words; `detail` quotes the reply, for the instructor.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.detail = one_line(detail)

    @property
    def whole(self) -> str:
        """The message with its detail."""
        return with_detail(str(self), self.detail)


Reply = TypeVar("Reply", bound=BaseModel)


def read_reply(outputs: Path, name: str, schema: type[Reply]) -> Reply:
    """The JSON file `name` that a phase sent, checked against `schema`.

    Raises `Rejected` when it is missing, exceeds a limit of `harness/boundary/bounded_json.py`, is not JSON, or does
    not fit the schema. Only the first fault is reported.
    """
    try:
        return schema.model_validate_json(read_bounded(outputs / name))
    except FileNotFoundError:
        raise Rejected(sentence("reply-not-sent", name=name)) from None
    except Unbounded as why:
        raise Rejected(sentence("reply-unbounded", name=name, why=why)) from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))[:_SAID]
        raise Rejected(sentence("reply-malformed", name=name), f"{where} {first['msg'][:_SAID]}") from None


class _Refusal(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: str = Field(max_length=4000)


def refusal(outputs: Path) -> str | None:
    """Why a phase declined, from its `refused.json`; None when it did not. Raises `Rejected` as `read_reply`."""
    if not (outputs / "refused.json").is_file():
        return None
    return read_reply(outputs, "refused.json", _Refusal).reason


def reject_refusal(outputs: Path) -> None:
    """Raise `Rejected` when the phase declined; the detail is the phase's reason."""
    if (reason := refusal(outputs)) is not None:
        raise Rejected(sentence("reply-stopped"), reason)


def read_array(outputs: Path, name: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """The float32 array in the .npy file `name` that a phase sent.

    Raises `Rejected` when it is missing, not plain float32, or not of `shape`. Values may be NaN.
    """
    return _read_array(outputs, name, shape, np.dtype(np.float32))


def read_bytes_array(outputs: Path, name: str, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """The uint8 array in the .npy file `name` that a phase sent. Raises `Rejected` as `read_array` does."""
    return _read_array(outputs, name, shape, np.dtype(np.uint8))


def read_whole_numbers(outputs: Path, name: str, shape: tuple[int, ...]) -> NDArray[np.int32]:
    """The int32 array in the .npy file `name` that a phase sent. Raises `Rejected` as `read_array` does."""
    return _read_array(outputs, name, shape, np.dtype(np.int32))


def _read_array(outputs: Path, name: str, shape: tuple[int, ...], wanted: np.dtype[Any]) -> NDArray[Any]:
    file = outputs / name
    allowed = wanted.itemsize * math.prod(shape) + 4096  # the header is at most a page
    try:
        if file.stat().st_size > allowed:
            raise Rejected(sentence("array-too-large", name=name, shape=shape))
        with file.open("rb") as stream:  # not np.load, which opens zip files and trusts any shape
            if np.lib.format.read_magic(stream) != (1, 0):
                raise Rejected(sentence("array-other-version", name=name))
            found, by_columns, dtype = np.lib.format.read_array_header_1_0(stream)
            if dtype != wanted or found != shape:
                raise Rejected(
                    sentence("array-other-shape", name=name, dtype=wanted, shape=shape), f"it is {dtype} {found}"
                )
            flat = _numbers(stream, wanted)
        return flat.reshape(shape, order="F" if by_columns else "C")
    except FileNotFoundError:
        raise Rejected(sentence("reply-not-sent", name=name)) from None
    except (ValueError, OSError, EOFError, SyntaxError, TypeError) as error:
        raise Rejected(sentence("array-none", name=name), str(error)) from None


def _numbers(stream: BinaryIO, wanted: np.dtype[Any]) -> NDArray[Any]:
    """The rest of the file, memory-mapped, so that only the accessed parts of a large array take memory."""
    start = stream.tell()
    if start == os.fstat(stream.fileno()).st_size:
        return np.zeros(0, wanted)
    return np.frombuffer(mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ), wanted, offset=start)
