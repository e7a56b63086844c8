"""Average precision on the held-out images, relative to the reference detector's on the same images."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from harness.findings import one_line, sentence
from harness.grading.rubric.criterion import Judgement, RisingOptions, linear
from harness.stages.evidence.detection_scores import DetectionEvaluation
from harness.stages.evidence.stage_result import Done
from harness.stages.evidence.submission import Evidence

TITLE = "Average precision on held-out images, against the reference"
READS: tuple[str, ...] = ("score_boxes",)
TASKS: tuple[str, ...] = ("detection",)
_CALLED = {"ap50": "AP50", "ap": "AP"}


class Options(RisingOptions):
    full_at: float = Field(-0.05, ge=-1, le=1, description="difference to the reference that gives all points")
    zero_at: float = Field(-0.50, ge=-1, le=1, description="difference to the reference at which none are")
    measure: Literal["ap50", "ap"] = Field("ap50", description="ap: the mean over IoUs of 0.50 to 0.95, so fit counts")


def mark(evidence: Evidence, options: Options, max_points: float) -> Judgement:
    """Linear between the two anchors, on the difference in average precision; so are the ends of its interval."""
    if not isinstance(evidence.score_boxes, Done):
        return Judgement(0.0, sentence("ap-none", why=evidence.score_boxes.reason))
    score = evidence.score_boxes.value
    whole = options.measure == "ap"
    own, other = (score.scores.ap, score.reference_ap) if whole else (score.scores.ap50, score.reference_ap50)
    difference, interval = (
        (score.ap_difference, score.ap_difference_interval) if whole else (score.difference, score.difference_interval)
    )
    if own is None or other is None or difference is None or interval is None:
        return Judgement(None, sentence("accuracy-no-reference"))
    if score.depends_on_order:
        return Judgement(None, sentence("ap-depends-on-order"))
    low, high = interval
    points = linear(difference, options.zero_at, options.full_at, max_points)
    reason = sentence(
        "ap-marked",
        measure=_CALLED[options.measure],
        own=own,
        images=score.images,
        reference=other,
        difference=difference,
        low=low,
        high=high,
        full_at=options.full_at,
        zero_at=options.zero_at,
    )
    more = ""
    if points < max_points:
        more = _more(score, options, max_points) or sentence(
            "more-ap",
            measure=_CALLED[options.measure],
            wanted=min(1.0, max(0.0, other + options.full_at)),
            points=max_points,
        )
    if score.unsettled and points < max_points:  # another meaning of the labels could only give more
        return Judgement(None, sentence("ap-unsettled", reason=reason), more=more)
    ends = tuple(linear(end, options.zero_at, options.full_at, max_points) for end in (low, high))
    return Judgement(points, reason, points_interval=(ends[0], ends[1]), more=more)


def _more(score: DetectionEvaluation, options: Options, max_points: float) -> str:
    """What was measured to be better, the most first, each with about the points that it would earn; else nothing."""
    fixes = []
    if (names := score.remedy) is not None:
        labels = one_line(", ".join(names.names))
        said = sentence("more-ap-labels", labels=labels, was=names.ap50, would=names.would)
        fixes.append((names.ap50, names.would, said))
    if (pixels := score.scaling_remedy) is not None:
        said = sentence("more-ap-scaling", way=pixels.way, was=pixels.ap50, would=pixels.would)
        fixes.append((pixels.ap50, pixels.would, said))
    better = sorted((fix for fix in fixes if fix[1] > fix[0]), key=lambda fix: -fix[1])
    return " ".join(_with_points(said, would, score, options, max_points) for _, would, said in better)


def _with_points(fix: str, would: float, score: DetectionEvaluation, options: Options, max_points: float) -> str:
    if options.measure == "ap" or score.reference_ap50 is None:  # a remedy is measured for AP50 alone
        return fix
    points = linear(would - score.reference_ap50, options.zero_at, options.full_at, max_points)
    return f"{fix} {sentence('more-would-earn', would=points, points=max_points)}"
