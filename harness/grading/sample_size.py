"""Whether the held-out set has enough images for the points that rest on it.

Halfway between the anchors of `accuracy_vs_reference`, the 95 % interval of the points should reach no farther than
10 % of the criterion's points to either side. The variance of a paired difference d over n images is (g + l - d^2) / n,
with g the share of images that only the submission has right and l that of those that only the reference has (Agresti
and Min, 2005). How often two models disagree is not known beforehand; it is assumed that the submission is right on
half of the reference's mistakes, so g is half of the reference's error rate, and l = g - d.
"""

from __future__ import annotations

import math

from harness.grading.context import RunContext
from harness.grading.rubric.criteria import accuracy_vs_reference
from harness.grading.rubric.rubric import title_of
from harness.inputs.assignment import Assignment
from harness.stages.evaluate.intervals import Z
from harness.stages.evaluate.stage import truth_of

MARGIN = 0.10  # of the criterion's points
LIKELY_RECALL = 0.8  # the share of objects that a good detector finds
RECALL_MARGIN = 0.10  # half the width of its 95 % interval that should be reached for each class
_KIND = "accuracy_vs_reference"


def variance(options: accuracy_vs_reference.Options, reference_accuracy: float) -> float:
    """Of the difference on one image, halfway between the anchors."""
    halfway = (options.full_at + options.zero_at) / 2
    gain = max((1 - reference_accuracy) / 2, halfway)
    return gain + (gain - halfway) - halfway**2


def margin(options: accuracy_vs_reference.Options, reference_accuracy: float, images: float) -> float:
    """Half the width of the points' interval halfway between the anchors, as a share of the points."""
    return Z * math.sqrt(variance(options, reference_accuracy) / images) / (options.full_at - options.zero_at)


def images_needed(options: accuracy_vs_reference.Options, reference_accuracy: float) -> int:
    """The fewest images, each of another scene, with which `margin` is at most 10 %."""
    return math.ceil(margin(options, reference_accuracy, 1.0) ** 2 / MARGIN**2)


def recall_margin(objects: int) -> float:
    """Half the width of the 95 % interval of the share of a class's objects that is found, if it is `LIKELY_RECALL`."""
    return Z * math.sqrt(LIKELY_RECALL * (1 - LIKELY_RECALL) / objects)


def objects_needed() -> int:
    """The fewest objects of a class, each in another scene, with which `recall_margin` is at most `RECALL_MARGIN`."""
    return math.ceil(recall_margin(1) ** 2 / RECALL_MARGIN**2)


def warn(run_context: RunContext) -> None:
    """Say for which criteria the course's held-out set is too small, if it has one, and how many images would do."""
    reference, held_out = run_context.shared.reference, run_context.shared.held_out
    if reference is None or not held_out.files:
        return
    independent = truth_of(held_out).grouped().effective(1.0)
    accuracy = reference.evaluation.accuracy
    for warning in warnings(run_context.assignment, accuracy, len(held_out.files), independent):
        run_context.progress.say(warning)


def warnings(assignment: Assignment, reference_accuracy: float, images: int, scenes: float) -> list[str]:
    """A sentence for each criterion for which the set is too small. `scenes`: images that count as independent."""
    found = []
    for spec in assignment.criteria:
        if spec.kind != _KIND:
            continue
        options = accuracy_vs_reference.Options.model_validate(spec.options)
        needed, error = images_needed(options, reference_accuracy), margin(options, reference_accuracy, scenes)
        if scenes < needed:
            which = f"{images} held-out images" if scenes == images else f"{images} held-out images of few scenes"
            found.append(
                f"{which} are few for {title_of(spec)!r}: its points have an error of about "
                f"±{error * spec.points:.1f} of {spec.points:g}. With {needed} images, each of another scene, it is "
                f"±{MARGIN * spec.points:g}. See docs/criteria.md."
            )
    return found
