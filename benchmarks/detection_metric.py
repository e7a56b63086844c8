"""Writes the table of docs/performance.md: our COCO figures beside pycocotools', in turn, on the same boxes.

    python benchmarks/detection_metric.py [--turns 7]

500 images of 6 classes. Both start from arrays, and end with the twelve figures. Processor time of this process, all
of its threads together; the ratio is of each turn. The bootstrap is timed beside them.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import tables
from detection_cases import by_pycocotools, random_case

from harness.stages.evaluate.bootstrap import RESAMPLES
from harness.stages.evaluate.detection import ap_intervals, coco_figures, matches

PAGE = Path(__file__).parent.parent / "docs" / "performance.md"
IMAGES, CLASSES, OBJECTS = 500, 6, 5
BOXES = (10, 40, 120)  # at most, on an image
LEAST = 10.0  # times as fast as pycocotools


def seconds(function: Callable[[], object]) -> float:
    """Processor seconds of one call."""
    started = time.process_time()
    function()
    return time.process_time() - started


def row(most: int, turns: int) -> tuple[str, float]:
    """A line of the table, and the smallest ratio."""
    found, images = random_case(np.random.default_rng(0), IMAGES, CLASSES, OBJECTS, most)
    sides = {"ours": lambda: coco_figures(found, images), "theirs": lambda: by_pycocotools(found, images)}
    for side in sides.values():  # imports, and first pages of memory
        side()
    took: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(turns):
        for name in random.sample(sorted(sides), 2):
            took[name].append(seconds(sides[name]))
    ratios = [theirs / ours for ours, theirs in zip(took["ours"], took["theirs"], strict=True)]
    figures, matched = coco_figures(found, images), matches(found, images)
    resampling = seconds(lambda: ap_intervals(figures, matched, images))
    matching = seconds(lambda: matches(found, images))
    return (
        f"| {len(found):,} | {statistics.median(took['ours']) * 1000:.0f} ms "
        f"| {statistics.median(took['theirs']) * 1000:,.0f} ms "
        f"| **{statistics.median(ratios):.0f}** ({min(ratios):.0f} to {max(ratios):.0f}) "
        f"| {matching:.2f} s | {resampling:.1f} s |",
        min(ratios),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=7)
    asked = parser.parse_args()
    rows = [row(most, asked.turns) for most in BOXES]
    lines = [
        f"| boxes | ours | pycocotools | ratio, {asked.turns} turns | matching, once | {RESAMPLES:,} resamples |",
        "|---|---|---|---|---|---|",
        *(line for line, _ in rows),
    ]
    tables.replace(PAGE, "detection metric", "\n" + "\n".join(lines) + "\n\n")
    print("\n".join(lines))
    if min(least for _, least in rows) < LEAST:
        raise SystemExit(f"less than {LEAST:.0f} times as fast as pycocotools")


if __name__ == "__main__":
    main()
