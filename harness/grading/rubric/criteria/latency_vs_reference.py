"""The latency of one prediction, relative to the reference timed in turn with it."""

from __future__ import annotations

from pydantic import Field, model_validator

from harness.findings import sentence
from harness.grading.rubric.criterion import CriterionOptions, Judgement, linear
from harness.report.coarse import significant
from harness.stages.evidence.stage_result import Done
from harness.stages.evidence.submission import Evidence

TITLE = "Time for one prediction, against the reference"
READS: tuple[str, ...] = ("benchmark",)


class Options(CriterionOptions):
    full_at: float = Field(1.5, gt=0, description="times the reference's median up to which all points are given")
    zero_at: float = Field(10.0, gt=0, description="times the reference's median at which none are")

    @model_validator(mode="after")
    def _in_order(self) -> Options:
        if self.zero_at <= self.full_at:
            raise ValueError("zero_at must be above full_at")
        return self


def mark(evidence: Evidence, options: Options, max_points: float) -> Judgement:
    """Linear between the two anchors, on the ratio of medians; a person decides when it was not measured."""
    if not isinstance(evidence.predict, Done):
        return Judgement(0.0, sentence("latency-no-model"))
    if not isinstance(evidence.benchmark, Done):
        return Judgement(None, sentence("latency-not-measured", why=evidence.benchmark.reason))
    timed = evidence.benchmark.value
    if not timed.outputs_agree:
        return Judgement(None, sentence("latency-other-model"))
    if timed.stateful_operators:
        return Judgement(None, sentence("latency-stateful", operators=", ".join(timed.stateful_operators)))
    if timed.ratio is None or timed.ratio_interval is None or timed.reference is None:
        return Judgement(None, sentence("latency-no-reference"))
    low, high = timed.ratio_interval
    return Judgement(
        linear(timed.ratio, options.zero_at, options.full_at, max_points),
        sentence(
            "latency-marked",
            model=_coarse(timed.model.p50_ms),
            reference=_coarse(timed.reference.p50_ms),
            ratio=timed.ratio,
            low=low,
            high=high,
            full_at=options.full_at,
            zero_at=options.zero_at,
        ),
    )


def _coarse(milliseconds: float) -> str:
    """Milliseconds rounded as on the student's page, which repeats this sentence: exact figures could leak images."""
    return f"{significant(milliseconds):,.12g}"
