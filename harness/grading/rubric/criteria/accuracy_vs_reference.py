"""Accuracy on the held-out images, relative to the reference's on the same images."""

from __future__ import annotations

from pydantic import Field, model_validator

from harness.findings import sentence
from harness.grading.rubric.criterion import CriterionOptions, Judgement, linear
from harness.stages.evidence.stage_result import Done
from harness.stages.evidence.submission import Evidence

TITLE = "Accuracy on held-out images, against the reference"
READS: tuple[str, ...] = ("evaluate",)


class Options(CriterionOptions):
    full_at: float = Field(-0.03, ge=-1, le=1, description="difference to the reference that gives all points")
    zero_at: float = Field(-0.40, ge=-1, le=1, description="difference to the reference at which none are")

    @model_validator(mode="after")
    def _in_order(self) -> Options:
        if self.zero_at >= self.full_at:
            raise ValueError("zero_at must be below full_at")
        return self


def mark(evidence: Evidence, options: Options, max_points: float) -> Judgement:
    """Linear between the two anchors, on the difference in accuracy; so are the ends of its interval."""
    if not isinstance(evidence.evaluate, Done):
        return Judgement(0.0, sentence("accuracy-none", why=evidence.evaluate.reason))
    score = evidence.evaluate.value
    if score.difference is None or score.reference_accuracy is None or score.difference_interval is None:
        return Judgement(None, sentence("accuracy-no-reference"))
    if score.depends_on_order:
        return Judgement(None, sentence("accuracy-depends-on-order"))
    low, high = score.difference_interval
    points = linear(score.difference, options.zero_at, options.full_at, max_points)
    reason = sentence(
        "accuracy-marked",
        accuracy=score.accuracy,
        reference=score.reference_accuracy,
        images=score.images,
        difference=score.difference,
        low=low,
        high=high,
        full_at=options.full_at,
        zero_at=options.zero_at,
    )
    if score.unsettled and points < max_points:  # another guess could only give more
        return Judgement(None, sentence("accuracy-unsettled", reason=reason))
    ends = tuple(linear(end, options.zero_at, options.full_at, max_points) for end in (low, high))
    return Judgement(points, reason, points_interval=(ends[0], ends[1]))
