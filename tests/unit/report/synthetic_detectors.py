"""Drawn images with objects on them, and detectors that find them as well as is said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from synthetic_images import CLASSES, background, draw

from harness.inputs.images import HeldOutSet, ImageObjects, LabelledBox
from harness.stages.evaluate.comparison import compare
from harness.stages.evaluate.detection import Detections, LabelledImages, ObjectTruth, false_alarms
from harness.stages.evaluate.detection.backgrounds import Backgrounds, on_backgrounds
from harness.stages.evaluate.detection.evaluation import Answers
from harness.stages.evaluate.detection.sentences import on_false_alarms
from harness.stages.evidence.detection_scores import CorruptedScores, DetectionEvaluation
from harness.stages.evidence.detections import (
    Boxes,
    BoxFaults,
    DetectorAnswers,
    DetectorDescription,
    LabelMeaning,
    Suppression,
)
from harness.stages.evidence.record import Blob

IMAGES = 60
_SIZE = (480, 360)
_NO_CLASS = -1


def labelled_images(folder: Path, rng: np.random.Generator) -> HeldOutSet:
    """Images with one to six objects of any size, some over each other."""
    folder.mkdir(parents=True)
    files, objects = [], []
    for index in range(IMAGES):
        image, boxes = background(_SIZE, rng), []
        for _ in range(int(rng.integers(1, 7))):
            label = int(rng.integers(len(CLASSES)))
            size = int(rng.integers(14, 90))
            x, y = (int(rng.integers(size, side - size)) for side in _SIZE)
            draw(image, CLASSES[label], x, y, size, rng)
            shares = ((x - size) / _SIZE[0], (y - size) / _SIZE[1], (x + size) / _SIZE[0], (y + size) / _SIZE[1])
            boxes.append(LabelledBox(label, *shares))
        file = folder / f"{index:03}.jpg"
        image.save(file, quality=85)
        files.append(file)
        objects.append(ImageObjects(*_SIZE, tuple(boxes)))
    scenes = tuple(index // 2 for index in range(IMAGES))
    return HeldOutSet(CLASSES, tuple(files), (), "0" * 64, scenes, tuple(objects))


def as_arrays(held_out: HeldOutSet) -> LabelledImages:
    rows = [(n, box) for n, image in enumerate(held_out.objects) for box in image.boxes]
    truth = ObjectTruth(
        np.array([n for n, _ in rows], np.int32),
        np.array([(b.left, b.top, b.right, b.bottom) for _, b in rows], np.float32).reshape(-1, 4),
        np.array([b.label for _, b in rows], np.int32),
        np.array([b.ignored for _, b in rows], np.bool_),
    )
    sizes = np.array([(image.width, image.height) for image in held_out.objects], np.int32)
    return LabelledImages(sizes, truth, held_out.classes, np.array(held_out.scenes) if held_out.scenes else None)


def drawn_detector(
    rng: np.random.Generator, images: LabelledImages, recall: float, noise: float, alarms: float, confused: float = 0.05
) -> Answers:
    """Finds large objects more often than small ones. `noise`: of a corner, in sides; `alarms`: boxes an image."""
    truth, classes = images.objects, len(images.classes)
    sides = truth.box[:, 2:] - truth.box[:, :2]
    seen = rng.random(len(truth)) < recall * np.clip(np.sqrt(sides.prod(axis=1)) / 0.15, 0.3, 1)
    found = truth.at(seen)
    box = found.box + rng.normal(0, noise, (len(found), 4)) * np.tile(sides[seen], 2)
    label = np.where(rng.random(len(found)) < confused, (found.label + 1) % classes, found.label)
    count = int(alarms * len(images.sizes))
    corner = rng.uniform(0, 0.7, (count, 2))
    wrong = np.hstack([corner, corner + rng.uniform(0.08, 0.3, (count, 2))])
    every = Detections(
        np.concatenate([found.image, rng.integers(0, len(images.sizes), count)]).astype(np.int32),
        np.concatenate([np.sort(box.reshape(-1, 2, 2), axis=1).reshape(-1, 4), wrong]).astype(np.float32),
        np.concatenate([rng.beta(5, 1.6, len(found)), rng.beta(1.6, 3, count)]).astype(np.float32),
        np.concatenate([label, rng.integers(0, classes, count)]).astype(np.int32),
    )
    return Answers(every, every.at(every.score >= 0.5))


def answers_of(name: str, classes: int, family: str = "ssd_onnx", **changes: Any) -> DetectorAnswers:
    blob = Blob(name="rows.npy", sha256="1" * 64, bytes=1)
    rows = Boxes(count=1, boxes=blob, scores=blob, labels=blob, images=blob)
    meaning = (_NO_CLASS, *range(classes))
    values: dict[str, Any] = {
        "name": f"{name}.onnx",
        "model": Blob(name=f"{name}.onnx", sha256="2" * 64, bytes=26_000_000),
        "meaning": LabelMeaning(as_named=meaning, taken=meaning, seen=140),
        "description": DetectorDescription(
            family=family, width=300, height=300, fit="stretch", colour="RGB", scale=1 / 128, mean=(0.992,) * 3,
            std=(1.0,) * 3, suppressed_inside=False, background_first=True, labels=classes + 1, names=(),
            scores="softmax-inside", boxes="corners", graph_agrees=True,
        ),
        "environment": "torch",
        "suppression": Suppression(score=0.01, overlap=0.45, candidates=200),
        "every": rows,
        "board": rows,
        "images": IMAGES,
        "seconds_per_image": 0.0431,
        "faults": BoxFaults(no_box=3),
        "asked_twice": 16,
        "largest_difference": 2e-7,
        "depends_on_order": False,
    }  # fmt: skip
    return DetectorAnswers(**{**values, **changes})


def with_trials(score: DetectionEvaluation, rng: np.random.Generator) -> DetectionEvaluation:
    """With what was found on worse images, and on images of other things."""
    ap, count = score.scores.ap50 or 0.0, 24
    others = Detections(
        rng.integers(0, 30, count).astype(np.int32),
        np.tile(np.array([0.2, 0.2, 0.5, 0.5], np.float32), (count, 1)),
        rng.random(count).astype(np.float32),
        rng.integers(0, len(score.classes), count).astype(np.int32),
    )
    alarms = false_alarms(others, 30, len(score.classes), score.threshold)
    costs = {"brightness": 0.05, "blur": 0.16, "noise": 0.2, "rotation": 0.1, "distance": 0.24, "occlusion": 0.12}
    worse = {name: {s: max(0.0, ap - cost * s**0.5) for s in (1, 3, 5)} for name, cost in costs.items()}
    before = _before_backgrounds(images=20, objects=64, own=46, other=26, threshold=score.threshold)
    said = on_false_alarms(alarms, drawn=True), on_backgrounds(before)
    return score.model_copy(
        update={
            "false_alarms": alarms,
            "false_alarms_source": "patterns",
            "corrupted": CorruptedScores(images=20, clean=ap, worse=worse),
            "backgrounds": before,
            "backgrounds_source": "parts",
            "sentences": (*score.sentences, *(one for one in said if one is not None)),
        }
    )


def _before_backgrounds(*, images: int, objects: int, own: int, other: int, threshold: float) -> Backgrounds:
    """All objects that are found before others are found before their own."""
    apart = compare(np.arange(objects) < other, np.arange(objects) < own)
    return Backgrounds(threshold, images, objects, own, other, apart.value, apart.interval)
