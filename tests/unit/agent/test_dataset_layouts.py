"""Every layout of a student's data set is read, and what is hostile in it does no harm."""

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

from harness.agent.dataset import Unreadable, open_tree, read
from harness.agent.dataset.boxes import faults
from harness.agent.dataset.describing import described
from harness.agent.dataset.image import Box, DatasetImage, split_named

VOC = "<annotation><filename>{name}</filename><size><width>100</width><height>80</height></size>{objects}</annotation>"
OBJECT = (
    "<object><name>{label}</name>"
    "<bndbox><xmin>{0}</xmin><ymin>{1}</ymin><xmax>{2}</xmax><ymax>{3}</ymax></bndbox></object>"
)


def image(place: Path, size: tuple[int, int] = (100, 80)) -> Path:
    place.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (90, 120, 150)).save(place)
    return place


def found(folder: Path) -> dict[str, tuple[str | None, str]]:
    files = open_tree(folder, folder.parent / "scratch")
    return {str(one.file.relative_to(files.root)): (one.label, one.split) for one in read(files).images}


def test_class_folders(tmp_path: Path):
    root = tmp_path / "dataset"
    for name in ("ball/1.jpg", "ball/garden/2.JPG", "mug/1.png", "mug/.hidden.jpg", "mug/Thumbs.db"):
        image(root / name) if name.lower().endswith(("jpg", "png")) else (root / name).write_bytes(b"x")
    (root / "mug" / "link.jpg").symlink_to("/etc/passwd")
    (root / "cup").symlink_to("/etc")
    assert open_tree(root, tmp_path).odd == 2
    assert found(root) == {
        "ball/1.jpg": ("ball", ""),
        "ball/garden/2.JPG": ("ball", ""),
        "mug/1.png": ("mug", ""),
    }


def test_class_folders_below_a_wrapper_and_with_splits_below_the_class(tmp_path: Path):
    root = tmp_path / "dataset"
    for name in ("photos/ball/train/1.jpg", "photos/ball/test/2.jpg", "photos/mug/train/1.jpg"):
        image(root / name)
    assert found(root)["photos/ball/test/2.jpg"] == ("ball", "test")


@pytest.mark.parametrize("names", [("train", "val", "test"), ("Training", "validation", "Test_set")])
def test_split_folders(names: tuple[str, ...], tmp_path: Path):
    root = tmp_path / "dataset"
    for split in names:
        for label in ("ball", "mug"):
            image(root / split / label / "1.jpg")
    splits = {name.split("/")[0]: split for name, (_, split) in found(root).items()}
    assert list(map(splits.get, names)) == ["train", "val", "test"]
    assert {label for label, _ in found(root).values()} == {"ball", "mug"}


def test_a_class_called_after_a_split_is_still_a_class(tmp_path: Path):
    root = tmp_path / "dataset"
    for name in ("test/1.jpg", "tube/1.jpg"):
        image(root / name)
    assert {label for label, _ in found(root).values()} == {"test", "tube"}
    assert split_named("train_images") == "train" and split_named("trainer") is None


def test_voc_beside_the_images_and_as_camera_capture_writes_it(tmp_path: Path):
    beside, captured = tmp_path / "beside", tmp_path / "captured"
    image(beside / "train" / "a.JPG")
    (beside / "train" / "a.xml").write_text(VOC.format(name="a.jpg", objects=OBJECT.format(1, 1, 50, 50, label="ace")))
    image(captured / "JPEGImages" / "b.jpg")
    (captured / "Annotations").mkdir()
    (captured / "Annotations" / "b.xml").write_text(
        VOC.format(
            name="b.jpg", objects=OBJECT.format(1, 1, 9, 9, label="ace") + OBJECT.format(1, 1, 70, 70, label="king")
        )
    )
    (captured / "ImageSets" / "Main").mkdir(parents=True)
    (captured / "ImageSets" / "Main" / "val.txt").write_text("b\n")
    assert found(beside) == {"train/a.JPG": ("ace", "train")}
    assert found(captured) == {"JPEGImages/b.jpg": ("king", "val")}
    assert not read(open_tree(captured, tmp_path / "s")).images[0].shows_one_class


@pytest.mark.parametrize(
    "hostile",
    [
        '<!DOCTYPE a [<!ENTITY b "x"><!ENTITY c "&b;&b;&b;&b;">]><annotation>&c;</annotation>',
        '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><annotation><filename>&b;</filename></annotation>',
        "<annotation>" + "<a>" * 20000,
        "",
    ],
)
def test_a_hostile_annotation_is_a_fault_and_nothing_more(hostile: str, tmp_path: Path):
    root = tmp_path / "dataset"
    image(root / "a.jpg")
    image(root / "b.jpg")
    (root / "a.xml").write_text(hostile)
    (root / "b.xml").write_text(VOC.format(name="b.jpg", objects=OBJECT.format(1, 1, 50, 50, label="ace")))
    reading = read(open_tree(root, tmp_path / "s"))
    assert [one.label for one in reading.images] == [None, "ace"]
    assert len(reading.faults) == 1 and reading.faults[0].startswith("a.xml")


