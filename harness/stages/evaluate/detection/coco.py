"""COCO's scores and matching, from hotcoco, which agrees with pycocotools to the last bit.

An ignored object is a crowd: it need not be found, and a box that lies in it by half or more is no false alarm
(pycocotools, cocoeval.py, `iscrowd`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from harness.stages.evaluate.detection.boxes import Detections, Indices, LabelledImages, in_pixels

if TYPE_CHECKING:
    from hotcoco import COCOeval

IOU_THRESHOLDS = np.linspace(0.5, 0.95, 10)  # pycocotools, cocoeval.py, Params: the same floats
RECALLS = np.linspace(0.0, 1.0, 101)
MOST_DETECTIONS = (1, 10, 100)  # of one class on one image
# Square pixels of the image as it is: from 0 to 32^2, 96^2, 10^10.
AREAS = {"all": (0.0, 1e10), "small": (0.0, 32.0**2), "medium": (32.0**2, 96.0**2), "large": (96.0**2, 1e10)}

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class CocoScores:
    """COCO's twelve figures, each 0 to 1; None where no object counts.

    `ap` is the mean over IoU 0.50 to 0.95 in steps of 0.05, `ap50` at 0.50; `ar10`, the mean recall with the 10 surest
    boxes of each class on an image.
    """

    ap: float | None
    ap50: float | None
    ap75: float | None
    ap_small: float | None
    ap_medium: float | None
    ap_large: float | None
    ar1: float | None
    ar10: float | None
    ar100: float | None
    ar_small: float | None
    ar_medium: float | None
    ar_large: float | None


@dataclass(frozen=True, slots=True)
class CocoFigures:
    """Over all classes that have objects, and for each class."""

    overall: CocoScores
    per_class: tuple[CocoScores, ...]


def coco_figures(detections: Detections, images: LabelledImages) -> CocoFigures:
    """COCO's figures; of a class without objects all are None."""
    evaluator = evaluated(detections, images)
    evaluator.accumulate()
    found = evaluator.eval
    assert found is not None
    # Shapes (10, 101, classes, 4, 3) and (10, classes, 4, 3); -1 where there is no object.
    precision, recall = np.asarray(found["precision"]), np.asarray(found["recall"])
    classes = range(len(images.classes))
    return CocoFigures(
        overall=_scores(precision, recall),
        per_class=tuple(_scores(precision[:, :, [one]], recall[:, [one]]) for one in classes),
    )


def evaluated(
    detections: Detections, images: LabelledImages, areas: tuple[str, ...] = tuple(AREAS), most: int | None = None
) -> COCOeval:
    """hotcoco's evaluator with its matching done. An object has the id of its row + 1, and so has a box.

    `most`: the one count of boxes of a class on an image, instead of COCO's three.
    """
    from hotcoco import COCO, COCOeval

    objects = images.objects
    corners = in_pixels(objects.box, objects.image, images.sizes)
    sides = corners[:, 2:] - corners[:, :2]
    truth = COCO.from_arrays(
        [{"id": row, "width": int(w), "height": int(h)} for row, (w, h) in enumerate(images.sizes)],
        [{"id": row, "name": name} for row, name in enumerate(images.classes)],
        objects.image.astype(np.int64),
        objects.label.astype(np.int64),
        np.hstack([corners[:, :2], sides]),
        ids=np.arange(1, len(objects) + 1),
        area=sides.prod(axis=1),
        iscrowd=objects.ignored.astype(np.int64),
    )
    found = in_pixels(detections.box, detections.image, images.sizes)
    table = np.column_stack(
        [detections.image, found[:, :2], found[:, 2:] - found[:, :2], detections.score, detections.label]
    )
    evaluator = COCOeval(truth, truth.load_res(np.ascontiguousarray(table, dtype=np.float64)), "bbox")
    params = evaluator.params
    params.img_ids, params.cat_ids = list(range(len(images.sizes))), list(range(len(images.classes)))
    params.area_rng, params.area_rng_lbl = [list(AREAS[name]) for name in areas], list(areas)
    if most is not None:
        params.max_dets = [most]
    evaluator.evaluate()
    return evaluator


def _scores(precision: Floats, recall: Floats) -> CocoScores:
    """As pycocotools, `_summarizeDets`."""

    def ap(area: int = 0, at: int | None = None) -> float | None:
        return _mean(precision[slice(None) if at is None else [at], :, :, area, -1])

    def ar(most: int = -1, area: int = 0) -> float | None:
        return _mean(recall[:, :, area, most])

    return CocoScores(
        ap=ap(),
        ap50=ap(at=0),
        ap75=ap(at=5),
        ap_small=ap(area=1),
        ap_medium=ap(area=2),
        ap_large=ap(area=3),
        ar1=ar(0),
        ar10=ar(1),
        ar100=ar(2),
        ar_small=ar(area=1),
        ar_medium=ar(area=2),
        ar_large=ar(area=3),
    )


def _mean(values: Floats) -> float | None:
    known = values[values > -1]
    return float(known.mean()) if known.size else None


@dataclass(frozen=True, slots=True)
class Matches:
    """COCO's matching at its ten IoUs: each box of a class takes, the surest first, the object that it covers best.

    Rows are the at most 100 surest boxes of each class on each image, by class, then falling score, then image.
    `detection`: row of `Detections`, shape (rows,). `image`, `label`, `score`: of that. `truth`: row of the object
    taken, or -1, shape (10, rows). `ignored`: whether it counts as neither, because the object taken is ignored.
    """

    detection: Indices
    image: NDArray[np.int32]
    label: NDArray[np.int32]
    score: NDArray[np.float32]
    truth: Indices
    ignored: NDArray[np.bool_]

    def of_class(self, label: int) -> slice:
        """The rows of one class."""
        low, high = np.searchsorted(self.label, [label, label + 1])
        return slice(int(low), int(high))


def matches(detections: Detections, images: LabelledImages) -> Matches:
    """hotcoco's matching of the boxes with the objects of all sizes."""
    evaluator = evaluated(detections, images, areas=("all",), most=MOST_DETECTIONS[-1])
    found = [one for one in evaluator.eval_imgs if one is not None and one["dtIds"]]
    count = len(IOU_THRESHOLDS)
    rows = np.concatenate([np.zeros(0, np.int64), *(np.asarray(one["dtIds"], np.int64) - 1 for one in found)])
    empty = np.zeros((count, 0), np.int64)
    truth = np.concatenate([empty, *(np.asarray(one["dtMatches"], np.int64) - 1 for one in found)], axis=1)
    ignored = np.concatenate([empty > 0, *(np.asarray(one["dtIgnore"], np.bool_) for one in found)], axis=1)
    # As pycocotools merges images: a stable sort by score, images in their order.
    order = np.lexsort((-detections.score[rows].astype(np.float64), detections.label[rows]))
    rows = rows[order]
    return Matches(
        detection=rows,
        image=detections.image[rows],
        label=detections.label[rows],
        score=detections.score[rows],
        truth=truth[:, order],
        ignored=ignored[:, order],
    )
