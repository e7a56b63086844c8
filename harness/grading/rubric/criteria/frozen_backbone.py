"""Whether the pre-trained layers were kept or only fine-tuned a little, not retrained."""

from __future__ import annotations

from pydantic import Field, model_validator

from harness.findings import sentence
from harness.grading.rubric.criterion import CriterionOptions, Judgement, linear
from harness.stages.evidence.inspection import FEWEST_ZEROS, Inspection
from harness.stages.evidence.stage_result import Done
from harness.stages.evidence.submission import Evidence

TITLE = "The pre-trained layers are frozen before the first fit"
READS: tuple[str, ...] = ("inspect",)


class Options(CriterionOptions):
    full_at: float = Field(0.05, ge=0, le=1, description="median relative change of the layers that is fine-tuning")
    zero_at: float = Field(0.50, ge=0, le=1, description="median relative change at which no points are given")
    reused_full_at: float = Field(0.5, gt=0, le=1, description="share of the backbone's layers that is all of it")
    reused_zero_at: float = Field(0.1, ge=0, lt=1, description="share of its layers up to which no points are given")

    @model_validator(mode="after")
    def _in_order(self) -> Options:
        if self.zero_at <= self.full_at:
            raise ValueError("zero_at must be above full_at")
        if self.reused_full_at <= self.reused_zero_at:
            raise ValueError("reused_full_at must be above reused_zero_at")
        return self


def mark(evidence: Evidence, options: Options, max_points: float) -> Judgement:
    """Linear between the two anchors, less where only a part of the backbone is reused.

    A person decides where no known backbone is recognised, or another network stands beside it.
    """
    model = evidence.detect if evidence.task == "detection" else evidence.convert
    if not isinstance(model, Done):
        more = sentence("more-backbone-kept", full_at=options.full_at, points=max_points)
        return Judgement(0.0, sentence("backbone-no-model", why=model.reason), more=more)
    if not isinstance(evidence.convert, Done):
        return Judgement(None, sentence("backbone-not-looked-into", why=evidence.convert.reason))
    if not isinstance(evidence.inspect, Done):
        return Judgement(None, sentence("backbone-not-looked-into", why=evidence.inspect.reason))
    seen = evidence.inspect.value
    if seen.backbone is None or seen.median_change is None:
        return Judgement(None, sentence("backbone-not-recognised"))
    if seen.weights_used is False:
        return Judgement(None, sentence("backbone-not-rested-on", backbone=seen.backbone))
    if seen.weights_say == "mixed":
        new, total = seen.new_parameters or 0, seen.total_parameters
        return Judgement(None, sentence("backbone-beside-another", backbone=seen.backbone, new=new, total=total))
    if seen.weights_used is None:
        return Judgement(None, sentence("backbone-not-shown", backbone=seen.backbone))
    if seen.weights_say == "unknown":
        return Judgement(None, sentence("backbone-too-compressed", backbone=seen.backbone))
    points, why = _kept(seen, options, max_points)
    there = sum(layer.relative_change is not None for layer in seen.layers)
    reused = there / len(seen.layers) if seen.layers else 1.0
    more = ""
    if points < max_points:
        more = sentence("more-backbone-kept", full_at=options.full_at, points=max_points)
    if reused >= options.reused_full_at:
        return Judgement(points, why, more=more)
    part = linear(reused, options.reused_zero_at, options.reused_full_at, 1.0)
    counts = {"reused": there, "layers": len(seen.layers)}
    anchors = {"full_at": options.reused_full_at, "zero_at": options.reused_zero_at}
    reason = sentence("backbone-reused-in-part", judged=why, **counts, **anchors)
    whole = sentence("more-backbone-whole", full_at=options.reused_full_at, layers=len(seen.layers))
    return Judgement(points * part, reason, more=f"{whole} {more}".strip())


def _kept(seen: Inspection, options: Options, max_points: float) -> tuple[float, str]:
    """The points for how little the layers that the model has moved, and why."""
    kept = {"frozen": seen.frozen_layers, "layers": len(seen.layers), "backbone": seen.backbone}
    if seen.weights_say == "fine-tuned" or (seen.weights_say == "little-reused" and seen.moved_layers):
        moved = {"moved": seen.median_change, "full_at": options.full_at, "zero_at": options.zero_at}
        points = linear(seen.median_change or 0.0, options.zero_at, options.full_at, max_points)
        return points, sentence("backbone-moved", **kept, **moved)
    rounded, pruned = bool(seen.quantised_layers or seen.half_layers), seen.zeros >= FEWEST_ZEROS
    if not rounded and not pruned:
        return max_points, sentence("backbone-kept", **kept)
    if not pruned:
        changes = sentence("backbone-changes-rounding")
    elif not rounded:
        changes = sentence("backbone-changes-pruning", zeros=seen.zeros)
    else:
        changes = sentence("backbone-changes-both", zeros=seen.zeros)
    return max_points, sentence("backbone-kept-compressed", **kept, changes=changes)
