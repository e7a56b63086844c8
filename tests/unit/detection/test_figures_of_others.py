"""What eval_ssd.py of dusty-nv/pytorch-ssd (e7b5af5) and tidecv 1.0.1 gave for the same boxes."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from detection_parts import boxes, labelled, objects

from harness.stages.evaluate.detection import Detections, LabelledImages, coco_figures, error_types, voc_figures

CASES = json.loads((Path(__file__).parent / "figures_of_others.json").read_text())
TIDE = {
    "classification": "Cls",
    "localisation": "Loc",
    "both": "Both",
    "duplicate": "Dupe",
    "background": "Bkg",
    "missed": "Miss",
}
BOX = (0.1, 0.1, 0.5, 0.5)


def read(case: dict[str, Any]) -> tuple[Detections, LabelledImages]:
    truth = labelled(objects(*case["objects"]), len(case["sizes"]), 3)
    return boxes(*case["boxes"]), LabelledImages(np.array(case["sizes"], np.int32), truth.objects, truth.classes)


@pytest.mark.parametrize("number", range(len(CASES)))
def test_voc_is_what_eval_ssd_prints(number: int):
    """Also with difficult objects; nan of theirs, where the surest box lies on one, is a figure here."""
    figures, theirs = voc_figures(*read(CASES[number])), CASES[number]["eval_ssd"]
    for name, ours in (
        ("eleven_points", figures.eleven_points_per_class),
        ("all_points", figures.all_points_per_class),
    ):
        for mine, other in zip(ours, theirs[name], strict=True):
            if other is None:
                assert mine is None
            elif math.isnan(other):
                assert mine is not None and 0 <= mine <= 1
            else:
                assert mine == pytest.approx(other, abs=1e-12)


@pytest.mark.parametrize("number", [number for number, case in enumerate(CASES) if "tidecv" in case])
def test_the_error_types_are_tidecvs(number: int):
    found, images = read(CASES[number])
    types, theirs = error_types(found, images), CASES[number]["tidecv"]
    assert coco_figures(found, images).overall.ap50 == pytest.approx(theirs["ap50"], abs=1e-9)
    for name, short in TIDE.items():
        assert getattr(types, name).count == theirs["counts"][short], name
        assert getattr(types, name).cost == pytest.approx(theirs["costs"][short], abs=1e-9), name
    assert types.false_alarms_cost == pytest.approx(theirs["costs"]["FalsePos"], abs=1e-9)
    assert types.missed_cost == pytest.approx(theirs["costs"]["FalseNeg"], abs=1e-9)


def test_an_overlap_of_one_half_is_too_little_for_voc():
    half, images = boxes((0, 0, 0, 0.5, 1, 0.9, 0)), labelled(objects((0, 0, 0, 1, 1, 0, 0)), 1)
    assert voc_figures(half, images).all_points == 0.0
    assert coco_figures(half, images).overall.ap50 == pytest.approx(1.0)


def test_voc_calls_a_second_box_a_false_alarm_though_another_object_is_free():
    truth = objects((0, 0, 0, 0.4, 1, 0, 0), (0, 0.1, 0, 0.5, 1, 0, 0))
    found = boxes((0, 0, 0, 0.4, 1, 0.9, 0), (0, 0.02, 0, 0.42, 1, 0.8, 0))
    assert voc_figures(found, labelled(truth, 1)).all_points == pytest.approx(0.5)
    assert coco_figures(found, labelled(truth, 1)).overall.ap50 == pytest.approx(1.0)


def test_voc_looks_at_no_image_without_objects():
    found = boxes((1, *BOX, 0.9, 0), (0, *BOX, 0.5, 0))
    assert voc_figures(found, labelled(objects((0, *BOX, 0, 0)), 2)).eleven_points == pytest.approx(1.0)


def test_voc_of_nothing():
    figures = voc_figures(boxes(), labelled(objects(), 1, 2))
    assert figures.eleven_points is None and figures.all_points_per_class == (None, None)
    assert voc_figures(boxes(), labelled(objects((0, *BOX, 0, 0)), 1)).eleven_points == 0.0
