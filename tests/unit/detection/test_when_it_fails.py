"""Which objects are found, which mistakes are made, and how many objects are counted."""

from __future__ import annotations

import numpy as np
import pytest
from detection_cases import random_case
from detection_parts import Row, boxes, labelled, objects

from harness.stages.evaluate import intervals
from harness.stages.evaluate.detection import (
    at_threshold,
    best_f1,
    circumstances,
    confusion,
    counting,
    curve,
    error_types,
    false_alarms,
    matches,
    weak_spots,
)
from harness.stages.evaluate.detection.backgrounds import backgrounds, on_backgrounds
from harness.stages.evaluate.detection.circumstances import overlapped, under_others
from harness.stages.evaluate.detection.sentences import on_overlapped
from harness.stages.evaluate.scenes import Scenes

BOX, FAR = (0.1, 0.1, 0.5, 0.5), (0.6, 0.6, 0.9, 0.9)

MISTAKES: dict[str, tuple[list[Row], list[Row]]] = {  # boxes and objects
    "classification": ([(0, *BOX, 0.9, 1)], [(0, *BOX, 0, 0)]),
    "localisation": ([(0, 0.3, 0.1, 0.7, 0.5, 0.9, 0)], [(0, *BOX, 0, 0)]),
    "both": ([(0, 0.3, 0.1, 0.7, 0.5, 0.9, 1)], [(0, *BOX, 0, 0)]),
    "duplicate": ([(0, *BOX, 0.9, 0), (0, *BOX, 0.8, 0)], [(0, *BOX, 0, 0)]),
    "background": ([(0, *BOX, 0.9, 0), (0, *FAR, 0.8, 0)], [(0, *BOX, 0, 0)]),
    "missed": ([(0, *BOX, 0.9, 0)], [(0, *BOX, 0, 0), (0, *FAR, 0, 0)]),
}


@pytest.mark.parametrize("kind", MISTAKES)
def test_each_mistake_has_its_name(kind: str):
    said, are = MISTAKES[kind]
    types = error_types(boxes(*said), labelled(objects(*are), 1, 2))
    counts = {name: getattr(types, name).count for name in MISTAKES}
    beside = {"both": {"missed": 1}}.get(kind, {})  # nor would a better box, or class, alone have found the object
    assert {name: count for name, count in counts.items() if count} == {kind: 1, **beside}


def test_a_box_in_an_ignored_object_is_no_mistake():
    images = labelled(objects((0, *FAR, 0, 1), (0, *BOX, 0, 0)), 1, 2)
    found = boxes((0, *BOX, 0.9, 0), (0, *FAR, 0.95, 0))
    matched = matches(found, images)
    types = error_types(found, images)
    assert [getattr(types, name).count for name in MISTAKES] == [0] * 6
    assert confusion(found, matched, images, 0.5) == ((1, 0, 0), (0, 0, 0), (0, 0, 0))
    assert at_threshold(matched, images, 0.5).boxes == 1
    assert counting(matched, images, 0.5).all_objects.exact == 1


def test_confusion_has_a_row_and_a_column_for_background():
    found = boxes((0, *BOX, 0.9, 1), (0, *FAR, 0.8, 0), (1, *BOX, 0.7, 0), (1, *FAR, 0.1, 0))
    images = labelled(objects((0, *BOX, 0, 0), (1, *BOX, 0, 0), (1, *FAR, 1, 0)), 2, 2)
    assert confusion(found, matches(found, images), images, 0.5) == ((1, 1, 0), (0, 0, 1), (1, 0, 0))


def test_more_boxes_than_100_on_an_image_are_in_the_confusion():
    found = boxes(*[(0, *FAR, 0.9, label) for label in (0, 1) for _ in range(90)])
    images = labelled(objects((0, *BOX, 0, 0)), 1, 2)
    assert confusion(found, matches(found, images), images, 0.5)[2] == (90, 90, 0)


def test_the_best_threshold_is_found_by_trying_all():
    for seed in range(20):
        found, images = random_case(np.random.default_rng(seed), 6, 2, 3, 10, crowds=0.2, scores=12)
        matched = matches(found, images)
        for label in (0, 1, None):
            best = best_f1(matched, images, label)
            tried = [at_threshold(matched, images, float(score), label).f1 or 0 for score in np.unique(found.score)]
            if best is not None:
                assert best.f1 == max(tried)
                assert best == at_threshold(matched, images, best.threshold, label)


