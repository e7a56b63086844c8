"""Where boxes, curves and bars of a detector's page are drawn."""

from __future__ import annotations

import pytest

from harness.report.detection.charts import count_histogram, group_plot, precision_curves
from harness.report.detection.drawn_boxes import Outline, drawn_images
from harness.report.detection.section import error_rows
from harness.stages.evaluate.detection.circumstances import Recall, RecallGroup
from harness.stages.evaluate.detection.coco import CocoScores
from harness.stages.evaluate.detection.counting import CountScores
from harness.stages.evaluate.detection.curves import CurvePoint, OperatingPoint
from harness.stages.evaluate.detection.error_types import ErrorType, ErrorTypes
from harness.stages.evidence.detection_scores import ClassBoxes, ShownBox, ShownImage

BOX, OTHER = (0.1, 0.2, 0.5, 0.6), (0.12, 0.2, 0.5, 0.6)
_NO_SCORES = CocoScores(**dict.fromkeys(CocoScores.__dataclass_fields__))


def shown(image: int, *boxes: ShownBox) -> ShownImage:
    return ShownImage(image=image, boxes=boxes)


FOUND = ShownBox(kind="found", box=BOX, name="mug", score=0.9, truth=OTHER)
MISSED = ShownBox(kind="missed", box=BOX, name="mug", score=None)
ALARM = ShownBox(kind="false-alarm", box=(-0.2, 0.5, 1.4, 0.9), name="ball", score=0.6)


def test_each_kind_of_box_is_drawn_apart() -> None:
    [drawn] = drawn_images([shown(4, FOUND, MISSED, ALARM)], lambda index: f"image {index}")
    assert (drawn.found, drawn.missed, drawn.false_alarms, drawn.thumbnail) == (1, 1, 1, "image 4")
    assert drawn.outlines["found"] == (Outline(100, 200, 400, 400),)
    assert drawn.outlines["truth"] == (Outline(120, 200, 380, 400),)
    assert drawn.outlines["false-alarm"] == (Outline(0, 500, 1000, 400),), "beyond the image, it ends at its edge"
    assert drawn.labels["found"][0].y == pytest.approx(20) and drawn.labels["missed"][0].y == pytest.approx(60)


def test_images_without_mistakes_have_a_place_after_those_with_most() -> None:
    wrong = [shown(index, MISSED) for index in range(9)]
    drawn = drawn_images([*wrong, shown(20, FOUND), shown(21, FOUND)], lambda index: None)
    assert [one.image for one in drawn] == [0, 1, 2, 3, 4, 5, 20, 21]


def of_class(name: str, objects: int, *points: tuple[float, float]) -> ClassBoxes:
    curve = tuple(CurvePoint(recall, precision, 0.5) for recall, precision in points)
    best = OperatingPoint(0.5, 3, 4, 6)
    return ClassBoxes(name=name, objects=objects, scores=_NO_SCORES, ap50_interval=None, best=best, curve=curve)


def test_precision_falls_where_recall_is_reached_and_ends_at_the_axis() -> None:
    [curve] = precision_curves([of_class("mug", 6, (0.25, 1.0), (0.5, 1.0), (0.75, 0.5))])
    assert curve.start == 10 and [step.y for step in curve.steps] == [68, curve.base]
    assert [step.x for step in curve.steps] == [56, 75.5], "at a recall of 0.5 and of 0.75"
    assert curve.best == (56, 39), "3 of 6 found, 3 of 4 boxes right"


def test_of_many_classes_those_with_the_most_objects_are_drawn() -> None:
    classes = [of_class(str(count), count, (0.5, 1.0)) for count in range(20)]
    assert [curve.of.objects for curve in precision_curves(classes)] == list(range(8, 20))
    assert precision_curves([of_class("mug", 3)]) == [], "nothing is found"


def test_a_group_without_objects_has_a_place_but_no_dot() -> None:
    some = Recall(objects=4, found=2, interval=(0.15, 0.85))
    groups = [RecallGroup(0, 1, some), RecallGroup(1, 2, None), RecallGroup(2, None, some)]
    plot = group_plot(groups)
    assert plot is not None and len(plot.dots) == 2 and len(plot.places) == 3
    assert plot.dots[0].top < plot.dots[0].y < plot.dots[0].bottom < plot.base
    assert group_plot(groups[:2]) is None


def test_each_count_has_a_bar_over_its_number() -> None:
    scores = CountScores(9, 5, 0.56, (0.3, 0.8), 0.5, -0.3, ((-4, 1), (0, 5), (1, 3)))
    plot = count_histogram(scores)
    assert [bar.count for bar in plot.bars] == [1, 0, 0, 0, 5, 3, 0, 0, 0]
    assert [tick.value for tick in plot.ticks] == list(range(-4, 5))
    middles = [bar.x + bar.width / 2 for bar in plot.bars]
    assert [tick.at for tick in plot.ticks] == pytest.approx(middles, abs=0.02)


def test_the_costliest_mistake_comes_first_and_has_the_longest_bar() -> None:
    none = ErrorType(0, 0.0)
    errors = ErrorTypes(none, ErrorType(4, 0.1), none, none, ErrorType(90, 0.2), none, 0.2, 0.3)
    rows = error_rows(errors)
    assert [(row.name, row.share) for row in rows[:3]] == [
        ("background", 1.0), ("localisation", 0.5), ("classification", 0.0),
    ]  # fmt: skip
    assert error_rows(ErrorTypes(*[none] * 6, 0.0, 0.0))[0].share == 0
