"""Images are made worse by degrees, and the same way each time."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
from PIL import Image

from harness.agent.images.corruptions import CORRUPTIONS, corrupted, shrunk
from harness.agent.images.patterns import pattern
from harness.agent.images.preprocessing import Rule, seen_part
from harness.inputs.assignment.sections import Corruption


@pytest.fixture(scope="module")
def image() -> Image.Image:
    """Soft shapes and hard edges, like a photograph's."""
    random = np.random.default_rng(0)
    soft, hard = (random.integers(30, 220, (*size, 3), dtype=np.uint8) for size in ((9, 12), (64, 80)))
    wide = Image.fromarray(soft).resize((320, 256), Image.Resampling.BICUBIC)
    return Image.blend(wide, Image.fromarray(hard).resize((320, 256), Image.Resampling.NEAREST), 0.4)


def fill(image: Image.Image) -> float:
    """How much of the image has the colour of its corner."""
    pixels = np.asarray(image)
    return float((pixels == pixels[0, 0]).all(axis=-1).mean())


def distance(one: Image.Image, other: Image.Image) -> float:
    return float(np.abs(np.asarray(one, np.float32) - np.asarray(other, np.float32)).mean())


def test_the_assignment_knows_every_corruption_by_its_name() -> None:
    assert set(get_args(Corruption)) == set(CORRUPTIONS)


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_a_higher_severity_changes_more_and_keeps_size_and_mode(name: str, image: Image.Image) -> None:
    worse = [corrupted(image, name, severity, seed=4) for severity in (1, 2, 3, 4, 5)]
    assert all(one.size == image.size and one.mode == "RGB" for one in worse)
    changes = [fill(one) if name == "distance" else distance(image, one) for one in worse]
    assert changes[0] > 0.1 and changes[4] > changes[2] > changes[0]
    assert distance(worse[2], corrupted(image, name, 3, seed=4)) == 0


def test_a_large_image_is_shrunk_and_a_small_one_is_left() -> None:
    assert shrunk(Image.new("RGB", (1024, 512))).size == (512, 256)
    assert shrunk(Image.new("RGB", (100, 90))).size == (100, 90)


def test_patterns_differ_from_one_another_and_come_again() -> None:
    drawn = [pattern(number) for number in range(12)]
    assert len({one.tobytes() for one in drawn}) == 12
    assert drawn[7].tobytes() == pattern(7).tobytes()


def test_the_part_of_a_image_that_the_model_sees() -> None:
    rule = Rule(224, 224, "RGB", 1.0, (0, 0, 0), (1, 1, 1), "shorter-side-crop", 0.875)
    left, top, right, bottom = seen_part((512, 256), rule)
    assert (top, bottom) == pytest.approx((0.0625, 0.9375)) and (left, right) == pytest.approx((0.28125, 0.71875))
