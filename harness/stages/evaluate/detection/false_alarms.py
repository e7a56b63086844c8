"""False alarms on images that show none of the classes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.stages.evaluate import intervals
from harness.stages.evaluate.bootstrap import drawn, percentile
from harness.stages.evaluate.detection.boxes import Detections
from harness.stages.evaluate.intervals import holding
from harness.stages.evaluate.scenes import Scenes, of_shares
from harness.stages.evidence.record import Interval


@dataclass(frozen=True, slots=True)
class FalseAlarms:
    """Boxes on images without an object of any class."""

    threshold: float
    images: int
    alarmed: int  # images with one or more
    alarmed_interval: Interval | None  # of the share, Wilson, over scenes; None without images
    per_image: float | None
    per_image_interval: Interval | None  # percentile bootstrap over scenes, at least the margins of the share
    per_class: tuple[int, ...]  # boxes


def false_alarms(
    detections: Detections, images: int, classes: int, threshold: float, scenes: Scenes | None = None, seed: int = 0
) -> FalseAlarms:
    """Boxes with at least this score on images that show none of the classes; they are `images` in number.

    `scenes`: of these images; each is one of its own by default.
    """
    taken = detections.score >= np.float32(threshold)
    per_class = np.bincount(detections.label[taken], minlength=classes)
    if not images:
        return FalseAlarms(threshold, 0, 0, None, None, None, tuple(per_class.tolist()))
    grouped = scenes or Scenes(np.arange(images))
    alarms = np.bincount(detections.image[taken], minlength=images)
    share, mean = float((alarms > 0).mean()), float(alarms.mean())
    interval = intervals.wilson(share, grouped.effective(of_shares(alarms > 0, grouped)))
    low, high = percentile(_means(alarms.astype(np.float64), grouped, seed))
    # An alarmed image has at least one alarm: so the mean is uncertain by at least as much as the share.
    low, high = min(low, mean - share + interval[0]), max(high, mean - share + interval[1])
    return FalseAlarms(
        threshold=threshold,
        images=images,
        alarmed=int((alarms > 0).sum()),
        alarmed_interval=interval,
        per_image=mean,
        per_image_interval=holding((low, high), mean, highest=np.inf),
        per_class=tuple(per_class.tolist()),
    )


def _means(values: NDArray[np.float64], scenes: Scenes, seed: int) -> NDArray[np.float64]:
    sums = scenes.sums(np.column_stack([values, np.ones(len(values))]))
    totals = np.concatenate([counts @ sums for counts in drawn(scenes.count, np.random.default_rng(seed))])
    ratios: NDArray[np.float64] = totals[:, 0] / totals[:, 1]
    return ratios
