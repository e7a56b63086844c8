"""Parses the average precision that a notebook's outputs report of a detector.

The formats are those of jetson-inference's eval_ssd.py and train_ssd.py, of pycocotools (which torchvision prints), of
Ultralytics' table, and figures called mAP. The author reports it: evidence for a reader, never a measurement.
"""

from __future__ import annotations

import re
from typing import Any

# Measure -> its patterns. `voc`: Pascal VOC's, at an IoU of 0.5; `ap`: the mean over IoUs of 0.50 to 0.95.
_NUMBER = r"(1(?:\.0*)?|0?\.\d{1,20}|0|\d{1,3}(?:\.\d{1,20})? {0,3}%)(?![\d.\]])"
# Ultralytics' line for all classes: images, objects, precision, recall, and then mAP50 and mAP50-95.
_ROW = r"^ {0,40}all {1,20}\d{1,9} {1,20}\d{1,9} {1,20}[\d.]{1,20} {1,20}[\d.]{1,20} {1,20}"
_COCO = (
    r"Average Precision {1,5}\(AP\) {1,5}@\[ {1,5}IoU=0\.50%s {0,20}\| {1,5}area= {1,5}all {1,5}\| {1,5}"
    r"maxDets= {0,5}100 \] = "
)
_MAP, _IS = r"\bmAP[ _]?@?[ _]?\[?", r"\]?(?:\(B\))? {0,5}[:=] {0,5}"
_PATTERNS = (
    ("voc", re.compile(r"Average Precision Across All Classes {0,5}[:=] {0,5}" + _NUMBER, re.IGNORECASE)),
    ("voc", re.compile(r"\bmean average precision(?: \(mAP\))? {0,5}[:=] {0,5}" + _NUMBER, re.IGNORECASE)),
    ("ap50", re.compile(_COCO % "" + _NUMBER)),
    ("ap50", re.compile(_ROW + _NUMBER + r" {1,20}[\d.]{1,20} {0,20}$", re.MULTILINE)),
    ("ap50", re.compile(_MAP + r"(?:0?\.50?|50)?" + _IS + _NUMBER, re.IGNORECASE)),
    ("ap", re.compile(_COCO % ":0.95" + _NUMBER)),
    ("ap", re.compile(_MAP + r"(?:0?\.50?|50)[-:](?:0?\.)?95" + _IS + _NUMBER, re.IGNORECASE)),
)
_ORDER = ("voc", "ap50", "ap")


def reported(text: str, cell: int) -> list[dict[str, Any]]:
    """What a cell's outputs report, of each measure the last of the last pattern that occurs."""
    claims: dict[str, dict[str, Any]] = {}
    for measure, pattern in _PATTERNS:
        for found in pattern.finditer(text):
            value = float(found[1].rstrip("% ")) / (100 if found[1].endswith("%") else 1)
            if 0 < value <= 1:
                words = " ".join(found[0].split())[:200]
                claims[measure] = {"measure": measure, "value": value, "cell": cell, "words": words}
    return list(claims.values())


def best(claims: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The last one that is comparable with eval_ssd.py's, else the last AP50, else the last AP."""
    for measure in _ORDER:
        if of_measure := [claim for claim in claims if claim["measure"] == measure]:
            return of_measure[-1]
    return None
