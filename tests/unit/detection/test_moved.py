"""Boxes go where the corruptions move what an image shows: compared with pixels, as the agent moves them."""

from __future__ import annotations

import hashlib
import io

import numpy as np
import pytest
from detection_parts import boxes, labelled, objects
from PIL import Image, ImageDraw

from harness.agent.images.corrupted_image import CorruptedImage
from harness.agent.images.corruptions import CORRUPTIONS
from harness.stages.evaluate.detection import Detections
from harness.stages.evaluate.detection.moved import DISTANCE, ROTATION, moved
from harness.stages.evaluate.detection.worse import corrupted_scores, on_corruptions

SIZE = (480, 320)
BOXES = ((0.55, 0.3, 0.7, 0.6), (0.3, 0.42, 0.5, 0.58), (0.42, 0.4, 0.52, 0.55))


def painted(box: tuple[float, ...], shade: int) -> bytes:
    """An ellipse in its box, on a background that `shade` makes another file of."""
    image = Image.new("RGB", SIZE, (shade, 0, 0))
    corners = np.array(box) * np.tile(SIZE, 2)
    ImageDraw.Draw(image).ellipse(tuple(corners.tolist()), fill=(0, 255, 0))
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


def seen(image: Image.Image) -> np.ndarray:
    """The box of what is green, as shares of the sides."""
    pixels = np.asarray(image, np.int64)
    rows, columns = np.nonzero(pixels[:, :, 1] - pixels[:, :, 0] > 100)
    corners = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])
    return corners / np.tile(image.size, 2)


@pytest.mark.parametrize("box", BOXES)
@pytest.mark.parametrize("severity", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("corruption", ["rotation", "distance"])
def test_a_moved_box_is_where_the_pixels_are(corruption: str, severity: int, box: tuple[float, ...]):
    sides = set()
    for shade in range(6):
        encoded = painted(box, shade)
        seed = int.from_bytes(hashlib.sha256(encoded).digest()[:4])
        image = CorruptedImage(encoded, [(corruption, severity)]).version(1)
        truth = moved(objects((0, *box, 0, 0)), np.array([SIZE], np.int32), corruption, severity, [seed])
        assert truth.box[0] == pytest.approx(seen(image), abs=0.012)
        sides.add(tuple(truth.box[0].round(3).tolist()))
    assert len(sides) == (2 if corruption == "rotation" else 1), "both sides came up"


def test_the_amounts_are_those_of_the_agent():
    assert CORRUPTIONS["rotation"][1] == ROTATION and CORRUPTIONS["distance"][1] == DISTANCE


@pytest.mark.parametrize("corruption", sorted(set(CORRUPTIONS) - {"rotation", "distance"}))
def test_no_other_corruption_moves_what_an_image_shows(corruption: str):
    encoded = painted(BOXES[0], 0)
    image = CorruptedImage(encoded, [(corruption, 1)]).version(1)
    truth = objects((0, *BOXES[0], 0, 0))
    assert moved(truth, np.array([SIZE], np.int32), corruption, 1, [0]) is truth
    assert corruption in ("occlusion", "noise", "contrast") or seen(image) == pytest.approx(BOXES[0], abs=0.03)


def test_what_leaves_the_picture_is_ignored():
    truth = moved(objects((0, 0.0, 0.3, 0.1, 0.7, 0, 0)), np.array([SIZE], np.int32), "rotation", 5, [1])
    assert truth.ignored.all() and (truth.box >= 0).all() and (truth.box <= 1).all()


def test_each_version_is_compared_with_its_own_objects():
    images = labelled(objects((0, 0.1, 0.1, 0.4, 0.4, 0, 0), (2, 0.4, 0.4, 0.8, 0.8, 0, 0)), 3)
    far = moved(images.objects, images.sizes, "distance", 3, [0, 0, 0]).box
    # Places: image 2 is 0, image 0 is 1. Right in both versions, but for image 0 in the second.
    found = boxes(
        (0, 0.4, 0.4, 0.8, 0.8, 0.9, 0),
        (1, 0.1, 0.1, 0.4, 0.4, 0.9, 0),
        (2, *far[1], 0.9, 0),
        (3, 0.1, 0.1, 0.4, 0.4, 0.1, 0),
        (5, 0.1, 0.1, 0.4, 0.4, 0.9, 0),
    )
    scores = corrupted_scores(found, images, (2, 0), (("distance", 3), ("blur", 1)), (0, 0))
    assert (scores.images, scores.clean) == (2, 1)
    assert scores.worse == {"distance": {3: pytest.approx(51 / 101)}, "blur": {1: pytest.approx(51 / 101)}}
    said = on_corruptions(scores)
    assert said is not None and "blur (severity 1 of 5)" in said and "from 1.000 to 0.505" in said


def test_nothing_is_said_where_no_corruption_costs_much():
    images = labelled(objects((0, 0.1, 0.1, 0.4, 0.4, 0, 0)), 1)
    right = boxes((0, 0.1, 0.1, 0.4, 0.4, 0.9, 0), (1, 0.1, 0.1, 0.4, 0.4, 0.9, 0))
    scores = corrupted_scores(right, images, (0,), (("blur", 1),), (0,))
    assert scores.worse == {"blur": {1: pytest.approx(1)}} and on_corruptions(scores) is None
    empty = corrupted_scores(Detections(*(a[:0] for a in (right.image, right.box, right.score, right.label))),
                             labelled(objects(), 1), (0,), (("blur", 1),), (0,))  # fmt: skip
    assert (empty.clean, empty.worse, on_corruptions(empty)) == (None, {}, None)
