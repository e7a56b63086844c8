"""Keypoints: what the sandbox sends, what is made of it, and which pairs are proposed."""

import subprocess
import sys

import numpy as np
import pytest
from altered_copies import ROOT, image_copies, rendered
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from harness.agent.dataset import keypoints as in_the_agent
from harness.stages.audit import keypoints as outside
from harness.stages.audit.keypoints import affine_map, mirrored, unpacked
from harness.stages.audit.visual_words import all_words, likeliest, sampled, vocabulary


def of(image: Image.Image) -> outside.Keypoints:
    return unpacked(image_copies.seen(iter([image])).keypoints[0])


def test_both_sides_agree_on_the_shape():
    assert (in_the_agent.KEYPOINTS, in_the_agent.NUMBERS) == (outside.KEYPOINTS, outside.NUMBERS)


@pytest.mark.parametrize("size", [(640, 480), (300, 400), (48, 64)])
def test_places_are_in_pixels_of_an_image_512_long(size: tuple[int, int]):
    found = of(rendered(3, size))
    assert max(found.size) == 512
    assert found.size[0] / found.size[1] == pytest.approx(size[0] / size[1], rel=0.02)
    assert 0 < len(found.places) <= 256
    assert (found.places >= 0).all() and (found.places <= found.size).all()
    assert np.allclose(np.linalg.norm(found.descriptors, axis=1), 1, atol=1e-3)


def test_mirrored_keypoints_are_those_of_the_mirrored_image():
    image = rendered(4)
    expected, found = of(image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)), mirrored(of(image))
    map_ = affine_map(found, expected)
    assert map_ is not None and len(map_.inliers) > 0.7 * len(expected.places)
    assert np.allclose(map_.linear, np.eye(2), atol=0.01) and np.abs(map_.shift).max() < 1


def test_the_map_is_that_of_the_crop():
    image = rendered(5)
    found = affine_map(of(image), of(image.crop((64, 48, 576, 432)).resize((512, 384))))
    assert found is not None
    scale = 640 / 512  # pixels of the image in one of 512: the crop shows them unscaled
    assert np.allclose(found.linear, np.eye(2) * scale, atol=0.01)
    assert np.allclose(found.shift, (-64, -48), atol=1.5)
    assert found.aspect == pytest.approx(1, abs=0.01)


def test_other_images_have_no_map_that_many_fit():
    found = affine_map(of(rendered(6)), of(rendered(7)))
    assert found is None or len(found.inliers) < 12


@given(st.binary(min_size=64, max_size=64), st.integers(0, 2**32 - 1))
def test_any_bytes_are_keypoints(head: bytes, seed: int):
    """What a data set that took over its sandbox could send."""
    rows = np.random.default_rng(seed).integers(0, 256, (257, 132)).astype(np.uint8)
    rows[0, :64] = np.frombuffer(head, np.uint8)
    one = unpacked(rows)
    assert min(one.size) >= 1 and max(one.size) <= 512 and np.isfinite(one.descriptors).all()
    affine_map(one, mirrored(one))


def packed(count: int, seed: int) -> np.ndarray:
    rows = np.random.default_rng(seed).integers(0, 64, (count, 257, 132)).astype(np.uint8)
    return rows


def test_images_with_common_keypoints_are_proposed_and_others_are_not():
    rows = packed(200, 0)
    for source in range(20):  # every image shares a quarter of its keypoints with one far behind it
        rows[199 - source, 1:65] = rows[source, 1:65]
    words = all_words(rows, vocabulary(sampled(rows, 2**14)))
    pairs = {(i, j) for i, j, flipped in likeliest(*words, None, 2).tolist() if not flipped}
    assert {(source, 199 - source) for source in range(20)} <= pairs


def test_images_of_one_owner_are_not_proposed():
    rows = packed(40, 1)
    for source in range(4):
        rows[20 + source], rows[30 + source] = rows[source], rows[source]
    words = all_words(rows, vocabulary(sampled(rows, 2**13)))
    everyone = {(i, j) for i, j, flipped in likeliest(*words, None, 3).tolist() if not flipped}
    assert {(n, 20 + n) for n in range(4)} | {(20 + n, 30 + n) for n in range(4)} <= everyone
    owners = np.repeat([0, 1], 20)
    others = [(i, j) for i, j, _ in likeliest(*words, owners, 3).tolist()]
    assert {(n, 20 + n) for n in range(4)} <= set(others) and all(i < 20 <= j for i, j in others)


def test_a_word_that_all_images_have_stays_bounded():
    """3,000 images alike: each has at most as many partners as asked for."""
    rows = np.repeat(packed(1, 2), 3000, axis=0)
    words = all_words(rows[:10], vocabulary(sampled(rows[:10], 2**12)))
    many = [np.repeat(part[:1], 3000, axis=0) for part in words]
    assert len(likeliest(*many, None, 3)) <= 2 * 3 * 3000


def test_without_opencv_there_is_no_extractor():
    program = "import sys; sys.modules['cv2'] = None\nfrom harness.agent.dataset.keypoints import sift\nprint(sift())"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "None\n"
