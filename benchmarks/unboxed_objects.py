"""How often the reference is right about objects without a box: `python benchmarks/unboxed_objects.py MODEL DATASET`.

MODEL is a reference as `harness reference` writes it (model.onnx, labels.txt beside it), DATASET a set with boxes that
it was not trained on. A quarter of the boxes is taken away, twenty times anew; for several scores from which on a box
counts as sure it prints how many of the deleted objects are named, what share of what is named is one of them, and how
many images of the complete set are named. Takes a tenth of a second of a processor for each image.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from harness.agent.dataset import open_tree, read
from harness.agent.dataset.placed import placed
from harness.agent.detectors.detector import Anchors, Opening
from harness.agent.detectors.families import ssd_onnx
from harness.agent.detectors.suppression import TRAINERS, suppressed
from harness.agent.images.preprocessing import upright
from harness.stages.detection.unboxed import same_names
from harness.stages.evaluate.detection import Detections, LabelledImages, ObjectTruth
from harness.stages.evaluate.detection.evaluation import with_meaning
from harness.stages.evaluate.detection.overlap import iou
from harness.stages.evaluate.detection.unboxed import Unboxed, unboxed

SCORES, DRAWS, DELETED, SIDE = (0.5, 0.7, 0.8, 0.9, 0.95, 0.98), 20, 0.25, 512
_THERE = 0.5  # IoU with a deleted object


def answered(model: Path, dataset: Path) -> tuple[Detections, LabelledImages]:
    """The reference's boxes for all images of the set, and what is drawn on them."""
    detector = ssd_onnx.load(Opening(model / "model.onnx", 1))
    names = (model / "labels.txt").read_text("utf-8").split("\n")
    with tempfile.TemporaryDirectory() as scratch:
        reading = read(open_tree(dataset, Path(scratch)))
    classes = tuple(sorted({box.label for image in reading.images for box in image.boxes}))
    found, drawn, sizes = [], [], []
    for image in reading.images:
        on_it = placed(image, reading.layout)
        if on_it is None or not image.annotated:
            continue
        small = upright(image.file)
        small.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
        said = detector.answer(np.asarray(small, np.uint8))
        boxes = suppressed(said, TRAINERS) if isinstance(said, Anchors) else said
        found += [(len(sizes), *b, s, n) for b, s, n in zip(boxes.boxes, boxes.scores, boxes.labels, strict=True)]
        drawn += [
            (len(sizes), b.left, b.top, b.right, b.bottom, classes.index(b.label), b.ignored) for b in on_it.boxes
        ]
        sizes.append((on_it.width, on_it.height))
    rows, truth = np.array(found, np.float64).reshape(-1, 7), np.array(drawn, np.float64).reshape(-1, 7)
    said = Detections(
        rows[:, 0].astype(np.int32), rows[:, 1:5].astype(np.float32), rows[:, 5].astype(np.float32),
        rows[:, 6].astype(np.int32),
    )  # fmt: skip
    objects = ObjectTruth(
        truth[:, 0].astype(np.int32), truth[:, 1:5].astype(np.float32), truth[:, 5].astype(np.int32),
        truth[:, 6].astype(np.bool_),
    )  # fmt: skip
    meaning = same_names((-1, *range(len(names) - 1)), names[1:], classes)
    return with_meaning(said, meaning), LabelledImages(np.array(sizes, np.int32), objects, classes)


def without(images: LabelledImages, gone: np.ndarray) -> LabelledImages:
    return LabelledImages(images.sizes, images.objects.at(~gone), images.classes)


def right(one: Unboxed, images: LabelledImages, gone: np.ndarray) -> bool:
    """Whether one of the deleted objects is there."""
    there = images.objects.box[gone & (images.objects.image == one.image)].astype(np.float64)
    return bool(len(there)) and bool((iou(there, np.tile(one.box, (len(there), 1))) >= _THERE).any())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("dataset", type=Path)
    args = parser.parse_args()
    detections, images = answered(args.model, args.dataset)
    random = np.random.default_rng(1)
    deleted = [(random.random(len(images.objects)) < DELETED) & ~images.objects.ignored for _ in range(DRAWS)]
    nothing = np.zeros(len(images.objects), np.bool_)
    print(f"{len(images.sizes)} images, {len(images.objects)} objects, {sum(map(np.sum, deleted)) / DRAWS:.0f} deleted")
    print("| score from | of the deleted are named | of the named are right | images named of the complete set |")
    print("|---|---|---|---|")
    for score in SCORES:
        named = hits = 0
        for gone in deleted:
            found = unboxed(detections, without(images, gone), score)
            named += len(found)
            hits += sum(right(one, images, gone) for one in found)
        alarmed = len({one.image for one in unboxed(detections, without(images, nothing), score)})
        share = f"{hits / named:.0%}" if named else "–"
        total = sum(map(np.sum, deleted))
        print(f"| {score} | {hits / total:.0%} | {share} | {alarmed} of {len(images.sizes)} |")


if __name__ == "__main__":
    main()
