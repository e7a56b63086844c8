"""The stage `benchmark`: latency, throughput and memory, beside the reference's.

Pairs of fresh processes are timed in one sandbox; if the spread of their ratios asks for more pairs, these follow in
a second one (`paired_ratio.py`).
"""

from __future__ import annotations

import math
import os
import tempfile
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
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
from harness.stages.evidence.stage_result import NO_MODEL, Done, Failed, Skipped, StageResult, Usage
from harness.stages.latency_statistics import nearest_rank
from harness.stages.paired_ratio import (
    FEWEST_PAIRS,
    FIRST_PAIRS,
    MOST_PAIRS,
    Anchors,
    Floats,
    PairedRatio,
    Spans,
    log_ratios,
    steadier_clock,
)
from harness.stages.stage import Stage
from harness.stages.timed_answers import MOST_INPUTS, Groups, Operators, together
from harness.stages.timing_replies import TimedImages, compared, model_request, read_latencies, timed_images

_MOST_QUERIES = 10_000  # for each model in a sandbox, unless the rules want more
_SHARE_OF_TIME = 0.7  # of the wall time, after which no new turn begins
# Of a probability, compared with the predict stage's. float32 sums differ between batches of 8 and 1 by 1e-6 of a
# logit, which at logits of some tens is at most 1e-4 of a probability.
_SAME = 1e-3
_MOST_TAKEN = 0.2  # of all cores, by other programs; more slows even a model with its own core

Role = Literal["model", "reference"]


class _Reply(BaseModel):
    """benchmark.json, as `harness/agent/phases/benchmark.py` sends it."""

    model_config = ConfigDict(extra="forbid")

    processes: dict[
        Role, Annotated[tuple[Annotated[int, Field(ge=1, le=100_064)], ...], Field(min_length=1, max_length=MOST_PAIRS)]
    ]  # how many queries each was asked
    answers: dict[Role, Groups]
    stateful: dict[Role, Operators]
    peak_memory_bytes: dict[Role, Annotated[int, Field(ge=0)]]
    warm_up_seconds: float = Field(ge=0, allow_inf_nan=False)
    images: int = Field(ge=1, le=MOST_INPUTS)  # how many of the list's first images the queries used
    engine: str = Field(pattern=r"^[\w. +-]{1,80}$")

    @model_validator(mode="after")
    def _alike(self) -> _Reply:
        roles = [set(said) for said in (self.processes, self.peak_memory_bytes, self.answers, self.stateful)]
        if any(said != roles[0] for said in roles) or "model" not in self.processes:
            raise ValueError("its figures are not of the same models")
        if len({len(queries) for queries in self.processes.values()}) != 1:
            raise ValueError("the models had different numbers of processes")
        if "reference" in self.processes and len(self.processes["reference"]) < FEWEST_PAIRS:
            raise ValueError("one pair has no spread")
        return self


@dataclass(frozen=True, slots=True)
class _Timed:
    """What one sandbox measured, checked; or several together."""

    reply: _Reply  # of the first
    spans: dict[Role, Spans]
    answers: tuple[CheckedAnswers, ...]  # by sandbox
    peak_memory_bytes: dict[Role, int]
    warm_up_seconds: float
    usage: Usage

    def and_then(self, later: _Timed) -> _Timed:
        known = [one for one in (self.usage.cores_left, later.usage.cores_left) if one is not None]
        peaks = [one for one in (self.usage.peak_memory_bytes, later.usage.peak_memory_bytes) if one is not None]
        return _Timed(
            self.reply,
            {role: spans.and_then(later.spans[role]) for role, spans in self.spans.items()},
            (*self.answers, *later.answers),
            {role: max(bytes, later.peak_memory_bytes[role]) for role, bytes in self.peak_memory_bytes.items()},
            self.warm_up_seconds + later.warm_up_seconds,
            Usage(
                seconds=self.usage.seconds + later.usage.seconds,
                peak_memory_bytes=max(peaks, default=None),
                cores_left=min(known, default=None),
                log=self.usage.log + later.usage.log,
            ),
        )


@dataclass(frozen=True, slots=True)
class _Subjects:
    """What is timed, and all that a sandbox run of it needs."""

    models: dict[Role, Conversion]
    predictions: Predictions
    staged: StagedImages
    rules: BenchmarkRules
    context: StageContext


