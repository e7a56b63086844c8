"""The instructor's folders of images: links, litter, 16 bits, CMYK, cut-outs, EXIF's rotation, unreadable formats."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from harness.agent.images import listing
from harness.agent.images import preprocessing as in_the_agent
from harness.agent.notebook.dataset_mounts import Given
from harness.inputs.images import folders, load, load_unseen
from harness.inputs.images.decoding import rgb, upright_rgb
from harness.inputs.images.folders import class_folders, images_in, is_image, is_litter, listed, not_used
from harness.inputs.images.laying_out import laid_out

DOUBLE = b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X        " + bytes(60)
GREYS = np.arange(0, 256, 4, dtype=np.uint16).reshape(8, 8)


def course(folder: Path) -> Path:
    for name, colour in (("ball", "red"), ("mug", "blue")):
        (folder / name).mkdir(parents=True)
        for number in range(2):
            Image.new("RGB", (12, 8), colour).save(folder / name / f"{number}.jpg")
    return folder


def litter(folder: Path) -> None:
    for name in ("__MACOSX", "@eaDir", ".hidden", "#recycle"):
        (folder / name / "ball").mkdir(parents=True)
        (folder / name / "ball" / "0.jpg").write_bytes(DOUBLE)
    for name in ("ball/._0.jpg", "ball/Thumbs.db", ".DS_Store", "mug/desktop.ini"):
        (folder / name).write_bytes(DOUBLE)


def test_litter_is_no_class_and_no_image(tmp_path: Path):
    folder = course(tmp_path / "a")
    litter(folder)
    assert {name: len(files) for name, files in class_folders(folder).items()} == {"ball": 2, "mug": 2}
    assert len(images_in(folder)) == 4 and not_used(folder) == []


def test_what_lies_as_it_should_is_not_copied(tmp_path: Path):
    folder = course(tmp_path / "a")
    Image.new("L", (9, 9), 7).save(folder / "mug" / "grey.png")
    assert laid_out(folder, tmp_path / "b").folder == folder
    assert not (tmp_path / "b").exists()


@pytest.mark.parametrize("what", ["litter", "links", "a linked class", "composed names"])
def test_a_copy_holds_class_folders_and_plain_files(tmp_path: Path, what: str):
    folder = course(tmp_path / "a")
    expected = {"ball/0.jpg", "ball/1.jpg", "mug/0.jpg", "mug/1.jpg"}
    if what == "litter":
        litter(folder)
    elif what == "links":
        (tmp_path / "elsewhere").mkdir()
        moved = (folder / "mug" / "0.jpg").rename(tmp_path / "elsewhere" / "of a colleague.jpg")
        (folder / "mug" / "0.jpg").symlink_to(moved)
    elif what == "a linked class":
        moved = (folder / "mug").rename(tmp_path / "elsewhere")
        (folder / "mug").symlink_to(moved)
    else:
        (folder / "ball").rename(folder / unicodedata.normalize("NFD", "thé"))
        expected = {name.replace("ball", "thé") for name in expected}
    made = laid_out(folder, tmp_path / "b")
    assert made.folder == tmp_path / "b" and (made.rewritten, made.left_out) == ((), ())
    found = [path for path in made.folder.rglob("*") if path.is_file()]
    assert {str(path.relative_to(made.folder)) for path in found} == expected
    assert not any(path.is_symlink() for path in made.folder.rglob("*"))
    assert (made.folder / "mug/0.jpg").read_bytes() == (folder / "mug/0.jpg").read_bytes()


def test_odd_images_are_written_anew_as_every_program_reads_them(tmp_path: Path):
    folder = course(tmp_path / "a")
    Image.fromarray(GREYS * 257).save(folder / "ball" / "16.png")
    Image.fromarray(GREYS * 257).save(folder / "ball" / "16.tif")
    cut_out = np.zeros((8, 8, 4), np.uint8)
    cut_out[:4] = (10, 200, 30, 255)
    Image.fromarray(cut_out).save(folder / "mug" / "cut-out.png")
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (20, 10)).save(folder / "mug" / "turned.jpg", exif=exif)
    Image.new("CMYK", (9, 9), (0, 255, 255, 0)).save(folder / "mug" / "print.jpeg", quality=95)
    Image.new("RGB", (9, 9), "red").save(folder / "mug" / "web.jfif", "JPEG")
    Image.new("RGB", (9, 9), "red").save(folder / "mug" / "web.avif")
    (folder / "mug" / "damaged.jpg").write_bytes(b"no image")
    made = laid_out(folder, tmp_path / "b")
    for name in ("16.png", "16-2.png"):
        with Image.open(made.folder / "ball" / name) as image:
            assert image.mode == "RGB" and np.array_equal(np.asarray(image)[..., 0], GREYS)
    with Image.open(made.folder / "mug" / "cut-out.png") as image:
        assert image.getpixel((0, 0)) == (10, 200, 30) and image.getpixel((0, 7)) == (255, 255, 255)
    with Image.open(made.folder / "mug" / "turned.jpg") as image:
        assert image.size == (10, 20) and not image.getexif()
    for name in ("print.jpg", "web.jpg", "web.png"):
        with Image.open(made.folder / "mug" / name) as image:
            assert image.mode == "RGB"
            assert np.abs(np.asarray(image, int).mean((0, 1)) - (255, 0, 0)).max() < 12, name
    assert made.left_out == (folder / "mug" / "damaged.jpg",)
    assert {file.name for file in made.rewritten} == {
        "16.png", "16.tif", "cut-out.png", "turned.jpg", "print.jpeg", "web.avif",
    }  # fmt: skip


def test_what_cannot_be_used_is_named(tmp_path: Path):
    folder = course(tmp_path / "a")
    for name in ("mug/IMG_2041.HEIC", "ball/raw.dng", "ball/no suffix", "beside.jpg", "mug/notes.txt"):
        (folder / name).write_bytes(b"x")
    (folder / "mug" / "more").mkdir()
    (folder / "mug" / "more" / "deep.png").write_bytes(b"x")
    unused = not_used(folder)
    assert unused == ["ball/no suffix", "ball/raw.dng", "beside.jpg", "mug/IMG_2041.HEIC", "mug/more/deep.png"]
    assert listed(unused[:1], folder) == "1 image (ball/no suffix)"
    assert listed(unused * 2, folder).endswith("mug/more/deep.png, ...)")


def test_a_folder_that_links_to_itself_is_read_once(tmp_path: Path):
    folder = course(tmp_path / "a")
    (folder / "mug" / "round").symlink_to(folder)
    assert len(load_unseen(folder).files) == 4


def test_held_out_images_of_16_bits_and_cut_outs_enter_as_they_look(tmp_path: Path):
    folder = course(tmp_path / "a")
    Image.fromarray(GREYS * 257).save(folder / "ball" / "scan.png")
    held_out = load(folder)
    assert len(held_out.files) == 5
    assert np.array_equal(np.asarray(upright_rgb(folder / "ball" / "scan.png"))[..., 1], GREYS)


MODES = {
    "I;16": Image.fromarray(GREYS * 257),
    "I": Image.fromarray(GREYS.astype(np.int32) * 257),
    "F": Image.fromarray(GREYS.astype(np.float32)),
    "RGBA": Image.new("RGBA", (8, 8), (9, 8, 7, 100)),
    "LA": Image.new("LA", (8, 8), (9, 100)),
    "CMYK": Image.new("CMYK", (8, 8), (9, 8, 7, 6)),
    "1": Image.new("1", (8, 8), 1),
}


@pytest.mark.parametrize("mode", list(MODES))
def test_inside_and_outside_an_image_is_the_same(mode: str):
    outside, inside = rgb(MODES[mode]), in_the_agent.rgb(MODES[mode])
    assert np.array_equal(np.asarray(outside), np.asarray(inside))


def test_inside_and_outside_the_same_names_are_images():
    assert listing.IMAGE_SUFFIXES == folders.IMAGE_SUFFIXES
    names = ["__MACOSX", "@eaDir", "Thumbs.db", "._a.jpg", "a.jpg", ".DS_Store", "desktop.ini", "mug", "Icon\r"]
    assert [listing.is_litter(name) for name in names] == [is_litter(name) for name in names]
    assert [name for name in names if is_image(name)] == ["a.jpg"]


def test_a_notebook_finds_no_litter_among_the_images(tmp_path: Path):
    folder = course(tmp_path / "images")
    litter(folder)
    here = tmp_path / "work"
    Given(folder, here, (tmp_path,)).mount("data/train")
    found = {str(path.relative_to(here)) for path in here.rglob("*") if not path.is_dir()}
    assert found == {f"data/train/{name}/{number}.jpg" for name in ("ball", "mug") for number in (0, 1)}
