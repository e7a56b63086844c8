"""Sentences about a detector, with numbers that are those of the scores."""

from __future__ import annotations

from detection_parts import boxes, labelled, objects

from harness.stages.evaluate.detection import circumstances, counting, false_alarms, matches, weak_spots
from harness.stages.evaluate.detection.circumstances import under_others
from harness.stages.evaluate.detection.sentences import on_classes, on_confusion, on_counts, on_false_alarms

BOX = (0.1, 0.1, 0.5, 0.5)
SMALL = (0.8, 0.8, 0.92, 0.92)


def test_a_class_whose_small_objects_are_missed_is_said():
    rows = [(image, *box, 0, 0) for image in range(20) for box in (BOX, SMALL)]
    images = labelled(objects(*rows, (0, *BOX, 1, 0)), 20, 2)
    found = matches(boxes(*[(image, *BOX, 0.9, 0) for image in range(20)], (0, *BOX, 0.9, 1)), images)
    said = on_classes(
        circumstances(found, images, 0.5, under_others(images)), weak_spots(found, images, 0.5), ("king", "queen")
    )
    assert said == (
        "It finds 20 of 40 objects of the class king (50%), "
        "but only 0 of 20 (0%) that cover less than 2% of the image.",
        "It finds 1 of 1 objects of the class queen (100%, 95 % interval 21% to 100%).",
    )


def test_a_class_without_objects_is_not_spoken_of():
    images = labelled(objects(), 1)
    found = matches(boxes(), images)
    assert on_classes(circumstances(found, images, 0.5, under_others(images)), (), ("king",)) == ()


def test_only_frequent_confusion_is_said():
    matrix = ((10, 3, 1, 2), (2, 90, 9, 0), (0, 0, 0, 5), (7, 7, 7, 0))
    assert on_confusion(matrix, ("king", "queen", "ace")) == ("It takes 3 of 16 objects of the class king for queen.",)
    assert on_confusion(((5, 2), (3, 0)), ("king",)) == ()


def test_counts_and_false_alarms_are_said():
    images = labelled(objects((0, *BOX, 0, 0)), 2)
    found = matches(boxes((0, *BOX, 0.9, 0), (1, *BOX, 0.9, 0)), images)
    assert on_counts(counting(found, images, 0.5)) == (
        "It counts all objects of an image right on 1 of 2 images (50%, 95 % interval 9% to 91%); "
        "on average it is off by 0.5 objects an image."
    )
    alarms = false_alarms(boxes((0, *BOX, 0.9, 0), (0, *SMALL, 0.9, 0)), images=4, classes=1, threshold=0.5)
    assert on_false_alarms(alarms) == (
        "On 1 of 4 images of other things (25%, 95 % interval 5% to 70%) it reports objects; false alarms in all: 2."
    )
    assert on_false_alarms(false_alarms(boxes(), images=0, classes=1, threshold=0.5)) is None
