"""Boxes as shares of the upright image: whatever EXIF says, they lie on what was annotated."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from harness.agent.dataset import Box, DatasetImage, Reading
from harness.agent.dataset.describing import described
from harness.agent.dataset.placed import placed
from harness.agent.dataset.sizes import upright_size
from harness.agent.ssd.examples import annotated, upright

ORIENTATION = 0x0112
AREA = (16, 8, 56, 48)  # of the stored image, 120 x 80: left, top, right, bottom


def marked(file: Path, orientation: int) -> Path:
    """A black image with a white area, of which EXIF says how it is turned."""
    pixels = np.zeros((80, 120, 3), np.uint8)
    pixels[AREA[1] : AREA[3], AREA[0] : AREA[2]] = 255
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    Image.fromarray(pixels).save(file, exif=exif)
    return file


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_box_lies_on_the_same_pixels_of_the_upright_image(tmp_path: Path, orientation: int, suffix: str):
    file = marked(tmp_path / f"a{suffix}", orientation)
    image = np.asarray(upright(file).convert("L"))
    rows, columns = (image > 127).nonzero()
    seen = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
    is_swapped = orientation > 4
    # For half turns and mirrored images the size does not tell on which the boxes were drawn: the upright one.
    drawn = DatasetImage(file, "a", "", (Box("a", *(AREA if is_swapped else seen)),), (120, 80))
    found = placed(drawn, "coco")
    assert found is not None and (found.height, found.width) == image.shape
    box = found.boxes[0]
    sides = (box.left * found.width, box.top * found.height, box.right * found.width, box.bottom * found.height)
    np.testing.assert_allclose(sides, seen, atol=1e-6)
    assert upright_size(file) == (found.width, found.height)
    seen_by_the_audit = described(file)
    assert seen_by_the_audit is not None and seen_by_the_audit.size == (found.width, found.height)
    (example,) = annotated(Reading("coco", (drawn,), ()), ("a",))
    np.testing.assert_allclose(example.boxes[0] * (example.image.size * 2), seen, atol=1e-3)


def test_boxes_that_were_drawn_on_the_upright_image_stay(tmp_path: Path):
    file = marked(tmp_path / "a.jpg", 6)
    for stated in ((80, 120), None, (999, 999)):
        found = placed(DatasetImage(file, "a", "", (Box("a", 8, 12, 40, 60),), stated), "coco")
        assert found is not None and (found.width, found.height) == (80, 120)
        assert (found.boxes[0].left, found.boxes[0].bottom) == (0.1, 0.5)


def test_what_is_left_out_is_counted(tmp_path: Path):
    file = marked(tmp_path / "a.png", 1)
    boxes = (
        Box("a", 13, 9, 61, 49, True),
        Box("a", 5, 5, float("inf"), 9),
        Box("a", 9, 9, 9, 30),
        Box("b", 130, 1, 190, 9),
    )
    found = placed(DatasetImage(file, "a", "", boxes), "voc")
    assert found is not None and (len(found.boxes), found.left_out) == (1, 3)
    assert found.boxes[0].ignored and (found.boxes[0].left, found.boxes[0].top) == (0.1, 0.1)
    many = placed(DatasetImage(file, "a", "", (Box("a", 1, 1, 9, 9),) * 1200), "voc")
    assert many is not None and (len(many.boxes), many.left_out) == (1000, 200)


def test_a_file_that_is_no_image_has_no_boxes_and_stops_no_training(tmp_path: Path):
    (tmp_path / "a.jpg").write_bytes(b"no image")
    whole = marked(tmp_path / "whole.png", 1).read_bytes()
    (tmp_path / "cut.png").write_bytes(whole[: len(whole) // 2])
    box = (Box("a", 1, 1, 50, 50),)
    broken = tuple(DatasetImage(tmp_path / name, "a", "", box) for name in ("a.jpg", "cut.png", "whole.png"))
    assert placed(broken[0], "voc") is None
    assert len(annotated(Reading("voc", broken, ()), ("a",))) == 1
