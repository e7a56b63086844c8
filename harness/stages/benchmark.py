"""The stage `benchmark`: latency, throughput and memory, beside the reference's.

A timing during which other programs used the cores does not count, and is repeated once.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from harness.findings import Finding, finding, sentence
from harness.inputs.assignment.sections import BenchmarkRules
from harness.inputs.images import StagedImages
from harness.sandbox.engine import Outcome
from harness.stages.context import (
    Rejected,
    StageContext,
    failed,
    read_reply,
    reject_refusal,
    usage,
)
from harness.stages.evidence.benchmark import Benchmark, CheckedAnswers, Latency
from harness.stages.evidence.conversion import Conversion
from harness.stages.evidence.predictions import Predictions
from harness.stages.evidence.stage_result import NO_MODEL, Done, Failed, Skipped, StageResult
from harness.stages.latency_statistics import nearest_rank, ratio_interval_in_turn
from harness.stages.stage import Stage
from harness.stages.timed_answers import MOST_INPUTS, Groups, Operators
from harness.stages.timing_replies import TimedImages, compared, model_request, read_latencies, timed_images

_MOST_QUERIES = 10_000  # for each model, unless the rules want more
_SHARE_OF_TIME = 0.7  # of the wall time, after which no new block begins
# Of a probability, compared with the predict stage's. float32 sums differ between batches of 8 and 1 by 1e-6 of a
# logit, which at logits of some tens is at most 1e-4 of a probability.
_SAME = 1e-3
_STEADY = 0.25  # width of the ratio's interval, relative to the ratio
_MOST_TAKEN = 0.2  # of all cores, by other programs; more slows even a model with its own core

Role = Literal["model", "reference"]
Floats = NDArray[np.float32]


class _Reply(BaseModel):
    """benchmark.json, as `harness/agent/phases/benchmark.py` sends it."""

    model_config = ConfigDict(extra="forbid")

    blocks: dict[Role, Annotated[tuple[Annotated[int, Field(ge=1, le=1000)], ...], Field(min_length=1)]]
    answers: dict[Role, Groups]
    stateful: dict[Role, Operators]
    peak_memory_bytes: dict[Role, Annotated[int, Field(ge=0)]]
    warm_up_seconds: float = Field(ge=0, allow_inf_nan=False)
    images: int = Field(ge=1, le=MOST_INPUTS)  # how many of the list's first images the queries used
    cpus: int = Field(ge=1)
    engine: str = Field(pattern=r"^[\w. +-]{1,80}$")

    @model_validator(mode="after")
    def _alike(self) -> _Reply:
        roles = [set(said) for said in (self.blocks, self.peak_memory_bytes, self.answers, self.stateful)]
        if any(said != roles[0] for said in roles) or "model" not in self.blocks:
            raise ValueError("its figures are not of the same models")
        if len({len(blocks) for blocks in self.blocks.values()}) != 1:
            raise ValueError("the models had different numbers of turns")
        return self


def benchmark(
    conversion: Conversion,
    reference: Conversion | None,
    predictions: Predictions,
    staged: StagedImages,
    rules: BenchmarkRules,
    context: StageContext,
) -> StageResult[Benchmark]:
    """The model's timing beside the reference's, on the same cores, in the same minutes.

    `predictions`: the predict stage's, for comparison with all timed answers. A disturbed timing is void and repeated
    once; if that is disturbed as well, a finding says so.
    """
    if conversion.native:
        return Skipped(reason=sentence("native-not-timed"))
    timed: dict[Role, Conversion] = {"model": conversion}
    if reference is not None and not reference.native:
        timed["reference"] = reference
    first = _timed(timed, predictions, staged, rules, context)
    if not isinstance(first, Done) or not disturbed(first.value, first.usage.cores_left):
        return first
    again = _timed(timed, predictions, staged, rules, context)
    result = again if isinstance(again, Done) else first  # a busy machine must not fail a submission
    if not (reason := disturbed(result.value, result.usage.cores_left)):
        return result
    unsteady = finding("benchmark-unsteady", reason=sentence("unsteady-repeated", why=reason))
    return result.model_copy(update={"findings": (*result.findings, unsteady)})


def disturbed(value: Benchmark, cores_left: float | None) -> str:
    """Why a timing does not count, as a part of a sentence; empty when it counts.

    `cores_left`: cores that other programs left meanwhile, on average; None when not known.
    """
    cores = os.cpu_count() or 1
    if cores_left is not None and (taken := cores - cores_left) > _MOST_TAKEN * cores:
        return sentence("unsteady-other-programs", taken=taken, cores=cores)
    if value.ratio and value.ratio_interval:
        low, high = value.ratio_interval
        if (high - low) / value.ratio > _STEADY:
            return sentence("unsteady-ratio", low=low, high=high)
    return ""


def _timed(
    timed: dict[Role, Conversion],
    predictions: Predictions,
    staged: StagedImages,
    rules: BenchmarkRules,
    context: StageContext,
) -> Done[Benchmark] | Failed:
    """The result of one sandbox run."""
    request = _request(timed, rules, context)
    inputs: dict[str, Path] = {role: context.store.path(c.model) for role, c in timed.items()}
    images = timed_images(staged)
    with tempfile.TemporaryDirectory(prefix="harness-benchmark-") as folder:
        outputs = Path(folder)
        outcome = context.run("benchmark", request, inputs, outputs, images={"images": images.material})
        if outcome.status != "ok":
            ended = failed(outcome, "The benchmark", context.limits)
            unusable = finding("benchmark-failed", reason=ended.reason, detail=ended.detail)
            return ended.model_copy(update={"findings": (unusable,)})
        try:
            reject_refusal(outputs)
            return _result(timed, predictions, images, rules, outputs, outcome, context)
        except Rejected as rejected:
            unusable = finding("benchmark-failed", reason=str(rejected), detail=rejected.detail)
            return Failed(
                status="rejected",
                reason=unusable.message,
                detail=unusable.detail,
                findings=(unusable,),
                usage=usage(outcome),
            )


def _request(timed: dict[Role, Conversion], rules: BenchmarkRules, context: StageContext) -> dict[str, Any]:
    models = {role: {"file": role, **model_request(conversion)} for role, conversion in timed.items()}
    return {
        "models": models,
        "cpus": context.limits.cpus,
        "queries": rules.queries,
        "most_queries": max(_MOST_QUERIES, rules.queries + 64),
        "min_seconds": rules.min_seconds,
        "warm_up_seconds": rules.warm_up_seconds,
        "budget_seconds": context.limits.wall_seconds * _SHARE_OF_TIME,
    }


def _result(
    timed: dict[Role, Conversion],
    predictions: Predictions,
    images: TimedImages,
    rules: BenchmarkRules,
    outputs: Path,
    outcome: Outcome,
    context: StageContext,
) -> Done[Benchmark]:
    reply = read_reply(outputs, "benchmark.json", _Reply)
    if set(reply.blocks) != set(timed):
        raise Rejected(sentence("timed-other-models"))
    measured = {role: read_latencies(outputs, f"latencies-{role}.npy", sum(reply.blocks[role])) for role in timed}
    ratio = interval = None
    if "reference" in timed:
        blocks = [_block_medians(measured[role], reply.blocks[role]) for role in ("model", "reference")]
        interval = ratio_interval_in_turn(*blocks)
        ratio = nearest_rank(measured["model"], 50) / nearest_rank(measured["reference"], 50)
    answers = _answers(timed["model"], predictions, images, reply, outputs, context)
    value = Benchmark(
        engine=reply.engine,
        model=_summary(measured["model"], reply.peak_memory_bytes["model"]),
        reference=(
            _summary(measured["reference"], reply.peak_memory_bytes["reference"]) if "reference" in timed else None
        ),
        ratio=ratio,
        ratio_interval=interval,
        cpus=reply.cpus,
        threads=reply.cpus,
        warm_up_seconds=reply.warm_up_seconds,
        outputs_agree=answers.different == 0,
        answers=answers,
        stateful_operators=reply.stateful["model"],
        latencies_ms=tuple(round(float(ms), 4) for ms in measured["model"]),
    )
    # Only ONNX graphs get here, so no student code runs in the process with ONNX Runtime and the agent's loop.
    return Done(value=value, origin="measured-inside", findings=_noticed(value, rules), usage=usage(outcome))


def _summary(latencies: Floats, peak_memory_bytes: int) -> Latency:
    return Latency(
        p50_ms=nearest_rank(latencies, 50),
        p90_ms=nearest_rank(latencies, 90),
        p99_ms=nearest_rank(latencies, 99),
        throughput_per_s=1000 * len(latencies) / float(latencies.sum(dtype=np.float64)),
        queries=len(latencies),
        peak_memory_bytes=peak_memory_bytes,
    )


def _block_medians(latencies: Floats, blocks: tuple[int, ...]) -> Floats:
    edges = np.cumsum((0, *blocks))
    medians = [np.median(latencies[a:b]) for a, b in pairwise(edges)]
    return np.asarray(medians, dtype=np.float32)


def _answers(
    conversion: Conversion,
    predictions: Predictions,
    images: TimedImages,
    reply: _Reply,
    outputs: Path,
    context: StageContext,
) -> CheckedAnswers:
    """The model's timed answers, compared with its answers in the predict stage."""
    groups = reply.answers["model"]
    if reply.images > len(images.material.files) or max(groups.inputs) >= reply.images:
        raise Rejected(sentence("timed-other-images"))
    if sum(groups.counts) != sum(reply.blocks["model"]):
        raise Rejected(sentence("timed-other-queries"))
    asked = images.asked([[place] for place in range(reply.images)])
    ends = "answers-low-model.npy", "answers-high-model.npy"
    return compared(groups, ends, asked, conversion, predictions, _SAME, outputs, context)


def _noticed(value: Benchmark, rules: BenchmarkRules) -> tuple[Finding, ...]:
    found = []
    if not value.outputs_agree:
        found.append(finding("benchmark-outputs-differ"))
    if value.stateful_operators:
        found.append(finding("stateful-model", operators=", ".join(value.stateful_operators)))
    if value.model.queries < rules.queries:
        reason = sentence("unsteady-few-queries", queries=value.model.queries, wanted=rules.queries)
        found.append(finding("benchmark-unsteady", reason=reason))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class BenchmarkRequest:
    """A model with its answers, the reference timed beside it, and the images of the queries."""

    conversion: Conversion | None
    predictions: Predictions | None
    reference: Conversion | None
    staged: StagedImages
    rules: BenchmarkRules


def _benchmark(request: BenchmarkRequest, context: StageContext) -> StageResult[Benchmark]:
    if request.conversion is None or request.predictions is None:
        return NO_MODEL
    return benchmark(request.conversion, request.reference, request.predictions, request.staged, request.rules, context)


BENCHMARK = Stage("benchmark", Benchmark, _benchmark)
