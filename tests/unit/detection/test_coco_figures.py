"""COCO's figures are pycocotools' own."""

from __future__ import annotations

from dataclasses import astuple

import numpy as np
import pytest
from detection_cases import by_pycocotools, random_case
from detection_parts import boxes, labelled, objects

from harness.stages.evaluate.detection import Detections, LabelledImages, coco_figures, matches
from harness.stages.evaluate.detection.resampling import aps

BOX = (0.1, 0.1, 0.5, 0.5)
NONE = Detections(np.zeros(0, np.int32), np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int32))


def compared(found: Detections, images: LabelledImages) -> float:
    """The largest difference to pycocotools, over its twelve figures and AP, AP50 and AR100 of each class."""
    ours, theirs = coco_figures(found, images), by_pycocotools(found, images)
    pairs = list(zip(astuple(ours.overall), theirs.stats, strict=True))
    for label, scores in enumerate(ours.per_class):
        precision, recall = theirs.eval["precision"][:, :, label, 0, 2], theirs.eval["recall"][:, label, 0, 2]
        pairs += [(scores.ap, precision.mean()), (scores.ap50, precision[0].mean()), (scores.ar100, recall.mean())]
    assert all((mine is None) == (other == -1) for mine, other in pairs)
    return max(abs(mine - other) for mine, other in pairs if mine is not None)


def test_200_random_cases_agree():
    random = np.random.default_rng(0)
    for number in range(200):
        found, images = random_case(
            random,
            images=int(random.integers(1, 8)),
            classes=int(random.integers(1, 5)),
            objects=4,
            boxes=int(random.integers(0, 20)),
            crowds=0.2 if number % 2 else 0.0,
            scores=5 if number % 3 == 0 else None,
        )
        assert not images.counted().any() or compared(found, images) < 1e-9, number


EDGES = {
    "no detections": (NONE, labelled(objects((0, *BOX, 0, 0)), 1)),
    "a class without objects": (boxes((0, *BOX, 0.9, 1)), labelled(objects((0, *BOX, 0, 0)), 1, 2)),
    "only a crowd of one class": (
        boxes((0, *BOX, 0.9, 0), (0, *BOX, 0.9, 1)),
        labelled(objects((0, *BOX, 0, 1), (0, *BOX, 1, 0)), 1, 2),
    ),
    "several boxes in a crowd": (
        boxes(*[(0, 0.1, 0.1, 0.2 + 0.02 * n, 0.3, 0.9 - 0.1 * n, 0) for n in range(5)]),
        labelled(objects((0, *BOX, 0, 1), (0, 0.1, 0.1, 0.22, 0.3, 0, 0)), 1),
    ),
    "all scores equal": (
        boxes((0, 0.6, 0.6, 0.9, 0.9, 0.5, 0), (1, *BOX, 0.5, 0), (0, *BOX, 0.5, 0)),
        labelled(objects((0, *BOX, 0, 0), (1, *BOX, 0, 0)), 2),
    ),
    "150 boxes, the right one last": (
        boxes(*[(0, 0.6, 0.6, 0.9, 0.9, 1 - n / 200, 0) for n in range(149)], (0, *BOX, 0.01, 0)),
        labelled(objects((0, *BOX, 0, 0)), 1),
    ),
    "150 boxes, the right one in the middle": (
        boxes(*[(0, 0.6, 0.6, 0.9, 0.9, 1 - n / 200, 0) for n in range(149)], (0, *BOX, 0.8, 0)),
        labelled(objects((0, *BOX, 0, 0)), 1),
    ),
    "boxes without area": (
        boxes((0, 0.1, 0.1, 0.1, 0.5, 0.9, 0), (0, 0.2, 0.2, 0.2, 0.2, 0.8, 0), (0, *BOX, 0.7, 0)),
        labelled(objects((0, *BOX, 0, 0), (0, 0.7, 0.7, 0.7, 0.9, 0, 0)), 1),
    ),
    "a box around all, and one outside": (
        boxes((0, -9, -9, 9, 9, 0.9, 0), (0, 3, 3, 4, 4, 0.8, 0)),
        labelled(objects((0, *BOX, 0, 0)), 1),
    ),
    "IoU of one half": (boxes((0, 0, 0, 0.5, 1, 0.9, 0)), labelled(objects((0, 0, 0, 1, 1, 0, 0)), 1)),
    "images without objects": (boxes((1, *BOX, 0.9, 0), (0, *BOX, 0.5, 0)), labelled(objects((0, *BOX, 0, 0)), 3)),
}


@pytest.mark.parametrize("case", EDGES)
def test_edge_cases_agree(case: str):
    assert compared(*EDGES[case]) < 1e-9


def test_without_objects_there_is_no_figure():
    figures = coco_figures(boxes((0, *BOX, 0.9, 0)), labelled(objects(), 1))
    assert set(astuple(figures.overall)) == {None}
    assert set(astuple(coco_figures(NONE, labelled(objects((0, *BOX, 0, 1)), 1)).overall)) == {None}


def test_the_matching_gives_the_same_ap():
    found, images = random_case(np.random.default_rng(5), 20, 3, 4, 25, crowds=0.15, scores=20)
    figures = coco_figures(found, images)
    values = aps(matches(found, images), images, np.ones((1, 20)))[0].mean(axis=1)
    assert values == pytest.approx([scores.ap for scores in figures.per_class], abs=1e-12)


def test_matches_name_rows_of_both_tables():
    """Boxes come by class and falling score; each names its object, and what lies in a crowd is ignored."""
    far = (0.7, 0.7, 0.9, 0.9)
    found = boxes((1, *BOX, 0.3, 0), (0, *far, 0.4, 1), (0, *BOX, 0.8, 0), (1, *far, 0.9, 0))
    images = labelled(objects((1, *BOX, 0, 0), (0, *BOX, 0, 0), (1, *far, 0, 1)), 2, 2)
    matched = matches(found, images)
    assert matched.detection.tolist() == [3, 2, 0, 1]
    assert matched.truth[0].tolist() == [2, 1, 0, -1]
    assert matched.ignored[0].tolist() == [True, False, False, False]
    assert matched.of_class(1) == slice(3, 4)
