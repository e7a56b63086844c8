"""Pre-processing: the same numbers as torchvision's and Keras', and images of every kind."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from harness.agent.images.preprocessing import Rule, UnreadableImage, batch, model_input, pixels
from harness.agent.models.preprocessing_defaults import alternatives, assumed
from harness.agent.torchvision_ops import declare_missing

declare_missing()

IMAGENET = assumed("torchvision-imagenet", 224, 224)


def write(folder: Path, size: tuple[int, int], seed: int = 0, **options: object) -> Path:
    coarse = np.random.default_rng(seed).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    file = folder / "image.png"
    Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC).save(file, **options)  # type: ignore[arg-type]
    return file


@pytest.mark.parametrize("size", [(300, 200), (200, 300), (224, 224), (1024, 333), (61, 40), (257, 256)])
def test_shorter_side_crop_is_torchvisions(size: tuple[int, int], tmp_path: Path) -> None:
    from torchvision import transforms

    file = write(tmp_path, size)
    theirs = transforms.Compose(
        [
            transforms.Resize(256),
            transforms.CenterCrop(224),
            transforms.ToTensor(),
            transforms.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
        ]
    )(Image.open(file).convert("RGB"))
    ours = batch([file], IMAGENET, "NCHW", "float32")[0]
    assert ours.dtype == np.float32 and ours.shape == (3, 224, 224)
    assert np.abs(ours - theirs.numpy()).max() <= 1e-5


def test_stretch_is_torchvisions(tmp_path: Path) -> None:
    from torchvision import transforms

    file = write(tmp_path, (310, 190))
    theirs = transforms.Resize((96, 128))(Image.open(file).convert("RGB"))
    rule = Rule(128, 96, "RGB", 1.0, (0, 0, 0), (1, 1, 1), "stretch")
    assert np.array_equal(batch([file], rule, "NHWC", "float32")[0], np.asarray(theirs, np.float32))


def test_keras_caffe_style_swaps_the_colours_and_subtracts_the_means() -> None:
    one = np.zeros((1, 1, 3), np.uint8)
    one[...] = (10, 20, 30)
    rule = assumed("keras-vgg16-caffe", 8, 8)
    assert np.allclose(model_input(one, rule, "NHWC", "float32")[0, 0], (30 - 103.939, 20 - 116.779, 10 - 123.68))


def test_a_uint8_model_gets_the_pixels_themselves() -> None:
    one = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    assert np.array_equal(model_input(one, IMAGENET, "NHWC", "uint8"), one)


def test_a_image_is_turned_upright_by_its_exif(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # taken with the camera on its side
    image = Image.new("RGB", (40, 20), "black")
    image.paste("white", (0, 0, 20, 20))
    image.save(tmp_path / "turned.png", exif=exif)
    rule = Rule(20, 40, "RGB", 1.0, (0, 0, 0), (1, 1, 1), "stretch")
    upright = pixels(tmp_path / "turned.png", rule)
    assert upright[5, 10, 0] > 200 and upright[35, 10, 0] < 50


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA", "P", "CMYK", "I;16", "1"])
def test_every_kind_of_image_becomes_rgb(mode: str, tmp_path: Path) -> None:
    file = tmp_path / ("image.tif" if mode in ("CMYK", "I;16") else "image.png")
    if mode == "I;16":
        Image.fromarray(np.full((20, 20), 40_000, np.uint16)).save(file)
    else:
        Image.new("RGB", (20, 20), (200, 200, 200)).convert(mode).save(file)
    rule = Rule(16, 16, "RGB", 1.0, (0, 0, 0), (1, 1, 1), "stretch")
    assert pixels(file, rule).shape == (16, 16, 3)
    if mode == "I;16":
        assert abs(int(pixels(file, rule)[8, 8, 0]) - 156) <= 1


@pytest.mark.parametrize("content", [b"", b"no image", b"\x89PNG\r\n\x1a\n" + b"\0" * 50])
def test_a_file_that_is_no_image_says_so(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.png").write_bytes(content)
    with pytest.raises(UnreadableImage, match=r"x\.png"):
        pixels(tmp_path / "x.png", IMAGENET)


def test_a_truncated_image_says_so(tmp_path: Path) -> None:
    file = write(tmp_path, (300, 200))
    file.write_bytes(file.read_bytes()[:2000])
    with pytest.raises(UnreadableImage):
        pixels(file, IMAGENET)


def test_alternatives_leave_out_what_was_declared() -> None:
    others = alternatives(IMAGENET)
    assert set(others) == {
        "zero-one",
        "minus-one-one",
        "raw-0-255",
        "keras-vgg16-caffe",
        "colours-swapped",
    }
    assert all(rule.resize == IMAGENET.resize for rule in others.values())
    assert others["colours-swapped"].mean == IMAGENET.mean[::-1]


def test_an_equal_rule_in_other_words_is_no_alternative() -> None:
    same = Rule(224, 224, "RGB", 1.0, (127.5,) * 3, (127.5,) * 3, "stretch")  # (pixel - 127.5) / 127.5
    assert "minus-one-one" not in alternatives(same)
