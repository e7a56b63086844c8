"""The stage `benchmark`: latency, throughput and memory, beside the reference's.

Pairs of fresh processes are timed in one sandbox; if the spread of their ratios asks for more pairs, these follow in
a second one (`paired_ratio.py`).
"""

from __future__ import annotations

import math
import os
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from harness.findings import Finding, finding, sentence
from harness.inputs.assignment.sections import BenchmarkRules
from harness.inputs.images import StagedImages
from harness.sandbox.engine import Outcome
from harness.stages.benchmark_reply import BenchmarkReply, Role, Timed
from harness.stages.context import (
    Rejected,
    StageContext,
    failed,
    read_reply,
    reject_refusal,
    usage,
)
from harness.stages.evidence.benchmark import Benchmark, CheckedAnswers, Clock, Latency, TimedPart, TimedPartName
from harness.stages.evidence.conversion import Conversion
from harness.stages.evidence.predictions import Predictions
from harness.stages.evidence.stage_result import NO_MODEL, Done, Failed, Skipped, StageResult
from harness.stages.latency_statistics import nearest_rank
from harness.stages.paired_ratio import (
    FEWEST_PAIRS,
    FIRST_PAIRS,
    Anchors,
    Floats,
    PairedRatio,
    Spans,
    log_ratios,
    steadier_clock,
)
from harness.stages.stage import Stage
from harness.stages.timed_answers import Groups, together
from harness.stages.timing_replies import TimedImages, compared, model_request, read_latencies, timed_images

_MOST_QUERIES = 10_000  # for each model in a sandbox, unless the rules want more
_SHARE_OF_TIME = 0.7  # of the wall time, after which no new turn begins
# Of a probability, compared with the predict stage's. float32 sums differ between batches of 8 and 1 by 1e-6 of a
# logit, which at logits of some tens is at most 1e-4 of a probability.
_SAME = 1e-3
_MOST_TAKEN = 0.2  # of all cores, by other programs; more slows even a model with its own core


Checks = Callable[[TimedImages, BenchmarkReply, Path, StageContext], CheckedAnswers]


@dataclass(frozen=True, slots=True)
class Subjects:
    """What is timed, and all that a sandbox run of it needs."""

    models: Mapping[Role, Conversion]
    described: Mapping[Role, Mapping[str, Any]]  # the models' part of the request
    checks: Checks  # compares the model's timed answers with its earlier ones; raises `Rejected`
    staged: StagedImages
    rules: BenchmarkRules
    context: StageContext
    parts: tuple[TimedPartName, ...] = ()  # what else is measured of each query


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
    described = {role: model_request(conversion) for role, conversion in models.items()}
    checks = partial(_answers, conversion, predictions)
    return beside_the_reference(Subjects(models, described, checks, staged, rules, context), anchors)


def beside_the_reference(subjects: Subjects, anchors: Anchors) -> StageResult[Benchmark]:
    """The timing of the subjects, in as many pairs as the anchors want."""
    rules = subjects.rules
    timed = _timed(subjects, FIRST_PAIRS)
    if isinstance(timed, Failed) or "reference" not in subjects.models:
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
        if isinstance(more, Timed):
            timed = timed.and_then(more)
            ratio = _ratio(timed, ratio)
    return _done(timed, ratio, rules)


def _ratio(timed: Timed, before: PairedRatio | None = None) -> PairedRatio:
    """The ratio of all pairs; clock and spread are those that the first pairs, `before`, decided."""
    model, reference = timed.spans["model"], timed.spans["reference"]
    clock = before.clock if before else steadier_clock(model, reference)
    logs = log_ratios(model, reference, clock)
    return PairedRatio(logs, before.first if before else len(logs), clock, max(model.waited, reference.waited))


def _done(timed: Timed, ratio: PairedRatio | None, rules: BenchmarkRules) -> Done[Benchmark]:
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
        parts=tuple(_part(name, timed, ratio, clock) for name in timed.parts),
    )
    # Only ONNX graphs get here, so no student code runs in the process with ONNX Runtime and the agent's loop.
    findings = _noticed(value, rules, timed.usage.cores_left)
    return Done(value=value, origin="measured-inside", findings=findings, usage=timed.usage)


def _part(name: TimedPartName, timed: Timed, ratio: PairedRatio | None, clock: Clock) -> TimedPart:
    """One part of the queries, by the clock of the whole."""
    by_role = timed.parts[name]
    found = {
        role: _summary(np.concatenate(spans.by(clock)), timed.peak_memory_bytes[role])
        for role, spans in by_role.items()
    }
    of_part = None
    if ratio is not None:
        of_part = replace(ratio, logs=log_ratios(by_role["model"], by_role["reference"], clock))
    return TimedPart(
        name=name,
        model=found["model"],
        reference=found.get("reference"),
        ratio=of_part.ratio if of_part else None,
        ratio_interval=of_part.interval if of_part else None,
    )


def _timed(subjects: Subjects, pairs: int) -> Timed | Failed:
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


def _request(subjects: Subjects, pairs: int) -> dict[str, Any]:
    """The rules are of the first pairs together; each process does its share of them."""
    rules, context = subjects.rules, subjects.context
    models = {role: {"file": role, **described} for role, described in subjects.described.items()}
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


def _checked(subjects: Subjects, images: TimedImages, pairs: int, outputs: Path, outcome: Outcome) -> Timed:
    """What the sandbox sent. Raises `Rejected`."""
    reply = read_reply(outputs, "benchmark.json", BenchmarkReply)
    if set(reply.processes) != set(subjects.models) or len(reply.processes["model"]) > pairs:
        raise Rejected(sentence("timed-other-models"))
    return Timed(
        reply,
        {role: _spans(role, reply.processes[role], outputs) for role in subjects.models},
        (subjects.checks(images, reply, outputs, subjects.context),),
        dict(reply.peak_memory_bytes),
        reply.warm_up_seconds,
        usage(outcome),
        {
            part: {role: _spans(f"{part}-{role}", reply.processes[role], outputs) for role in subjects.models}
            for part in subjects.parts
        },
    )


def _spans(of: str, queries: tuple[int, ...], outputs: Path) -> Spans:
    edges = list(pairwise(np.cumsum((0, *queries)).tolist()))
    walls, processors = (
        read_latencies(outputs, f"{kind}-{of}.npy", sum(queries)).astype(np.float64)
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


def _answers(
    conversion: Conversion,
    predictions: Predictions,
    images: TimedImages,
    reply: BenchmarkReply,
    outputs: Path,
    context: StageContext,
) -> CheckedAnswers:
    """The model's timed answers, compared with its answers in the predict stage."""
    groups = reply.answers["model"]
    check_inputs(groups, images, reply)
    if sum(groups.counts) != sum(reply.processes["model"]):
        raise Rejected(sentence("timed-other-queries"))
    asked = images.asked([[place] for place in range(reply.images)])
    ends = "answers-low-model.npy", "answers-high-model.npy"
    return compared(groups, ends, asked, conversion, predictions, _SAME, outputs, context)


def check_inputs(groups: Groups, images: TimedImages, reply: BenchmarkReply) -> None:
    """Raises `Rejected` for answers to images that were not sent."""
    if reply.images > len(images.material.files) or max(groups.inputs) >= reply.images:
        raise Rejected(sentence("timed-other-images"))


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
