"""Whether the pre-trained layers were kept or only fine-tuned a little, not retrained."""

from __future__ import annotations

from pydantic import Field, model_validator

from harness.findings import sentence
from harness.grading.rubric.criterion import CriterionOptions, Judgement, linear
from harness.stages.evidence.stage_result import Done
from harness.stages.evidence.submission import Evidence

TITLE = "The pre-trained layers are frozen before the first fit"
READS: tuple[str, ...] = ("inspect",)


class Options(CriterionOptions):
    full_at: float = Field(0.05, ge=0, le=1, description="median relative change of the layers that is fine-tuning")
    zero_at: float = Field(0.50, ge=0, le=1, description="median relative change at which no points are given")

    @model_validator(mode="after")
    def _in_order(self) -> Options:
        if self.zero_at <= self.full_at:
            raise ValueError("zero_at must be above full_at")
        return self


def mark(evidence: Evidence, options: Options, max_points: float) -> Judgement:
    """Linear between the two anchors; a person decides where no known backbone is recognised."""
    if not isinstance(evidence.convert, Done):
        return Judgement(0.0, sentence("backbone-no-model", why=evidence.convert.reason))
    if not isinstance(evidence.inspect, Done):
        return Judgement(None, sentence("backbone-not-looked-into", why=evidence.inspect.reason))
    seen = evidence.inspect.value
    if seen.backbone is None or seen.median_change is None:
        return Judgement(None, sentence("backbone-not-recognised"))
    if seen.weights_used is False:
        return Judgement(None, sentence("backbone-not-rested-on", backbone=seen.backbone))
    if seen.weights_used is None:
        return Judgement(None, sentence("backbone-not-shown", backbone=seen.backbone))
    kept = {"frozen": seen.frozen_layers, "layers": len(seen.layers), "backbone": seen.backbone}
    if seen.weights_say == "feature-extraction":
        return Judgement(max_points, sentence("backbone-kept", **kept))
    return Judgement(
        linear(seen.median_change, options.zero_at, options.full_at, max_points),
        sentence("backbone-moved", **kept, moved=seen.median_change, full_at=options.full_at, zero_at=options.zero_at),
    )
