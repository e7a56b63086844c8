"""The stage `timing`: times one round of a model on an engine in a scenario, in a fresh sandbox process."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from harness.errors import MachineError
from harness.findings import sentence
from harness.inputs.images import StagedImages
from harness.sandbox.engine import Outcome
from harness.stages.context import Rejected, StageContext, failed, read_reply, usage
from harness.stages.detection.detector import DetectorHead
from harness.stages.evidence.benchmark import CheckedAnswers
from harness.stages.evidence.conversion import Conversion, Precision
from harness.stages.evidence.predictions import Predictions
from harness.stages.evidence.record import Record
from harness.stages.evidence.stage_result import Done, Failed, StageResult
from harness.stages.timed_answers import MOST_INPUTS, Groups, Operators
from harness.stages.timing_replies import TimedImages, compared, model_request, read_latencies, timed_images

Engine = Literal["cpu", "cuda", "tensorrt", "openvino", "torch", "torch-compiled"]
Mode = Literal["model-only", "end-to-end"]

OWN_PYTHON: tuple[Engine, ...] = ("torch", "torch-compiled")  # they run the model as handed in, with its own code
_MOST_QUERIES = 200_000  # of a round: 15 rounds reach 60 s from 20 µs a query on
# Of a probability, compared with the predict stage's at this precision. float32: another order of sums (see
# `harness/stages/benchmark.py`). Half precision has 11 bits, so logits of some tens differ by some hundredths. With
# 8 bits, engines round and saturate differently.
TOLERANCE: dict[Precision, float] = {"fp32": 1e-3, "fp16": 0.02, "int8": 0.2}


@dataclass(frozen=True, slots=True)
class Budget:
    """When a round ends: after `seconds` and `fewest` queries, but in any case after `limit_seconds` or `most`."""

    seconds: float
    fewest: int
    limit_seconds: float
    most: int = _MOST_QUERIES


@dataclass(frozen=True, slots=True)
class Setting:
    """How a round is timed."""

    engine: Engine
    precision: Precision
    mode: Mode
    samples_per_query: int
    rate_per_second: float | None
    budget: Budget
    warm_up_seconds: float
    cores: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Subject:
    """A model to time: converted and, for an engine that runs its own Python, as handed in."""

    conversion: Conversion
    handed_in: Mapping[str, Path]  # name under /in -> file: `model`, perhaps `model.py`
    head: DetectorHead | None = None  # None for a classifier


class Repeated(Record):
    """Latencies of repeated and new inputs, in turn, one image each, equally many."""

    seen_ms: tuple[float, ...]
    unseen_ms: tuple[float, ...]


class Round(Record):
    """What one fresh process measured. Moments are `time.monotonic`, the same inside and outside."""

    engine: str  # name, version and device
    latencies_ms: tuple[float, ...]  # of queries, in order
    started: float
    ended: float
    cpu_seconds: float
    missed: int  # at a fixed rate: queries that began after the next one was planned
    warm_up_seconds: float
    peak_memory_bytes: int
    answers: CheckedAnswers | None  # compared with the predict stage's; None without these, as for a detector
    stateful_operators: tuple[str, ...] = ()
    repeated: Repeated | None = None  # for an engine that runs the model's own Python
    handover_ms: float | None = None  # transfer per query to and from that Python's process, measured before it ran


class _Refused(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: str = Field(max_length=4000)
    engine_missing: bool


_Finite = Annotated[float, Field(ge=0, allow_inf_nan=False)]
_Input = Annotated[int, Field(ge=0, lt=MOST_INPUTS)]


class _Repeated(BaseModel):
    model_config = ConfigDict(extra="forbid")

    seen_ms: tuple[_Finite, ...] = Field(max_length=MOST_INPUTS)
    unseen_ms: tuple[_Finite, ...] = Field(max_length=MOST_INPUTS)


class _Reply(BaseModel):
    """timing.json, as `harness/agent/phases/timing.py` sends it."""

    model_config = ConfigDict(extra="forbid")

    engine: str = Field(pattern=r"^[\w. +-]{1,80}$")
    queries: int = Field(ge=1, le=_MOST_QUERIES)
    started: _Finite
    ended: _Finite
    cpu_seconds: _Finite
    missed: int = Field(ge=0)
    warm_up_seconds: _Finite
    peak_memory_bytes: int = Field(ge=0)
    handover_ms: _Finite | None
    images: int = Field(ge=1, le=MOST_INPUTS)  # how many of the list's first images the queries used
    asked: tuple[Annotated[tuple[_Input, ...], Field(max_length=MOST_INPUTS)], ...] = Field(max_length=MOST_INPUTS)
    answers: Groups | None
    stateful: Operators
    repeated: _Repeated | None


def time_round(
    subject: Subject,
    setting: Setting,
    staged: StagedImages,
    predictions: Predictions | None,
    context: StageContext,
) -> StageResult[Round]:
    """One round. `predictions`: for the staged images, to compare with all timed answers.

    Raises `MachineError` where the engine is not installed, `EngineFailed` when the sandbox engine broke.
    """
    conversion = subject.conversion
    own_python = setting.engine in OWN_PYTHON
    if conversion.native and not own_python:
        return Failed(status="rejected", reason=sentence("torch-only"))
    inputs = dict(subject.handed_in) if own_python else {"model": context.store.path(conversion.model)}
    images = timed_images(staged)
    request = {
        "engine": setting.engine,
        "precision": setting.precision,
        "mode": setting.mode,
        "scenario": {"rate_per_second": setting.rate_per_second, "samples_per_query": setting.samples_per_query},
        "budget": asdict(setting.budget),
        "warm_up_seconds": setting.warm_up_seconds,
        "cores": setting.cores,
        "own_python": own_python,
        **model_request(conversion),
        "dynamic_batch": conversion.dynamic_batch,
        "labels": conversion.outputs,
        "factory": "model.py" in inputs,
        "head": subject.head,
    }
    with tempfile.TemporaryDirectory(prefix="harness-timing-") as folder:
        outputs = Path(folder)
        outcome = context.run(
            "timing", request, inputs, outputs, images={"images": images.material}, cores=setting.cores
        )
        if outcome.status != "ok":
            return failed(outcome, "Timing the model", context.limits)
        try:
            if (outputs / "refused.json").is_file():
                refused = read_reply(outputs, "refused.json", _Refused)
                if refused.engine_missing:
                    raise MachineError(refused.reason, "install it where the sandbox takes its Python from")
                raise Rejected(sentence("reply-stopped"), refused.reason)
            return _result(subject, setting, images, predictions, outputs, outcome, context)
        except Rejected as rejected:
            return Failed(
                status="rejected",
                reason=sentence("not-timed", why=rejected),
                detail=rejected.detail,
                usage=usage(outcome),
            )


def _result(
    subject: Subject,
    setting: Setting,
    images: TimedImages,
    predictions: Predictions | None,
    outputs: Path,
    outcome: Outcome,
    context: StageContext,
) -> Done[Round]:
    reply = read_reply(outputs, "timing.json", _Reply)
    latencies = read_latencies(outputs, "latencies.npy", reply.queries)
    if reply.ended <= reply.started:
        raise Rejected(sentence("timed-backwards"))
    answers = None
    if predictions is not None and subject.head is None:
        answers = _answers(subject, setting, images, predictions, reply, outputs, context)
    value = Round(
        engine=reply.engine,
        latencies_ms=tuple(round(float(ms), 5) for ms in latencies),
        started=reply.started,
        ended=reply.ended,
        cpu_seconds=reply.cpu_seconds,
        missed=reply.missed,
        warm_up_seconds=reply.warm_up_seconds,
        peak_memory_bytes=reply.peak_memory_bytes,
        handover_ms=reply.handover_ms,
        answers=answers,
        stateful_operators=reply.stateful,
        repeated=Repeated(**reply.repeated.model_dump()) if reply.repeated else None,
    )
    return Done(value=value, usage=usage(outcome))


def _answers(
    subject: Subject,
    setting: Setting,
    images: TimedImages,
    predictions: Predictions,
    reply: _Reply,
    outputs: Path,
    context: StageContext,
) -> CheckedAnswers:
    """The model's timed answers, compared with the predict stage's on the same images."""
    groups, samples = reply.answers, setting.samples_per_query
    if reply.images > len(images.material.files):
        raise Rejected(sentence("timed-other-images"))
    if any(len(query) != samples or max(query) >= reply.images for query in reply.asked):
        raise Rejected(sentence("timed-too-few-images"))
    if groups is None or sum(groups.counts) != reply.queries or max(groups.inputs) >= len(reply.asked):
        raise Rejected(sentence("timed-other-queries"))
    ends, tolerance = ("answers-low.npy", "answers-high.npy"), TOLERANCE[setting.precision]
    asked = images.asked(reply.asked)
    return compared(groups, ends, asked, subject.conversion, predictions, tolerance, outputs, context)