def test_no_best_threshold_without_objects_or_boxes():
    found = boxes((0, *BOX, 0.9, 0))
    empty, one = labelled(objects(), 1), labelled(objects((0, *BOX, 0, 0)), 1)
    assert best_f1(matches(found, empty), empty) is None and curve(matches(found, empty), empty, 0) == ()
    assert best_f1(matches(boxes(), one), one) is None and curve(matches(boxes(), one), one, 0) == ()
    assert at_threshold(matches(boxes(), empty), empty, 0.5).f1 is None
    assert at_threshold(matches(boxes(), one), one, 0.5).precision is None


def test_a_curve_is_bounded_and_falls():
    found, images = random_case(np.random.default_rng(0), 400, 1, 5, 6)
    points = curve(matches(found, images), images, 0)
    assert 20 < len(points) <= 102
    assert [p.recall for p in points] == sorted(p.recall for p in points)
    assert [p.precision for p in points] == sorted((p.precision for p in points), reverse=True)
    last = at_threshold(matches(found, images), images, points[-1].score, 0)
    assert (last.recall, last.precision) == pytest.approx((points[-1].recall, points[-1].precision))
    assert points[-1].recall == at_threshold(matches(found, images), images, 0.0, 0).recall


def test_counts_are_compared_image_by_image():
    """Image 0: 2 of 2, though of wrong classes; image 1: 0 of 1; image 2: 15 of 0, shown as 10."""
    found = boxes((0, *BOX, 0.9, 0), (0, *FAR, 0.9, 0), (1, *BOX, 0.4, 0), *[(2, *BOX, 0.9, 0) for _ in range(15)])
    images = labelled(objects((0, *BOX, 0, 0), (0, *FAR, 1, 0), (1, *BOX, 0, 0)), 3, 2)
    counted = counting(matches(found, images), images, 0.5)
    scores = counted.all_objects
    assert (scores.exact, counted.every_class) == (1, 0)
    assert scores.errors == ((-1, 1), (0, 1), (10, 1))
    assert scores.mean_absolute_error == pytest.approx(16 / 3) and scores.mean_error == pytest.approx(14 / 3)
    assert scores.exact_interval == pytest.approx(intervals.wilson(1 / 3, 3))
    assert [one.exact for one in counted.per_class] == [0, 2]


def sized(side: float, image: int, label: int = 0, centre: float = 0.5) -> tuple[float, ...]:
    return (image, centre - side / 2, centre - side / 2, centre + side / 2, centre + side / 2, label)


def test_recall_by_area_place_and_crowd():
    """Objects of a side of 0.12 are missed, those of 0.4 found; all lie in the middle, two on each image."""
    small, large = [sized(0.12, image) for image in range(20)], [sized(0.4, image) for image in range(20)]
    images = labelled(objects(*[(*one, 0) for one in small + large]), 20)
    found = boxes(*[(*one[:5], 0.9, 0) for one in large], *[(*one[:5], 0.3, 0) for one in small])
    of = circumstances(matches(found, images), images, 0.5, under_others(images))
    by_area = {group.low: group.recall for group in of.by_area if group.recall}
    assert {low: (one.found, one.objects) for low, one in by_area.items()} == {0.01: (0, 20), 0.1: (20, 20)}
    assert of.by_area_per_class == (of.by_area,)
    assert by_area[0.01].interval == pytest.approx(intervals.wilson(0, 20))
    assert of.all_objects is not None and of.all_objects.share == 0.5 == of.per_class[0].share
    places = {(group.across, group.down): group.recall for group in of.by_place}
    assert len(places) == 9 and [key for key, one in places.items() if one] == [("middle", "centre")]
    assert [(group.low, group.recall.objects) for group in of.by_crowd if group.recall] == [(2, 40)]
    (spot,) = weak_spots(matches(found, images), images, 0.5)
    assert (spot.label, spot.below, spot.small.found, spot.small.objects) == (0, 0.02, 0, 20)
    assert weak_spots(matches(found, images), images, 0.2) == ()


def test_places_have_the_names_of_where_they_are():
    truth = objects((0, 0.8, 0.0, 1.0, 0.2, 0, 0), (0, -0.1, 0.9, 0.2, 1.2, 0, 0), (0, 0, 0, 1, 1, 0, 1))
    images = labelled(truth, 1)
    of = circumstances(matches(boxes(), images), images, 0.5, under_others(images))
    seen = {(group.across, group.down) for group in of.by_place if group.recall}
    assert seen == {("right", "top"), ("left", "bottom")}
    assert [group.low for group in of.by_area if group.recall] == [0.02]  # 4 %, and 2 % within the image


