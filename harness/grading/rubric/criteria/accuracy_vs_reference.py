"""Accuracy on the held-out images, relative to the reference's on the same images."""

from __future__ import annotations

from pydantic import Field

from harness.findings import one_line, preprocessing_fix, sentence
from harness.grading.rubric.criterion import Judgement, RisingOptions, linear
from harness.stages.evidence.evaluation import Evaluation
from harness.stages.evidence.stage_result import Done
from harness.stages.evidence.submission import Evidence

TITLE = "Accuracy on held-out images, against the reference"
READS: tuple[str, ...] = ("evaluate",)
TASKS: tuple[str, ...] = ("classification",)


class Options(RisingOptions):
    full_at: float = Field(-0.03, ge=-1, le=1, description="difference to the reference that gives all points")
    zero_at: float = Field(-0.40, ge=-1, le=1, description="difference to the reference at which none are")


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
        difference=100 * score.difference,
        low=100 * low,
        high=100 * high,
        full_at=round(100 * options.full_at, 6),
        zero_at=round(100 * options.zero_at, 6),
    )
    more = _more(score, options, max_points) if points < max_points else ""
    if score.unsettled and points < max_points:  # another guess could only give more
        return Judgement(None, sentence("accuracy-unsettled", reason=reason), more=more)
    ends = tuple(linear(end, options.zero_at, options.full_at, max_points) for end in (low, high))
    return Judgement(points, reason, points_interval=(ends[0], ends[1]), more=more)


def _more(score: Evaluation, options: Options, max_points: float) -> str:
    """What was measured to be better, with about the points that it would earn; else the accuracy for all points."""
    assert score.difference is not None and score.reference_accuracy is not None
    if not score.remedies:
        wanted = min(1.0, score.reference_accuracy + options.full_at)
        return sentence("more-accuracy", wanted=wanted, points=max_points)
    fixes = []
    difference = score.difference
    for one in score.remedies:
        difference += one.would - one.accuracy
        fix = (
            preprocessing_fix(one.to) if one.of == "preprocessing" else sentence("fix-labels", labels=one_line(one.to))
        )
        fixes.append(sentence("more-measured", fix=fix, was=one.accuracy, would=one.would, images=one.images))
    would = linear(difference, options.zero_at, options.full_at, max_points)
    return f"{' '.join(fixes)} {sentence('more-would-earn', would=would, points=max_points)}"