def benchmark(
    conversion: Conversion,
    reference: Conversion | None,
    predictions: Predictions,
    staged: StagedImages,
    rules: BenchmarkRules,
    context: StageContext,
    anchors: Anchors = (),
) -> StageResult[Benchmark]:
    """The model's timing beside the reference's, on the same cores, in the same minutes.

    `predictions`: the predict stage's, for comparison with all timed answers. `anchors`: of the criteria that turn the
    ratio into points; they say how narrow its interval has to be. Pairs so uneven that the most that are timed would
    not make it so narrow are void, and timed once more.
    """
    if conversion.native:
        return Skipped(reason=sentence("native-not-timed"))
    models: dict[Role, Conversion] = {"model": conversion}
    if reference is not None and not reference.native:
        models["reference"] = reference
    subjects = _Subjects(models, predictions, staged, rules, context)
    timed = _timed(subjects, FIRST_PAIRS)
    if isinstance(timed, Failed) or "reference" not in models:
        return timed if isinstance(timed, Failed) else _done(timed, None, rules)
    ratio = _ratio(timed)
    if (wanted := ratio.pairs_wanted(anchors)) is None:
        again = _timed(subjects, FIRST_PAIRS)
        if isinstance(again, Failed):  # a busy machine must not fail a submission
            return _done(timed, ratio, rules)
        timed, ratio = again, _ratio(again)
        wanted = ratio.pairs_wanted(anchors)
    if wanted is not None and (missing := wanted - len(ratio.logs)) > 0:
        more = _timed(subjects, max(missing, FEWEST_PAIRS))
        if isinstance(more, _Timed):
            timed = timed.and_then(more)
            ratio = _ratio(timed, ratio)
    return _done(timed, ratio, rules)


def _ratio(timed: _Timed, before: PairedRatio | None = None) -> PairedRatio:
    """The ratio of all pairs; clock and spread are those that the first pairs, `before`, decided."""
    model, reference = timed.spans["model"], timed.spans["reference"]
    clock = before.clock if before else steadier_clock(model, reference)
    logs = log_ratios(model, reference, clock)
    return PairedRatio(logs, before.first if before else len(logs), clock, max(model.waited, reference.waited))


def _done(timed: _Timed, ratio: PairedRatio | None, rules: BenchmarkRules) -> Done[Benchmark]:
    clock = ratio.clock if ratio else "processor"
    summaries = {
        role: _summary(np.concatenate(spans.by(clock)), timed.peak_memory_bytes[role])
        for role, spans in timed.spans.items()
    }
    value = Benchmark(
        engine=timed.reply.engine,
        model=summaries["model"],
        reference=summaries.get("reference"),
        ratio=ratio.ratio if ratio else None,
        ratio_interval=ratio.interval if ratio else None,
        cpus=1,
        threads=1,
        warm_up_seconds=timed.warm_up_seconds,
        outputs_agree=not any(one.different for one in timed.answers),
        answers=together(timed.answers),
        stateful_operators=timed.reply.stateful["model"],
        latencies_ms=tuple(round(float(ms), 4) for ms in np.concatenate(timed.spans["model"].by(clock))),
        clock=clock,
        waited=timed.spans["model"].waited,
        pair_ratios=tuple(float(one) for one in np.exp(ratio.logs)) if ratio else (),
        first_pairs=ratio.first if ratio else 0,
    )
    # Only ONNX graphs get here, so no student code runs in the process with ONNX Runtime and the agent's loop.
    findings = _noticed(value, rules, timed.usage.cores_left)
    return Done(value=value, origin="measured-inside", findings=findings, usage=timed.usage)


def _timed(subjects: _Subjects, pairs: int) -> _Timed | Failed:
    """So many pairs, in one sandbox."""
    context = subjects.context
    request = _request(subjects, pairs)
    inputs: dict[str, Path] = {role: context.store.path(c.model) for role, c in subjects.models.items()}
    images = timed_images(subjects.staged)
    with tempfile.TemporaryDirectory(prefix="harness-benchmark-") as folder:
        outputs = Path(folder)
        outcome = context.run("benchmark", request, inputs, outputs, images={"images": images.material})
        if outcome.status != "ok":
            ended = failed(outcome, "The benchmark", context.limits)
            unusable = finding("benchmark-failed", reason=ended.reason, detail=ended.detail)
            return ended.model_copy(update={"findings": (unusable,)})
        try:
            reject_refusal(outputs)
            return _checked(subjects, images, pairs, outputs, outcome)
        except Rejected as rejected:
            unusable = finding("benchmark-failed", reason=str(rejected), detail=rejected.detail)
            return Failed(
                status="rejected",
                reason=unusable.message,
                detail=unusable.detail,
                findings=(unusable,),
                usage=usage(outcome),
            )


