"""Held-out images enter a sandbox under random names, upright, and without metadata."""

from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from harness.errors import AssignmentError
from harness.inputs.images import load, load_unseen, stage


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for label, colour in (("ball", "red"), ("mug", "blue")):
        (tmp_path / "heldout" / label).mkdir(parents=True)
        for number in range(4):
            image = Image.new("RGB", (20 + number, 10), colour)
            exif = Image.Exif()
            exif[0x0112] = 6  # orientation: the camera was held upright
            exif[0x010E] = f"a {label}"  # description
            image.save(tmp_path / "heldout" / label / f"{label}{number}.jpg", exif=exif)
    return tmp_path / "heldout"


def test_names_say_nothing_and_the_order_of_names_is_not_the_order_of_the_set(folder: Path, tmp_path: Path):
    held_out = load(folder)
    orders = set()
    for run in range(8):
        staged = stage(held_out, tmp_path / f"staged{run}")
        assert not any("ball" in name or "mug" in name for name in staged.names)
        orders.add(tuple(sorted(range(len(staged.names)), key=staged.names.__getitem__)))
    assert len(orders) > 1


def test_images_are_upright_and_carry_no_metadata(folder: Path, tmp_path: Path):
    staged = stage(load(folder), tmp_path / "staged")
    for index, file in enumerate(staged.files()):
        with Image.open(file) as image:
            assert image.size == (10, 20 + index % 4)
            assert not image.getexif() and not image.info
        assert file.stat().st_mtime == 0
        assert b"mug" not in file.read_bytes()


def test_labels_follow_the_order_of_the_set(folder: Path):
    held_out = load(folder)
    assert held_out.classes == ("ball", "mug")
    assert [held_out.classes[t] for t in held_out.truth] == [f.parent.name for f in held_out.files]


def test_every_image_that_does_not_decode_is_named(folder: Path, tmp_path: Path):
    (folder / "mug" / "broken.jpg").write_bytes(b"<html>")
    (folder / "ball" / "cut.jpg").write_bytes((folder / "ball" / "ball0.jpg").read_bytes()[:200])
    with pytest.raises(AssignmentError) as caught:
        stage(load(folder), tmp_path / "staged").files()
    assert "broken.jpg" in caught.value.message and "cut.jpg" in caught.value.message


def test_the_hash_is_of_contents_and_labels(folder: Path):
    before = load(folder).sha256
    (folder / "mug" / "mug0.jpg").rename(folder / "mug" / "mug00.jpg")
    assert load(folder).sha256 == before
    (folder / "mug" / "mug1.jpg").rename(folder / "ball" / "mug1.jpg")
    assert load(folder).sha256 != before


def test_a_class_folder_without_images_is_refused(folder: Path):
    (folder / "lamp").mkdir()
    with pytest.raises(AssignmentError, match="no images of lamp"):
        load(folder)


def test_scenes_are_a_part_of_the_sets_identity(folder: Path):
    held_out = load(folder)
    assert held_out.key() != replace(held_out, scenes=(0, 0, 2, 3, 4, 5, 6, 7)).key()


def test_no_image_is_written_before_one_is_asked_for(folder: Path, tmp_path: Path):
    staged = stage(load(folder), tmp_path / "staged")
    assert not list((tmp_path / "staged").iterdir())
    [only] = staged.files((2,))
    assert only.is_file()
    first = {file: file.stat().st_ino for file in staged.files()}
    assert first == {file: file.stat().st_ino for file in staged.files()}  # and not written twice


def test_an_image_that_changed_since_its_hash_is_never_staged(folder: Path, tmp_path: Path):
    """What is found is kept under the hash, and would stand for the old image in all later runs."""
    held_out = load(folder)
    (folder / "mug" / "mug0.jpg").write_bytes((folder / "mug" / "mug1.jpg").read_bytes())
    (folder / "ball" / "ball2.jpg").unlink()
    with pytest.raises(AssignmentError, match="changed while the run went on") as caught:
        stage(held_out, tmp_path / "staged").files()
    assert "mug0.jpg: another image" in caught.value.message and "ball2.jpg: it is gone" in caught.value.message
    assert "mug1.jpg" not in caught.value.message and caught.value.do == "run the same command again"
    assert len(stage(load(folder), tmp_path / "again").files()) == 7


def test_an_unseen_image_that_changed_is_not_staged_either(folder: Path, tmp_path: Path):
    unseen = load_unseen(folder)
    (folder / "mug" / "mug0.jpg").write_bytes((folder / "mug" / "mug1.jpg").read_bytes())
    with pytest.raises(AssignmentError, match="changed while the run went on"):
        stage(unseen, tmp_path / "staged").files()