def test_a_large_object_is_in_the_last_group():
    images = labelled(objects((0, -1, -1, 2, 2, 0, 0)), 1)
    assert circumstances(matches(boxes(), images), images, 0.5, under_others(images)).by_area[-1].recall is not None


def test_false_alarms_on_images_of_other_things():
    found = boxes((0, *BOX, 0.9, 1), (0, *FAR, 0.8, 1), (2, *BOX, 0.6, 0), (3, *BOX, 0.4, 0))
    alarms = false_alarms(found, images=4, classes=2, threshold=0.5)
    assert (alarms.alarmed, alarms.per_image, alarms.per_class) == (2, 0.75, (1, 2))
    assert alarms.alarmed_interval == pytest.approx(intervals.wilson(0.5, 4))
    assert alarms.per_image_interval is not None
    assert 0 <= alarms.per_image_interval[0] < 0.75 < alarms.per_image_interval[1]
    together = false_alarms(found, 4, 2, 0.5, Scenes(np.array([0, 0, 1, 1])))
    assert together.alarmed == 2 and together.per_image_interval is not None


def test_without_alarms_the_interval_is_not_nothing():
    alarms = false_alarms(boxes(), images=50, classes=2, threshold=0.5)
    assert alarms.per_image == 0 and alarms.per_image_interval == pytest.approx(intervals.wilson(0, 50))
    nothing = false_alarms(boxes(), images=0, classes=2, threshold=0.5)
    assert nothing.per_image is None and nothing.alarmed_interval is None


def test_recall_by_how_much_of_an_object_others_overlap():
    left, right, apart = (0.1, 0.1, 0.5, 0.5), (0.4, 0.1, 0.8, 0.5), (0.6, 0.6, 0.9, 0.9)
    twice, ignored = (0.4, 0.1, 0.5, 0.3), (0.55, 0.55, 0.95, 0.95)
    truth = objects(
        (0, *left, 0, 0), (0, *right, 0, 0), (0, *apart, 0, 0), (0, *twice, 0, 0), (0, *ignored, 0, 1), (1, *left, 0, 0)
    )  # fmt: skip
    images = labelled(truth, 2)
    found = matches(boxes((0, *apart, 0.9, 0), (0, *left, 0.9, 0), (1, *left, 0.9, 0)), images)
    groups = circumstances(found, images, 0.5, under_others(images)).by_cover
    counts = [(one.recall.found, one.recall.objects) if one.recall else None for one in groups]
    # A quarter of `left` lies in others, however many overlap there; all of `twice`; an ignored object covers none.
    assert counts == [(2, 2), None, (1, 2), None, (0, 1)]


@pytest.mark.parametrize(("missed", "said"), [(12, True), (2, False)])
def test_objects_beside_others_are_named_only_if_clearly_fewer_are_found(missed: int, said: bool):
    pair = ((0.1, 0.1, 0.5, 0.5), (0.3, 0.1, 0.7, 0.5))
    truth = [(image, *box, 0, 0) for image in range(10) for box in pair] + [(10 + n, *BOX, 0, 0) for n in range(20)]
    images = labelled(objects(*truth), 30)
    found = matches(boxes(*((*row[:5], 0.9, 0) for row in truth[missed:])), images)
    spot = overlapped(found, images, 0.5, under_others(images))
    assert (spot is not None) is said
    assert ("8 of 20" in "".join(on_overlapped(spot))) is said


@pytest.mark.parametrize(("lost", "code"), [(15, "depends on the background"), (1, "does not show")])
def test_a_detector_depends_on_the_background_if_clearly_fewer_are_found_before_others(lost: int, code: str):
    images = labelled(objects(*((image, *BOX, 0, 0) for image in range(30)), (0, *FAR, 0, 1)), 30)
    chosen = tuple(range(29, 9, -1))  # place 0 is image 29
    own = boxes(*((place, *BOX, 0.9, 0) for place in range(20)))
    other = boxes(*((place, *BOX, 0.9 if place >= lost else 0.1, 0) for place in range(20)))
    found = backgrounds(own, other, images, chosen, 0.5)
    assert found is not None and (found.images, found.objects, found.own, found.other) == (20, 20, 20, 20 - lost)
    assert found.difference == pytest.approx(-lost / 20) and (found.interval[1] < 0) is (lost == 15)
    said = on_backgrounds(found)
    assert said is not None and code in said


def test_without_objects_nothing_is_said_of_backgrounds():
    nothing = boxes()
    assert backgrounds(nothing, nothing, labelled(objects((0, *BOX, 0, 1)), 1), (0,), 0.5) is None
    assert on_backgrounds(None) is None
