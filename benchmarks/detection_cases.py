"""Random images, objects and boxes of a detector, and their scores by pycocotools: for tests and benchmarks."""

from __future__ import annotations

import contextlib
import io
from typing import Any

import numpy as np

from harness.stages.evaluate.detection import Detections, LabelledImages, ObjectTruth
from harness.stages.evaluate.detection.boxes import in_pixels


def random_case(
    random: np.random.Generator,
    images: int,
    classes: int,
    objects: int,
    boxes: int,
    *,
    crowds: float = 0.0,
    scores: int | None = None,
) -> tuple[Detections, LabelledImages]:
    """At most `objects` and `boxes` on an image; seven boxes of ten are near an object, most of them of its class.

    `crowds`: the share of objects that are ignored. `scores`: how many there are at all; None for no ties.
    """
    sizes = random.integers(100, 640, (images, 2)).astype(np.int32)
    image = np.repeat(np.arange(images), random.integers(0, objects + 1, images)).astype(np.int32)
    of = random.integers(0, classes, len(image)).astype(np.int32)
    corners = _corners(random, len(image))
    truth = ObjectTruth(image, corners, of, random.random(len(image)) < crowds)

    said_on = np.repeat(np.arange(images), random.integers(0, boxes + 1, images)).astype(np.int32)
    label = random.integers(0, classes, len(said_on)).astype(np.int32)
    box = _corners(random, len(said_on))
    for row in np.flatnonzero(random.random(len(said_on)) < 0.7):
        near = np.flatnonzero(image == said_on[row])
        if len(near):
            chosen = random.choice(near)
            sides = corners[chosen, 2:] - corners[chosen, :2]
            box[row] = corners[chosen] + random.normal(0, 0.05, 4) * np.tile(sides, 2)
            label[row] = of[chosen] if random.random() < 0.8 else label[row]
    box[:, 2:] = np.maximum(box[:, :2], box[:, 2:])
    score = random.random(len(said_on)) if scores is None else random.integers(0, scores, len(said_on)) / scores
    names = tuple(f"class {number}" for number in range(classes))
    return Detections(said_on, box, score.astype(np.float32), label), LabelledImages(sizes, truth, names)


def by_pycocotools(detections: Detections, images: LabelledImages) -> Any:
    """pycocotools' evaluator, with everything computed."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    def annotations(of: Detections | ObjectTruth) -> list[dict[str, Any]]:
        corners = in_pixels(of.box, of.image, images.sizes)
        sides = corners[:, 2:] - corners[:, :2]
        crowd = of.ignored if isinstance(of, ObjectTruth) else np.zeros(len(of), np.bool_)
        score = of.score if isinstance(of, Detections) else np.ones(len(of))
        return [
            {
                "id": row + 1,
                "image_id": int(of.image[row]),
                "category_id": int(of.label[row]),
                "bbox": [*corners[row, :2].tolist(), *sides[row].tolist()],
                "area": float(sides[row].prod()),
                "iscrowd": int(crowd[row]),
                "score": float(score[row]),
            }
            for row in range(len(of))
        ]

    def indexed(of: Detections | ObjectTruth) -> Any:
        coco = COCO()
        coco.dataset = {
            "images": [{"id": row, "width": int(w), "height": int(h)} for row, (w, h) in enumerate(images.sizes)],
            "categories": [{"id": row, "name": name} for row, name in enumerate(images.classes)],
            "annotations": annotations(of),
        }
        coco.createIndex()
        return coco

    with contextlib.redirect_stdout(io.StringIO()):  # it prints a table
        evaluator = COCOeval(indexed(images.objects), indexed(detections), "bbox")
        evaluator.evaluate()
        evaluator.accumulate()
        evaluator.summarize()
    return evaluator


def _corners(random: np.random.Generator, count: int) -> Any:
    """Boxes of 2 to 60 % of a side, some of them partly outside of the image."""
    sides = random.uniform(0.02, 0.6, (count, 2))
    start = random.uniform(-0.1, 1.0, (count, 2)) * (1 - sides)
    return np.hstack([start, start + sides]).astype(np.float32)