def test_coco(tmp_path: Path):
    root = tmp_path / "dataset"
    image(root / "train2017" / "1.jpg")
    image(root / "train2017" / "2.jpg")
    document = {
        "images": [
            {"id": 1, "file_name": "1.jpg", "width": 100, "height": 80},
            {"id": 2, "file_name": "../../2.jpg"},
            {"id": 3, "file_name": "/etc/passwd"},
        ],
        "annotations": [
            {"image_id": 1, "category_id": 7, "bbox": [10, 10, 40, 40]},
            {"image_id": 2, "category_id": 8, "bbox": [1, 2, "x", float("nan")]},
            {"image_id": [], "category_id": {}, "bbox": None},
        ],
        "categories": [{"id": 7, "name": "ace"}, {"id": 8, "name": "king"}, "nonsense"],
    }
    (root / "instances_train2017.json").write_text(json.dumps(document))
    reading = read(open_tree(root, tmp_path / "s"))
    assert reading.layout == "coco"
    assert [(one.label, one.split) for one in reading.images] == [("ace", "train"), ("king", "train")]
    assert [kind for kind, _ in faults(reading.images[1], (100, 80), None)] == ["not-a-number"]


def test_a_zip_is_unpacked_without_what_leads_out(tmp_path: Path):
    stream = io.BytesIO()
    Image.new("RGB", (8, 8)).save(stream, "PNG")
    place = tmp_path / "dataset.zip"
    with zipfile.ZipFile(place, "w") as archive:
        for name in ("ball/1.png", "mug/1.png", "../../out.png", "/abs.png", "C:/d.png"):
            archive.writestr(name, stream.getvalue())
        link = zipfile.ZipInfo("mug/link.png")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    files = open_tree(place, tmp_path / "scratch")
    assert [one.label for one in read(files).images] == ["ball", "mug"] and files.odd == 4
    assert not (tmp_path / "out.png").exists() and not (tmp_path.parent / "out.png").exists()


def test_a_zip_bomb_and_what_is_no_zip_are_refused(tmp_path: Path):
    bomb, page = tmp_path / "bomb.zip", tmp_path / "page.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("ball/1.png", bytes(50 * 2**20))
    page.write_text("<html>")
    for place in (bomb, page):
        with pytest.raises(Unreadable):
            open_tree(place, tmp_path / place.stem)


@pytest.mark.parametrize("kind", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
@pytest.mark.parametrize("damage", ["encrypted", "bytes", "unknown method"])
def test_whatever_is_wrong_with_a_member_the_data_set_is_unreadable(tmp_path: Path, kind: int, damage: str):
    """Each kind of compression, and each damage, raises something else."""
    place = tmp_path / "dataset.zip"
    with zipfile.ZipFile(place, "w", kind) as archive:
        archive.writestr("ball/1.png", b"not random " * 500)
    content = bytearray(place.read_bytes())
    header, listed = content.index(b"PK\x03\x04"), content.index(b"PK\x01\x02")
    if damage == "encrypted":
        content[header + 6] |= 1
        content[listed + 8] |= 1
    elif damage == "bytes":
        begins = header + 30 + len("ball/1.png")
        content[begins : begins + 30] = b"\xff" * 30
    else:
        content[header + 8 : header + 10] = content[listed + 10 : listed + 12] = b"\x62\x00"
    place.write_bytes(content)
    with pytest.raises(Unreadable, match=r"dataset\.zip cannot be unpacked"):
        open_tree(place, tmp_path / "scratch")


@pytest.mark.parametrize(
    ("box", "kind"),
    [
        ((10, 10, 40, 40), None),
        ((0, 0, 101, 81), None),
        ((40, 10, 10, 40), "empty"),
        ((10, 10, 10, 40), "empty"),
        ((10, 10, 140, 40), "outside"),
        ((-9, 10, 40, 40), "outside"),
        ((10, 10, 11, 40), "tiny"),
        ((10, float("nan"), 40, 40), "not-a-number"),
    ],
)
def test_box_faults(box: tuple[float, ...], kind: str | None, tmp_path: Path):
    one = DatasetImage(tmp_path / "a.jpg", "ace", "", (Box("ace", *box),))
    assert [name for name, _ in faults(one, (100, 80), ("ace",))] == ([kind] if kind else [])
    assert ("unlisted", "ace") in faults(one, (100, 80), ("king",))


def test_what_does_not_decode_is_nothing_and_what_does_is_described(tmp_path: Path):
    (tmp_path / "page.jpg").write_text("<html>")
    (tmp_path / "empty.jpg").write_bytes(b"")
    assert described(tmp_path / "page.jpg") is None and described(tmp_path / "empty.jpg") is None
    seen = described(image(tmp_path / "a.jpg"))
    assert seen is not None and seen.size == (100, 80) and seen.grey.shape == (128, 128)


def test_a_rotated_photograph_has_its_upright_size(tmp_path: Path):
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "Phone"
    Image.new("RGB", (100, 80)).save(tmp_path / "a.jpg", exif=exif)
    seen = described(tmp_path / "a.jpg")
    assert seen is not None and seen.size == (80, 100) and seen.camera


def test_blur_is_told_from_sharp(tmp_path: Path):
    random = np.random.default_rng(0)
    blocks = Image.fromarray(random.integers(0, 255, (15, 20, 3), dtype=np.uint8))
    sharp = blocks.resize((480, 360), Image.Resampling.NEAREST)
    sharp.save(tmp_path / "sharp.png")
    sharp.filter(ImageFilter.GaussianBlur(4)).save(tmp_path / "blurred.png")
    one, other = described(tmp_path / "sharp.png"), described(tmp_path / "blurred.png")
    assert one is not None and other is not None and one.blur < 0.5 < 0.55 < other.blur