def _request(subjects: _Subjects, pairs: int) -> dict[str, Any]:
    """The rules are of the first pairs together; each process does its share of them."""
    rules, context = subjects.rules, subjects.context
    models = {role: {"file": role, **model_request(conversion)} for role, conversion in subjects.models.items()}
    return {
        "models": models,
        "cpus": context.limits.cpus,
        "pairs": pairs,
        "queries": math.ceil(rules.queries / FIRST_PAIRS),
        "most_queries": math.ceil(max(_MOST_QUERIES, rules.queries + 64) / FIRST_PAIRS),
        "min_seconds": rules.min_seconds / FIRST_PAIRS,
        "warm_up_seconds": rules.warm_up_seconds / FIRST_PAIRS,
        "budget_seconds": context.limits.wall_seconds * _SHARE_OF_TIME,
    }


def _checked(subjects: _Subjects, images: TimedImages, pairs: int, outputs: Path, outcome: Outcome) -> _Timed:
    """What the sandbox sent. Raises `Rejected`."""
    reply = read_reply(outputs, "benchmark.json", _Reply)
    if set(reply.processes) != set(subjects.models) or len(reply.processes["model"]) > pairs:
        raise Rejected(sentence("timed-other-models"))
    return _Timed(
        reply,
        {role: _spans(role, reply.processes[role], outputs) for role in subjects.models},
        (_answers(subjects, images, reply, outputs),),
        dict(reply.peak_memory_bytes),
        reply.warm_up_seconds,
        usage(outcome),
    )


def _spans(role: Role, queries: tuple[int, ...], outputs: Path) -> Spans:
    edges = list(pairwise(np.cumsum((0, *queries)).tolist()))
    walls, processors = (
        read_latencies(outputs, f"{kind}-{role}.npy", sum(queries)).astype(np.float64)
        for kind in ("latencies", "processor")
    )
    return Spans(tuple(walls[a:b] for a, b in edges), tuple(processors[a:b] for a, b in edges))


def _summary(latencies: Floats, peak_memory_bytes: int) -> Latency:
    return Latency(
        p50_ms=nearest_rank(latencies, 50),
        p90_ms=nearest_rank(latencies, 90),
        p99_ms=nearest_rank(latencies, 99),
        throughput_per_s=1000 * len(latencies) / float(latencies.sum(dtype=np.float64)),
        queries=len(latencies),
        peak_memory_bytes=peak_memory_bytes,
    )


def _answers(subjects: _Subjects, images: TimedImages, reply: _Reply, outputs: Path) -> CheckedAnswers:
    """The model's timed answers, compared with its answers in the predict stage."""
    groups = reply.answers["model"]
    if reply.images > len(images.material.files) or max(groups.inputs) >= reply.images:
        raise Rejected(sentence("timed-other-images"))
    if sum(groups.counts) != sum(reply.processes["model"]):
        raise Rejected(sentence("timed-other-queries"))
    asked = images.asked([[place] for place in range(reply.images)])
    ends = "answers-low-model.npy", "answers-high-model.npy"
    conversion, predictions = subjects.models["model"], subjects.predictions
    return compared(groups, ends, asked, conversion, predictions, _SAME, outputs, subjects.context)


def _noticed(value: Benchmark, rules: BenchmarkRules, cores_left: float | None) -> tuple[Finding, ...]:
    found = []
    if not value.outputs_agree:
        found.append(finding("benchmark-outputs-differ"))
    if value.stateful_operators:
        found.append(finding("stateful-model", operators=", ".join(value.stateful_operators)))
    if reason := unsteady(value, rules, cores_left):
        found.append(finding("benchmark-unsteady", reason=reason))
    return tuple(found)


def unsteady(value: Benchmark, rules: BenchmarkRules, cores_left: float | None) -> str:
    """What disturbed the timing, as a part of a sentence; empty when nothing did.

    `cores_left`: cores that other programs left meanwhile, on average; None when not known.
    """
    cores = os.cpu_count() or 1
    if value.model.queries < rules.queries:
        return sentence("unsteady-few-queries", queries=value.model.queries, wanted=rules.queries)
    if cores_left is not None and (taken := cores - cores_left) > _MOST_TAKEN * cores:
        return sentence("unsteady-other-programs", taken=taken, cores=cores)
    return ""


@dataclass(frozen=True, slots=True)
class BenchmarkRequest:
    """A model with its answers, the reference timed beside it, and the images of the queries.

    `anchors`: of each criterion that turns the ratio into points, where all points end and where none are left.
    """

    conversion: Conversion | None
    predictions: Predictions | None
    reference: Conversion | None
    staged: StagedImages
    rules: BenchmarkRules
    anchors: tuple[tuple[float, float], ...] = ()


def _benchmark(request: BenchmarkRequest, context: StageContext) -> StageResult[Benchmark]:
    if request.conversion is None or request.predictions is None:
        return NO_MODEL
    return benchmark(
        request.conversion,
        request.reference,
        request.predictions,
        request.staged,
        request.rules,
        context,
        request.anchors,
    )


BENCHMARK = Stage("benchmark", Benchmark, _benchmark)
