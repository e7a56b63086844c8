"""AP with intervals, and the difference of two detectors on the same images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.stages.evaluate import intervals
from harness.stages.evaluate.bootstrap import basic, percentile
from harness.stages.evaluate.comparison import compare
from harness.stages.evaluate.detection.boxes import Flags, LabelledImages
from harness.stages.evaluate.detection.coco import CocoFigures, Matches
from harness.stages.evaluate.detection.curves import found_objects
from harness.stages.evaluate.detection.resampling import aps, nan_mean, resampled
from harness.stages.evaluate.intervals import holding, wider
from harness.stages.evaluate.scenes import Scenes, of_shares
from harness.stages.evidence.record import Interval

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ApIntervals:
    """95 % intervals; None where no object counts."""

    ap: Interval | None
    ap50: Interval | None
    per_class_ap50: tuple[Interval | None, ...]


@dataclass(frozen=True, slots=True)
class ApDifference:
    """A detector's AP less another's on the same images, with 95 % intervals."""

    ap: float
    ap_interval: Interval
    ap50: float
    ap50_interval: Interval


def ap_intervals(figures: CocoFigures, found: Matches, images: LabelledImages, seed: int = 0) -> ApIntervals:
    """Percentile bootstrap over scenes, but at least the margins of the recall at IoU 0.5, whatever the score.

    With every object found resamples hardly vary, but AP is no surer than the recall, which bounds it. The margins of a
    class are Wilson's over scenes; over all classes, those of the mean of the recalls (`intervals.mean_of_shares`).
    Few images raise AP, since its curve takes the best precision to come; resamples raise it again. So the lower end is
    also at most that of the basic bootstrap, which takes the second rise off.
    """
    drawn = resampled(found, images, seed)
    hit, counted = found_objects(found, images, -np.inf), images.counted()
    scene = images.grouped().of[images.objects.image]
    shares = [_share(hit, counted & (images.objects.label == label), scene) for label in range(len(images.classes))]
    shown = [one for one in shares if one is not None]
    overall = (intervals.mean_of_shares(shown), sum(share for share, _ in shown) / len(shown)) if shown else None

    def of(value: float | None, values: Floats, margins: tuple[Interval, float] | None) -> Interval | None:
        if value is None or margins is None:
            return None
        below, above = (end - margins[1] for end in margins[0])
        moved = (value + below, value + above)
        known = values[~np.isnan(values)]
        low, high = percentile(known)
        return holding(wider((min(low, basic(known, value)[0]), high), moved), value)

    return ApIntervals(
        ap=of(figures.overall.ap, drawn.ap, overall),
        ap50=of(figures.overall.ap50, drawn.ap50, overall),
        per_class_ap50=tuple(
            of(scores.ap50, drawn.per_class_ap50[:, label], share and (intervals.wilson(*share), share[0]))
            for label, (scores, share) in enumerate(zip(figures.per_class, shares, strict=True))
        ),
    )


def ap_difference(one: Matches, other: Matches, images: LabelledImages, seed: int = 0) -> ApDifference | None:
    """Both detectors in the same resamples of scenes; None where no object counts.

    At least as wide as Tango's interval of the objects that only one of the two finds, at IoU 0.5 and whatever the
    score: two that are the same in every resample may still differ on other images.
    """
    counted = images.counted()
    if not counted.any():
        return None
    every = np.ones((1, len(images.sizes)))
    of_one, of_other = aps(one, images, every), aps(other, images, every)
    drawn_one, drawn_other = resampled(one, images, seed), resampled(other, images, seed)
    ap = float((nan_mean(of_one.mean(axis=2)) - nan_mean(of_other.mean(axis=2)))[0])
    ap50 = float((nan_mean(of_one[:, :, 0]) - nan_mean(of_other[:, :, 0]))[0])
    recall = compare(
        found_objects(one, images, -np.inf)[counted],
        found_objects(other, images, -np.inf)[counted],
        Scenes(images.grouped().of[images.objects.image[counted]]),
    )

    def of(value: float, values: Floats) -> Interval:
        moved = (value - recall.value + recall.interval[0], value - recall.value + recall.interval[1])
        return holding(wider(percentile(values[~np.isnan(values)]), moved), value, -1.0, 1.0)

    return ApDifference(
        ap=ap,
        ap_interval=of(ap, drawn_one.ap - drawn_other.ap),
        ap50=ap50,
        ap50_interval=of(ap50, drawn_one.ap50 - drawn_other.ap50),
    )


def _share(hit: Flags, among: Flags, scene: NDArray[np.int64]) -> tuple[float, float] | None:
    """The share found of these objects, and their effective count; None without any."""
    if not among.any():
        return None
    scenes = Scenes(scene[among])
    return float(hit[among].mean()), scenes.effective(of_shares(hit[among], scenes))
