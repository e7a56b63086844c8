"""What kinds of mistakes a detector makes, and what each costs: TIDE, and which class is taken for which.

The types are those of Bolya, Foley, Hays and Hoffman, "TIDE: A General Toolbox for Identifying Object Detection
Errors" (2020), at an IoU of 0.5 for a match and of 0.1 for background. hotcoco finds them. Its counts are those of
tidecv 1.0.1 but for boxes in ignored objects, which tidecv counts as errors. The cost of `missed` is too low where
every object of a class is missed: the class stays in the mean with an AP of 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.stages.evaluate.detection.boxes import Detections, LabelledImages
from harness.stages.evaluate.detection.coco import MOST_DETECTIONS, Matches, evaluated

_MATCH, _BACKGROUND = 0.5, 0.1


@dataclass(frozen=True, slots=True)
class ErrorType:
    """`count`: boxes, or objects for `missed`. `cost`: by how much AP50 would rise (0 to 1) without these errors."""

    count: int
    cost: float


@dataclass(frozen=True, slots=True)
class ErrorTypes:
    """The surest 100 boxes of each class on each image, however low their scores."""

    classification: ErrorType  # IoU >= 0.5 with an object of another class
    localisation: ErrorType  # its class, but 0.1 <= IoU < 0.5
    both: ErrorType  # another class, and 0.1 <= IoU < 0.5
    duplicate: ErrorType  # right, but a surer box has this object
    background: ErrorType  # IoU < 0.1 with every object
    missed: ErrorType  # an object that no box has, nor would have without an error of the first two types
    false_alarms_cost: float  # by how much AP50 would rise if all wrong boxes had the lowest scores
    missed_cost: float  # the same if no object were missed


def error_types(detections: Detections, images: LabelledImages) -> ErrorTypes:
    """TIDE's six types, and its two totals."""
    evaluator = evaluated(detections, images, areas=("all",), most=MOST_DETECTIONS[-1])
    found = evaluator.tide_errors(pos_thr=_MATCH, bg_thr=_BACKGROUND)
    counts, costs = found["counts"], found["delta_ap"]

    def of(name: str) -> ErrorType:
        return ErrorType(int(counts[name]), float(costs[name]))

    return ErrorTypes(
        classification=of("Cls"),
        localisation=of("Loc"),
        both=of("Both"),
        duplicate=of("Dupe"),
        background=of("Bkg"),
        missed=of("Miss"),
        false_alarms_cost=float(costs["FP"]),
        missed_cost=float(costs["FN"]),
    )


def confusion(
    detections: Detections, found: Matches, images: LabelledImages, threshold: float
) -> tuple[tuple[int, ...], ...]:
    """Rows truth, columns what was said, in the order of the classes; the last of both is background.

    The boxes with at least this score take, the surest first, the object of any class that they overlap most, at
    IoU 0.5. Ignored objects, and the boxes in them, are left out.
    """
    counts = found.detection[(found.score >= np.float32(threshold)) & ~found.ignored[0]]
    seen = LabelledImages(images.sizes, images.objects.at(images.counted()), images.classes, images.scenes)
    evaluator = evaluated(detections.at(np.sort(counts)), seen, areas=("all",), most=MOST_DETECTIONS[-1])
    every = max(1, len(counts))  # of an image: the classes' limits hold already
    matrix = evaluator.confusion_matrix(iou_thr=_MATCH, max_det=every)["matrix"]
    return tuple(tuple(int(cell) for cell in row) for row in matrix)
