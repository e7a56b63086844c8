"""AP in resamples is the AP of the drawn images, and its intervals hold it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from detection_cases import random_case
from detection_parts import boxes, labelled, objects

from harness.stages.evaluate import intervals
from harness.stages.evaluate.bootstrap import RESAMPLES, drawn
from harness.stages.evaluate.detection import (
    Detections,
    LabelledImages,
    ObjectTruth,
    ap_difference,
    ap_intervals,
    coco_figures,
    matches,
    resampling,
)

BOX = (0.1, 0.1, 0.5, 0.5)


def drawn_images(found: Detections, images: LabelledImages, chosen: np.ndarray) -> tuple[Detections, LabelledImages]:
    """The images as if they were the whole set; one that was drawn twice is there twice."""
    of_boxes = [np.flatnonzero(found.image == one) for one in chosen]
    of_objects = [np.flatnonzero(images.objects.image == one) for one in chosen]
    said, are = found.at(np.concatenate(of_boxes)), images.objects.at(np.concatenate(of_objects))
    places = np.arange(len(chosen), dtype=np.int32)
    said_on = np.repeat(places, [len(rows) for rows in of_boxes])
    lie_on = np.repeat(places, [len(rows) for rows in of_objects])
    truth = ObjectTruth(lie_on, are.box, are.label, are.ignored)
    return (
        Detections(said_on, said.box, said.score, said.label),
        LabelledImages(images.sizes[chosen], truth, images.classes),
    )


@pytest.mark.parametrize("seed", range(12))
def test_a_resample_has_the_ap_of_its_images_scored_from_the_start(seed: int):
    random = np.random.default_rng(seed)
    found, images = random_case(random, 10, 3, 3, 25, crowds=0.2 * (seed % 2))
    chosen = np.sort(random.integers(0, 10, 10))
    weights = np.bincount(chosen, minlength=10).astype(np.float64)[None]
    values = resampling.aps(matches(found, images), images, weights)[0]
    wanted = [one.ap for one in coco_figures(*drawn_images(found, images, chosen)).per_class]
    wanted50 = [one.ap50 for one in coco_figures(*drawn_images(found, images, chosen)).per_class]
    assert values.mean(axis=1) == pytest.approx(
        [np.nan if one is None else one for one in wanted], abs=1e-12, nan_ok=True
    )
    assert values[:, 0] == pytest.approx([np.nan if one is None else one for one in wanted50], abs=1e-12, nan_ok=True)


def test_whole_scenes_are_drawn():
    """Each resample is that of its scenes' images, in blocks of any size."""
    found, images = random_case(np.random.default_rng(3), 12, 2, 3, 10)
    images = replace(images, scenes=np.repeat(np.arange(4), 3))
    matched = matches(found, images)
    every = resampling.resampled(matched, images, seed=7)
    counts = np.concatenate(list(drawn(4, np.random.default_rng(7))))
    assert every.ap.shape == (RESAMPLES,)
    by_hand = resampling.aps(matched, images, counts[:50][:, images.scenes])
    assert every.per_class_ap50[:50] == pytest.approx(by_hand[:, :, 0], nan_ok=True)
    assert every.ap[:50] == pytest.approx(resampling.nan_mean(by_hand.mean(axis=2)), nan_ok=True)


def test_small_blocks_give_the_same(monkeypatch: pytest.MonkeyPatch):
    found, images = random_case(np.random.default_rng(4), 6, 2, 3, 10)
    matched = matches(found, images)
    whole = resampling.resampled(matched, images)
    monkeypatch.setattr(resampling, "_AT_ONCE", 1000)
    assert resampling.resampled(matched, images).ap == pytest.approx(whole.ap, nan_ok=True)


def test_intervals_hold_their_scores_and_repeat():
    found, images = random_case(np.random.default_rng(1), 40, 3, 3, 8)
    figures, matched = coco_figures(found, images), matches(found, images)
    one = ap_intervals(figures, matched, images)
    assert one == ap_intervals(figures, matched, images)
    pairs = [(figures.overall.ap, one.ap), (figures.overall.ap50, one.ap50)]
    pairs += [(scores.ap50, of) for scores, of in zip(figures.per_class, one.per_class_ap50, strict=True)]
    for value, interval in pairs:
        assert value is not None and interval is not None
        assert 0 <= interval[0] <= value <= interval[1] <= 1 and interval[0] < interval[1]


def test_a_perfect_detector_is_no_surer_than_its_recall():
    """No resample varies, so the interval is Wilson's of 30 objects found of 30, one on each image."""
    found = boxes(*[(image, *BOX, 0.9, 0) for image in range(30)])
    images = labelled(objects(*[(image, *BOX, 0, 0) for image in range(30)]), 30)
    one = ap_intervals(coco_figures(found, images), matches(found, images), images)
    assert one.ap50 == pytest.approx(intervals.wilson(1.0, 30))
    of_scenes = replace(images, scenes=np.arange(30) // 3)
    one = ap_intervals(coco_figures(found, of_scenes), matches(found, of_scenes), of_scenes)
    assert one.ap50 == pytest.approx(intervals.wilson(1.0, 10))


def test_images_of_one_scene_make_it_wider():
    found, images = random_case(np.random.default_rng(2), 8, 2, 3, 6)
    copies = np.repeat(np.arange(8), 5)
    found, images = drawn_images(found, images, copies)
    alone = ap_intervals(coco_figures(found, images), matches(found, images), images).ap50
    images = replace(images, scenes=copies)
    together = ap_intervals(coco_figures(found, images), matches(found, images), images).ap50
    assert alone is not None and together is not None
    assert together[1] - together[0] > 1.5 * (alone[1] - alone[0])


def test_a_class_without_objects_has_no_interval():
    found, images = boxes((0, *BOX, 0.9, 1)), labelled(objects((0, *BOX, 0, 0)), 1, 2)
    one = ap_intervals(coco_figures(found, images), matches(found, images), images)
    assert one.per_class_ap50[1] is None and one.ap50 is not None and one.per_class_ap50[0] is not None
    nothing = labelled(objects(), 2)
    assert ap_intervals(coco_figures(found, nothing), matches(found, nothing), nothing).ap is None
    assert ap_difference(matches(found, nothing), matches(found, nothing), nothing) is None


def test_a_paired_difference_is_narrower_than_the_two_intervals():
    found, images = random_case(np.random.default_rng(9), 60, 2, 3, 8)
    worse = found.at(np.random.default_rng(0).random(len(found)) < 0.8)
    one, other = matches(found, images), matches(worse, images)
    difference = ap_difference(one, other, images)
    alone = ap_intervals(coco_figures(found, images), one, images).ap50
    better, less = coco_figures(found, images).overall, coco_figures(worse, images).overall
    assert difference is not None and alone is not None
    assert better.ap50 is not None and less.ap50 is not None and better.ap is not None and less.ap is not None
    assert difference.ap50 == pytest.approx(better.ap50 - less.ap50)
    assert difference.ap == pytest.approx(better.ap - less.ap)
    low, high = difference.ap50_interval
    assert low < difference.ap50 < high and high - low < alone[1] - alone[0]
    back = ap_difference(other, one, images)
    assert back is not None and back.ap50_interval == pytest.approx((-high, -low))


def test_a_detector_does_not_differ_from_itself_but_the_interval_has_a_width():
    found, images = random_case(np.random.default_rng(9), 20, 2, 3, 8)
    matched = matches(found, images)
    difference = ap_difference(matched, matched, images)
    assert difference is not None and difference.ap50 == 0
    assert difference.ap50_interval[0] < 0 < difference.ap50_interval[1]
