"""The student's own data set: enough images of enough classes, and no faults that would spoil a test."""

from __future__ import annotations

from pydantic import Field

from harness.findings import sentence
from harness.grading.rubric.criterion import CriterionOptions, Judgement
from harness.stages.evidence.stage_result import Done
from harness.stages.evidence.submission import Evidence

TITLE = "The own data set is large enough, clean and split without leaks"
READS: tuple[str, ...] = ("audit",)

# Finding -> the option with the share of the points that it costs.
_COSTS = {
    "dataset-leak": "leak",
    "dataset-burst": "burst",
    "dataset-shared-with-other": "shared",
    "dataset-too-few-images": "images",
    "dataset-too-few-classes": "classes",
    "dataset-too-many-classes": "classes",
    "dataset-mislabelled": "mislabelled",
    "dataset-two-labels": "mislabelled",
    "dataset-unreadable-images": "unreadable",
    "dataset-box-faults": "boxes",
}


# Option -> the fault in words.
_WORDS = {
    "leak": "one photograph in two splits",
    "burst": "many photographs of one scene",
    "shared": "photographs of another submission",
    "images": "too few images of a class",
    "classes": "too few or too many classes",
    "mislabelled": "images in the wrong class",
    "unreadable": "image files that cannot be read",
    "boxes": "faulty boxes",
}


class Options(CriterionOptions):
    """Shares of the points; a share of 0 costs nothing, but the student is told."""

    leak: float = Field(0.4, ge=0, le=1, description="one photograph in two of the student's own splits")
    burst: float = Field(0.2, ge=0, le=1, description="bursts of one scene")
    shared: float = Field(0.4, ge=0, le=1, description="photographs of another submission")
    images: float = Field(0.3, ge=0, le=1, description="too few images of a class")
    classes: float = Field(0.3, ge=0, le=1, description="too few or too many classes")
    mislabelled: float = Field(0.1, ge=0, le=1, description="images that seem to lie in the wrong class")
    unreadable: float = Field(0.1, ge=0, le=1, description="image files that cannot be read")
    boxes: float = Field(0.1, ge=0, le=1, description="faulty boxes")


def mark(evidence: Evidence, options: Options, max_points: float) -> Judgement:
    """All points, less the share of each fault that was found; 0 without a data set."""
    if not isinstance(evidence.audit, Done):
        more = sentence("more-data-set-none", points=max_points)
        return Judgement(0.0, sentence("data-set-none", why=evidence.audit.reason), more=more)
    value = evidence.audit.value
    found = {finding.code for finding in (*evidence.audit.findings, *evidence.later_findings)} & set(_COSTS)
    shares = {_COSTS[code]: getattr(options, _COSTS[code]) for code in sorted(found)}
    points = max_points * max(0.0, 1.0 - sum(shares.values()))
    images = sum(value.classes.values())
    classes = len(value.classes)
    if not shares:
        return Judgement(points, sentence("data-set-clean", images=images, classes=classes))
    costly = {name: share for name, share in shares.items() if share}
    taken = "; ".join(f"{_WORDS[name]}, {share:.0%}" for name, share in costly.items())
    if not costly:
        return Judgement(points, sentence("data-set-faults-free", images=images, classes=classes))
    gained = "; ".join(f"{_WORDS[name]} (up to {max_points * share:.4g} points)" for name, share in costly.items())
    reason = sentence("data-set-faulty", images=images, classes=classes, taken=taken)
    return Judgement(points, reason, more=sentence("more-data-set", faults=gained))
