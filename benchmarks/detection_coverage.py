"""How often the intervals of AP hold the true value: `python benchmarks/detection_coverage.py [--draws 150]`.

Prints the table of docs/detection-scores.md. Four simulated detectors on 3,000 images; each draw is a smaller set of
these images, and the scores on all of them are the truth. Takes ten minutes of a processor.
"""

from __future__ import annotations

import argparse
from dataclasses import replace

import numpy as np
from detection_cases import random_case

from harness.stages.evaluate import bootstrap
from harness.stages.evaluate.detection import (
    Detections,
    LabelledImages,
    ap_difference,
    ap_intervals,
    coco_figures,
    matches,
)

IMAGES, COUNTS = 3000, (25, 60, 150)
# Name -> share of objects found, jitter of their corners, share of false boxes kept, how well scores part the two.
DETECTORS = {
    "good": (0.93, 0.05, 0.06, 6.0),
    "middle": (0.75, 0.1, 0.3, 4.0),
    "weak": (0.5, 0.12, 0.6, 2.5),
    "bad": None,  # the boxes of a random case
}
PAIRS = (("good", "middle"), ("middle", "weak"))


def detector(name: str, other: Detections, images: LabelledImages) -> Detections:
    """Objects found with jitter, and some of the boxes of `other` as false alarms."""
    setting = DETECTORS[name]
    if setting is None:
        return other
    found, jitter, false, apart = setting
    random, objects = np.random.default_rng(1), images.objects
    kept = random.random(len(objects)) < found
    sides = np.tile(objects.box[:, 2:] - objects.box[:, :2], 2)
    box = (objects.box + random.normal(0, jitter, objects.box.shape) * sides).astype(np.float32)[kept]
    wrong = other.at(random.random(len(other)) < false)
    score = np.r_[random.beta(apart, 2, kept.sum()), random.beta(2, apart, len(wrong))].astype(np.float32)
    return Detections(
        np.r_[objects.image[kept], wrong.image],
        np.vstack([box, wrong.box]),
        score,
        np.r_[objects.label[kept], wrong.label],
    )


def only(chosen: np.ndarray, boxes: Detections, images: LabelledImages) -> tuple[Detections, LabelledImages]:
    """The chosen images alone, numbered anew."""
    place = np.full(len(images.sizes), -1, np.int32)
    place[chosen] = np.arange(len(chosen))
    said, are = boxes.at(place[boxes.image] >= 0), images.objects.at(place[images.objects.image] >= 0)
    fewer = replace(images, sizes=images.sizes[chosen], objects=replace(are, image=place[are.image]))
    return replace(said, image=place[said.image]), fewer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=150)
    draws = parser.parse_args().draws
    bootstrap.RESAMPLES = 400
    other, images = random_case(np.random.default_rng(0), IMAGES, 3, 3, 4)
    boxes = {name: detector(name, other, images) for name in DETECTORS}
    truth = {name: coco_figures(said, images).overall for name, said in boxes.items()}
    for count in COUNTS:
        held: dict[str, list[tuple[bool, bool]]] = {}
        for draw in range(draws):
            chosen = np.random.default_rng([draw, count]).choice(IMAGES, count, replace=False)
            matched = {}
            for name, said in boxes.items():
                few, fewer = only(chosen, said, images)
                matched[name] = matches(few, fewer)
                of = ap_intervals(coco_figures(few, fewer), matched[name], fewer, draw)
                one = truth[name]
                held.setdefault(name, []).append((_holds(of.ap50, one.ap50), _holds(of.ap, one.ap)))
            for one_name, other_name in PAIRS:
                apart = ap_difference(matched[one_name], matched[other_name], fewer, draw)
                one, less = truth[one_name], truth[other_name]
                held.setdefault(f"{one_name} - {other_name}", []).append(
                    (
                        _holds(apart and apart.ap50_interval, one.ap50 - less.ap50),
                        _holds(apart and apart.ap_interval, one.ap - less.ap),
                    )
                )
        for name, all_held in held.items():
            ap50, ap = np.mean(all_held, axis=0)
            print(f"{count} images, {name}: AP50 {ap50:.2f}, AP {ap:.2f}", flush=True)


def _holds(interval: tuple[float, float] | None, value: float | None) -> bool:
    return interval is not None and value is not None and interval[0] <= value <= interval[1]


if __name__ == "__main__":
    main()
