"""The average precision that outputs report: the formats of jetson-inference, pycocotools and Ultralytics."""

from __future__ import annotations

import time

import pytest
from nbformat.v4 import new_code_cell, new_output

from harness.agent.notebook.output_parsing import shown
from harness.agent.notebook.reported_precision import best, reported

EVAL_SSD = """Average Precision Per-class:
    cup: 0.7272
    duck: 0.5
Average Precision Across All Classes:0.6136363636
"""
TRAIN_SSD = """2024-03-01 12:00:01 - Epoch: 28, Mean Average Precision: 0.5012
2024-03-01 12:00:01 -   - cup: 0.4
2024-03-01 12:05:01 - Epoch: 29, Mean Average Precision: 0.5321
"""
COCO = """ Average Precision  (AP) @[ IoU=0.50:0.95 | area=   all | maxDets=100 ] = 0.412
 Average Precision  (AP) @[ IoU=0.50      | area=   all | maxDets=100 ] = 0.701
 Average Precision  (AP) @[ IoU=0.75      | area=   all | maxDets=100 ] = 0.433
 Average Precision  (AP) @[ IoU=0.50:0.95 | area= small | maxDets=100 ] = -1.000
 Average Recall     (AR) @[ IoU=0.50:0.95 | area=   all | maxDets=100 ] = 0.512
"""
YOLO = """                 Class     Images  Instances      Box(P          R      mAP50  mAP50-95): 100%|####| 4/4
                   all        128        929      0.664      0.555      0.605      0.446
                   cup         61        254       0.81        0.4        0.9      0.333
"""


@pytest.mark.parametrize(
    ("text", "measure", "value"),
    [
        (EVAL_SSD, "voc", 0.6136363636),
        (TRAIN_SSD, "voc", 0.5321),
        (COCO, "ap50", 0.701),
        (YOLO, "ap50", 0.605),
        ("mAP: 71.5%\n", "ap50", 0.715),
        ("mAP@0.5 = 0.62\n", "ap50", 0.62),
        ("metrics/mAP50(B): 0.91\n", "ap50", 0.91),
        ("mAP50-95: 0.31\n", "ap", 0.31),
        ("mAP@[0.5:0.95] = .25\n", "ap", 0.25),
        ("mAP50-95: 0.31 mAP50: 0.6\n", "ap50", 0.6),
        (EVAL_SSD + YOLO, "voc", 0.6136363636),
        ("Average Precision Across All Classes: 1.0\n", "voc", 1.0),
    ],
)
def test_each_tools_own_words_are_read(text: str, measure: str, value: float):
    found = best(reported(text, 3))
    assert found is not None
    assert (found["measure"], found["value"], found["cell"]) == (measure, pytest.approx(value), 3)
    assert len(found["words"]) <= 200


@pytest.mark.parametrize(
    "text",
    [
        "Average Precision Across All Classes: nan",
        "mAP: 7.5",
        "map: a table of cells",
        "Average Precision Across All Classes: 1.2.3",
        "Average precision is the area under a curve, 0.5 here",
        "Average Precision  (AP) @[ IoU=0.75      | area=   all | maxDets=100 ] = 0.433",
        "roadmap: 0.5 done",
        "mAP: 0.0",
    ],
)
def test_other_numbers_are_none(text: str):
    assert best(reported(text, 1)) is None


def test_the_last_cell_counts_and_stands_beside_the_accuracy():
    cells = [
        new_code_cell("x", outputs=[new_output("stream", text=text)])
        for text in (EVAL_SSD, "Average Precision Across All Classes:0.75\n", "Test accuracy: 0.9\n")
    ]
    found = shown(cells)
    assert (found["average_precision"]["value"], found["average_precision"]["cell"]) == (0.75, 2)
    assert found["claim"]["accuracy"] == 0.9
    assert shown(cells[2:])["average_precision"] is None


@pytest.mark.parametrize("text", ["all 1 1 1 1 " * 30_000, "mAP" * 100_000, " " * 400_000, "all" + " \n" * 200_000])
def test_hostile_outputs_take_no_time(text: str):
    started = time.monotonic()
    reported(text, 1)
    assert time.monotonic() - started < 5
