"""Copies that are cropped, turned, rescaled, framed or photographed from a screen are found; other images are not."""

import numpy as np
import pytest
from altered_copies import altered_images, image_copies, real, rendered
from PIL import Image
from scipy.ndimage import map_coordinates
from synthetic_scenes import described

from harness.grading.similarity.shared_images import shared
from harness.grading.similarity.shared_parts import Owned
from harness.stages.audit import ImageSet, scene_map
from harness.stages.audit.matching import detail, match
from harness.stages.audit.parts import is_altered

NAMES = list(altered_images.ALTERATIONS)


@pytest.fixture(scope="module")
def photographs() -> list[Image.Image]:
    """Two of fruit, four of cards, two rendered."""
    return [
        *real("fruit/classification", 30),
        *real("playing-cards/train", 80),
        *(rendered(seed) for seed in range(2)),
    ]


@pytest.fixture(scope="module")
def seen(photographs):
    return image_copies.seen(iter(photographs))


@pytest.mark.parametrize("name", NAMES)
def test_of_each_kind_all_but_one_of_eight_are_found(name: str, photographs, seen):
    """And none of these is a copy of another photograph. The whole table: benchmarks/image_copies.py."""
    count = len(photographs)
    copies = image_copies.seen(altered_images.altered(name, one, 900 + n) for n, one in enumerate(photographs))
    found, _, _ = image_copies.copies_in(image_copies.joined(seen, copies))
    assert {(i % count, j % count) for i, j in found} <= {(i, i) for i in range(count)}
    by_detail = {(n, n + count) for n in range(count) if match(detail(seen.greys[n]), detail(copies.greys[n])).copy}
    assert sum((n, n + count) in found | by_detail for n in range(count)) >= count - 1


def as_set(images: list[Image.Image], splits: list) -> ImageSet:
    numbers = image_copies.seen(iter(images))
    return ImageSet(
        tuple(f"{n}.jpg" for n in range(len(images))),
        ("mug",) * len(images),
        tuple(splits),
        tuple(described(grey) for grey in numbers.greys),
        numbers.greys,
        None,
        numbers.keypoints,
    )


def test_a_crop_in_another_split_is_a_copy_of_the_scene_and_stays_on_its_side():
    images = [rendered(seed) for seed in range(5)]
    crop = altered_images.altered("cropped by 10 to 20 %", images[1], 3)
    found = scene_map(as_set([*images, crop], ["train"] * 5 + ["test"]))
    assert found.copies == found.scenes == found.groups == ((1, 5),) and found.exact == ()


def test_a_mirrored_crop_of_anothers_image_is_shared():
    mine, theirs = [rendered(seed) for seed in range(4)], [rendered(seed) for seed in range(10, 14)]
    crop = altered_images.altered("cropped by 10 to 20 %", mine[2], 5)
    theirs[1] = crop.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    sets = {}
    for name, images in {"anna": mine, "bert": theirs}.items():
        numbers = image_copies.seen(iter(images))
        sets[name] = Owned(
            tuple(f"{name}{n}" for n in range(4)), lambda n=numbers: n.greys, lambda n=numbers: n.keypoints
        )
    found = shared(sets)
    assert found.pairs == {"anna": {"bert": [(2, 1)]}, "bert": {"anna": [(1, 2)]}} and not found.cut


def is_copy(one: Image.Image, other: Image.Image) -> bool:
    both = image_copies.seen(iter([one, other]))
    return is_altered(both.one(0), both.one(1), False)


@pytest.mark.parametrize("share", [0.3, 0.5])
def test_one_printed_card_in_two_places_is_no_copy(share: float):
    """Its keypoints fit one map as a copy's do; what lies around it differs."""
    card = rendered(50)
    card = card.resize((round(card.width * share), round(card.height * share)))
    places = [rendered(51), rendered(52)]
    for place, at in zip(places, ((40, 50), (150, 90)), strict=True):
        place.paste(card, at)
    assert not is_copy(*places)


def test_a_camera_that_moved_makes_another_photograph():
    """Near and far parts move differently by up to six pixels of 640: one map does not explain that."""
    image = np.asarray(rendered(60), np.float64)
    rows, columns = np.mgrid[0:480, 0:640].astype(np.float64)
    depth = 3 * np.sin(rows / 60) * np.cos(columns / 75)
    moved = np.stack(
        [map_coordinates(image[..., c], [rows, columns + depth], order=1, mode="nearest") for c in range(3)]
    )
    other = Image.fromarray(np.moveaxis(moved, 0, -1).astype(np.uint8))
    still = Image.fromarray(image.astype(np.uint8))
    assert not is_copy(still, other)
    assert is_copy(still, altered_images.encoded(still.crop((30, 20, 620, 470)), 80))


def test_images_without_detail_are_like_none():
    flat = Image.new("RGB", (640, 480), (90, 90, 90))
    assert not is_copy(flat, flat) and not is_copy(flat, rendered(1))
