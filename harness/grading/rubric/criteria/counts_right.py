"""On how many images the board shows as many objects as there are."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from harness.findings import sentence
from harness.grading.rubric.criterion import Judgement, RisingOptions, linear
from harness.stages.evidence.stage_result import Done
from harness.stages.evidence.submission import Evidence

TITLE = "Objects counted right"
READS: tuple[str, ...] = ("score_boxes",)
TASKS: tuple[str, ...] = ("detection",)


class Options(RisingOptions):
    against: Literal["reference", "images"] = Field(
        "reference", description="images: the share of images itself is marked, so both anchors are shares"
    )
    full_at: float = Field(-0.05, ge=-1, le=1, description="difference to the reference, or share, with all points")
    zero_at: float = Field(-0.50, ge=-1, le=1, description="difference to the reference, or share, with none")

    @model_validator(mode="after")
    def _shares(self) -> Options:
        if self.against == "images" and self.zero_at < 0:
            raise ValueError('zero_at must be a share of the images, 0 to 1, where against = "images"')
        return self


def mark(evidence: Evidence, options: Options, max_points: float) -> Judgement:
    """Linear between the two anchors, on the share of images or on its difference to the reference's."""
    if not isinstance(evidence.score_boxes, Done):
        return Judgement(0.0, sentence("counts-none", why=evidence.score_boxes.reason))
    score = evidence.score_boxes.value
    counted = score.counting.all_objects
    value, interval = counted.exact_share, counted.exact_interval
    shown = {"exact": counted.exact, "images": counted.images, "share": counted.exact_share}
    if options.against == "reference":
        if score.reference_exact_share is None or score.exact_difference_interval is None:
            return Judgement(None, sentence("accuracy-no-reference"))
        value, interval = value - score.reference_exact_share, score.exact_difference_interval
    if score.depends_on_order:
        return Judgement(None, sentence("ap-depends-on-order"))
    low, high = interval
    anchors = {"full_at": round(100 * options.full_at, 6), "zero_at": round(100 * options.zero_at, 6)}
    ends = {"low": 100 * low, "high": 100 * high}
    if options.against == "reference":
        difference = {"reference": score.reference_exact_share, "difference": 100 * value}
        reason = sentence("counts-marked-against", **shown, **difference, **ends, **anchors)
    else:
        reason = sentence("counts-marked", **shown, **ends, **anchors)
    points, least, most = (linear(one, options.zero_at, options.full_at, max_points) for one in (value, low, high))
    wanted = options.full_at + (score.reference_exact_share or 0.0 if options.against == "reference" else 0.0)
    more = sentence("more-counts", wanted=min(1.0, max(0.0, wanted)), points=max_points)
    return Judgement(points, reason, points_interval=(least, most), more=more if points < max_points else "")
