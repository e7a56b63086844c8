"""The latency of one prediction, relative to the reference timed in turn with it."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import Field, model_validator

from harness.findings import sentence
from harness.grading.rubric.criterion import CriterionOptions, Judgement, linear
from harness.inputs.assignment.schema import CriterionSpec
from harness.stages.evidence.stage_result import Done
from harness.stages.evidence.submission import Evidence
from harness.stages.latency_statistics import significant

TITLE = "Time for one prediction, against the reference"
READS: tuple[str, ...] = ("benchmark",)

# Of the points: the widest interval that still gives them. More pairs are timed until their part of it is 4 % wide
# (`harness/stages/paired_ratio.py`).
WIDEST = 0.1


class Options(CriterionOptions):
    full_at: float = Field(1.5, gt=0, description="times the reference's median up to which all points are given")
    zero_at: float = Field(10.0, gt=0, description="times the reference's median at which none are")

    @model_validator(mode="after")
    def _in_order(self) -> Options:
        if self.zero_at <= self.full_at:
            raise ValueError("zero_at must be above full_at")
        return self


def points(ratio: float, options: Options, max_points: float) -> float:
    """The points at a ratio to the reference."""
    return linear(ratio, options.zero_at, options.full_at, max_points)


def anchors(criteria: Iterable[CriterionSpec]) -> tuple[tuple[float, float], ...]:
    """`full_at` and `zero_at` of each criterion of this kind: they say how exact the ratio has to be."""
    kind = __name__.rpartition(".")[2]
    every = (Options.model_validate(spec.options) for spec in criteria if spec.kind == kind)
    return tuple((options.full_at, options.zero_at) for options in every)


def mark(evidence: Evidence, options: Options, max_points: float) -> Judgement:
    """Linear between the two anchors, on the ratio; a person decides when it was not measured, or not steadily."""
    if not isinstance(evidence.answered, Done):
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
    most, least = (points(ratio, options, max_points) for ratio in (low, high))
    if most - least > WIDEST * max_points:
        figures = {"ratio": timed.ratio, "low": low, "high": high, "least": least, "most": most}
        return Judgement(None, sentence("latency-unsteady", points=max_points, **figures))
    earned = points(timed.ratio, options, max_points)
    most_ms = _coarse(options.full_at * significant(timed.reference.p50_ms))
    more = sentence("more-latency", most_ms=most_ms, full_at=options.full_at, points=max_points)
    return Judgement(
        earned,
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
        points_interval=(least, most),
        more=more if earned < max_points else "",
    )


def _coarse(milliseconds: float) -> str:
    """Milliseconds rounded as on the student's page, which repeats this sentence: exact figures could leak images."""
    return f"{significant(milliseconds):,.12g}"
