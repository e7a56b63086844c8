"""What a detector's labels mean: by their names, and by what it finds on images with known objects."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from example_detector import DESCRIPTION

from harness.stages.detection.label_meaning import void_labels
from harness.stages.detection.label_measurement import REORDERED, Objects, measured
from harness.stages.detection.names import named
from harness.stages.detection.reply import Rows

CLASSES = ("ace", "king", "queen")


@pytest.mark.parametrize(
    ("names", "labels", "background", "shown", "intended", "faults"),
    [
        (["BACKGROUND", "ace", "king", "queen"], 4, True, (-1, 0, 1, 2), (-1, 0, 1, 2), set()),
        (["ace", "king", "queen"], 4, True, (0, 1, 2, -1), (-1, 0, 1, 2), {"background-missing"}),
        (["ace", "king", "queen", ""], 3, False, (0, 1, 2), (0, 1, 2), set()),
        (["BACKGROUND", "ace", "king", "queen"], 3, False, (-1, 0, 1), (0, 1, 2), {"background-extra"}),
        (["background", " Ace", "KING", "queen"], 4, True, (-1, 0, 1, 2), (-1, 0, 1, 2), {"other-form"}),
        (["BACKGROUND", "ace", "king"], 4, True, (-1, 0, 1, -1), (-1, 0, 1, -1), {"wrong-count", "class-missing"}),
        (["BACKGROUND", "ace", "ace", "jack"], 4, True, (-1, 0, 0, -1), (-1, 0, 0, -1),
         {"class-twice", "class-missing", "unknown-name"}),
        (["ace", "BACKGROUND", "king", "queen"], None, False, (0, -1, 1, 2), (0, -1, 1, 2), {"background-elsewhere"}),
        (["ace", "BACKGROUND", "king", "queen"], 4, True, (0, -1, 1, 2), (-1, 0, 1, 2), {"background-elsewhere"}),
        ([], 4, True, (-1,) * 4, (-1,) * 4, {"wrong-count", "class-missing"}),
    ],
)  # fmt: skip
def test_names_are_matched_to_the_classes(names, labels, background, shown, intended, faults) -> None:
    found = named(names, CLASSES, labels, background)
    assert (found.as_shown, found.intended, found.faults) == (shown, intended, faults)


def test_two_classes_that_differ_in_case_alone_are_not_mixed_up() -> None:
    assert named(["Ace", "ace"], ["ace", "Ace"], 2, False).as_shown == (1, 0)
    assert named(["ACE"], ["ace", "Ace"], 1, False).as_shown == (-1,)


def scene(label_of: dict[int, int], count: int = 30, wrong: int = 0, seen: int | None = None) -> tuple[Rows, Objects]:
    """`count` images with two objects each, found with the label of their class; the first `wrong` with another."""
    random = np.random.default_rng(1)
    left = np.array([[0.0, 0.0, 0.4, 0.4], [0.5, 0.5, 0.9, 0.9]], np.float32)
    classes = random.integers(0, 3, (count, 2))
    labels = np.vectorize(label_of.get)(classes).reshape(-1).astype(np.int32)
    labels[:wrong] = label_of[0]
    images = np.repeat(np.arange(count, dtype=np.int32), 2)
    truth = Objects(np.tile(left, (count, 1)), classes.reshape(-1), images)
    many = len(labels) if seen is None else seen
    boxes = truth.boxes + random.normal(0, 0.01, truth.boxes.shape).astype(np.float32)
    return Rows(boxes[:many], np.full(many, 0.8, np.float32), labels[:many], images[:many]), truth


SHOWN = named(CLASSES, CLASSES, 4, True)  # without BACKGROUND
WAYS = {"as-shown": SHOWN.as_shown, "intended": SHOWN.intended}


def test_a_background_that_is_missing_in_the_names_is_measured() -> None:
    result = measured(*scene({0: 1, 1: 2, 2: 3}), WAYS, 3)
    assert result is not None and result.decision.verdict == "taken" and result.decision.chosen.way == "intended"
    assert result.meaning == (-1, 0, 1, 2) and result.decision.chosen.accuracy == 1.0
    assert result.decision.assumed.accuracy == 0.0 and (result.seen, result.objects) == (60, 60)


def test_labels_that_mean_what_they_say_are_kept() -> None:
    result = measured(*scene({0: 0, 1: 1, 2: 2}, wrong=6), WAYS, 3)
    assert result is not None and result.decision.verdict == "kept" and result.meaning == SHOWN.as_shown


def test_another_order_is_found_and_a_shift_without_a_name_too() -> None:
    named_right = {"as-shown": (-1, 0, 1, 2)}
    result = measured(*scene({0: 3, 1: 1, 2: 2}), named_right, 3)
    assert result is not None and result.decision.chosen.way == REORDERED and result.meaning == (-1, 1, 2, 0)
    result = measured(*scene({0: 0, 1: 1, 2: 2}), named_right, 3)
    assert result is not None and result.decision.chosen.way == "one-down" and result.meaning[:3] == (0, 1, 2)


def test_a_detector_that_guesses_or_sees_too_little_decides_nothing() -> None:
    found, truth = scene({0: 1, 1: 2, 2: 3})
    guessed = Rows(found.boxes, found.scores, np.random.default_rng(3).integers(0, 4, 60, np.int32), found.images)
    result = measured(guessed, truth, WAYS, 3)
    assert result is not None and result.decision.verdict == "kept"
    result = measured(*scene({0: 1, 1: 2, 2: 3}, seen=3), WAYS, 3)
    assert result is not None and result.decision.verdict == "unclear" and result.seen == 3
    assert measured(*scene({0: 1, 1: 2, 2: 3}, seen=0), WAYS, 3) is None


def test_a_box_elsewhere_says_nothing_and_of_two_at_a_place_the_surer_one_speaks() -> None:
    found, truth = scene({0: 1, 1: 2, 2: 3})
    away = Rows(found.boxes + 0.45, found.scores, found.labels, found.images)
    assert measured(away, Objects(truth.boxes[::2], truth.classes[::2], truth.images[::2]), WAYS, 3) is None
    less = Rows(found.boxes, found.scores / 2, np.zeros_like(found.labels), found.images)
    both = Rows(*(np.concatenate([getattr(found, part), getattr(less, part)]) for part in
                  ("boxes", "scores", "labels", "images")))  # fmt: skip
    result = measured(both, truth, WAYS, 3)
    assert result is not None and result.meaning == SHOWN.intended
    with pytest.raises(ValueError, match="nothing to measure"):
        measured(found, truth, {}, 3)


@pytest.mark.parametrize(
    ("names", "described", "labels"),
    [
        (("BACKGROUND", "void", "mug"), {}, (1,)),
        (("ball", "void"), {}, (1,)),  # line by line, as a Jetson reads it
        (("ball", "void"), {"family": "torchvision_onnx"}, (2,)),  # its list needs no background, its labels have one
        (("BACKGROUND", "void"), {"family": "yolo_onnx", "background_first": False}, (0,)),
        (("void",), {"family": "own_code", "background_first": False}, (0,)),
        (("void", "mug"), {"family": "yolo_onnx", "background_first": False}, (0,)),
    ],
)
def test_void_is_the_label_that_a_list_means(names: tuple[str, ...], described: Any, labels: tuple[int, ...]) -> None:
    assert void_labels(names, DESCRIPTION.model_copy(update=described)) == labels
