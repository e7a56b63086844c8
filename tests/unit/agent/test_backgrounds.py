"""Objects before other backgrounds: what stays, what changes, and what is taken for a background."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from PIL import Image

from harness.agent.images.backgrounds import Corners, before, free_part
from harness.agent.phases import swap_backgrounds

SIZE = (320, 240)
BOX = (0.25, 0.25, 0.5, 0.75)


def noise(seed: int, size: tuple[int, int] = SIZE) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8))


def test_an_object_stays_as_it_is_and_all_far_from_it_is_the_background():
    image, behind = noise(1), Image.new("RGB", (50, 90), (10, 200, 30))
    made = np.asarray(before(image, [BOX], behind))
    assert made.shape == (240, 320, 3)
    inside = np.s_[60:180, 80:160]
    # A box's corner lies two standard deviations of the fading edge inside, both ways: 0.977^2 of it is the object.
    assert np.abs(made[inside].astype(int) - np.asarray(image)[inside]).max() <= 0.046 * 255
    assert (made[:, 200:] == (10, 200, 30)).all() and (made[:20] == (10, 200, 30)).all()


def test_its_own_background_is_changed_as_another_is_so_that_only_whose_it_is_differs():
    image, twin = noise(1), noise(1)
    own, other = (np.asarray(before(image, [BOX], behind)) for behind in (image, twin))
    assert (own == other).all()
    outside = np.s_[:, 220:]
    assert own[outside].std() < 0.5 * np.asarray(image)[outside].std(), "it is blurred"


@pytest.mark.parametrize(
    ("boxes", "size"),
    [
        ([], SIZE),
        ([(0.0, 0.2, 0.4, 0.9)], (192, 240)),  # right of it
        ([(0.5, 0.2, 0.6, 0.9), (0.8, 0.1, 0.9, 0.3)], (160, 240)),  # left of both
        ([(0.1, 0.6, 0.9, 0.9)], (320, 144)),  # above it
        ([(0.1, 0.1, 0.9, 0.4)], (320, 144)),  # below it
        ([(0.1, 0.1, 0.9, 0.9)], None),  # what is left is too small
        ([(0.0, 0.0, 0.2, 0.2), (0.85, 0.85, 1.0, 1.0)], None),
    ],
)
def test_a_background_is_the_largest_strip_without_an_object(boxes: list[Corners], size: tuple[int, int] | None):
    part = free_part(noise(2), boxes)
    assert (None if part is None else part.size) == size


class Given(dict[str, list[bytes]]):
    """A phase's lists of images."""

    def take(self, name: str) -> list[bytes]:
        return self.get(name, [])


def encoded(image: Image.Image) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


@pytest.mark.parametrize(("scenes", "source"), [([7, 7, 8, 7], "parts"), ([7, 7, 7, 7], "patterns")])
def test_no_object_is_put_before_a_background_of_its_own_scene(scenes: list[int], source: str):
    red, blue = (200, 0, 0), (0, 0, 200)
    colours = [(*red[:2], 10), (*red[:2], 20), blue, (*red[:2], 30)]
    images = Given(images=[encoded(Image.new("RGB", SIZE, colour)) for colour in colours])
    sent: dict[str, bytes] = {}
    request = {"images": images, "boxes": [[BOX]] * 4, "scenes": scenes}
    swap_backgrounds.run(request, lambda name, content: sent.update({name: content}))
    assert json.loads(sent["backgrounds.json"]) == {"source": source}
    if source == "parts":
        behind = [Image.open(io.BytesIO(sent[f"{number}-other.png"])).getpixel((2, 2)) for number in range(4)]
        assert [pixel[2] > 100 for pixel in behind] == [True, True, False, True]
