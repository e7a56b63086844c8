"""What a rerun sees: the rest of the data set in its own layout, all of it written anew."""

import csv
import io
import json
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from rewriting import BOX, handed_in, noise, notebook, photograph, psnr, there, written

from harness.agent.rerun import pixels
from harness.inputs.assignment.sections import OwnDataset

LABELS = {f"{name}/{n}.jpg": name for name in ("ball", "mug") for n in range(4)}
GONE = ("ball/3.jpg", "mug/3.jpg")
REST = [name for name in LABELS if name not in GONE]


def images(labels: dict[str, str]) -> list[str]:
    return [f"dataset/{name}" for name in labels]


def test_class_folders_keep_their_names_and_their_rest(tmp_path: Path):
    root = handed_in(tmp_path / "in", images(LABELS), {"model.h5": b"weights", "dataset/cache.npy": b"\x93NUMPY"})
    found = written(root, LABELS, GONE, tmp_path / "out")
    assert there(tmp_path / "out") == {"notebook.ipynb", *(f"dataset/{name}" for name in REST)}
    trained_on = sorted(str(f.relative_to(tmp_path / "out/train")) for f in (tmp_path / "out/train").rglob("*.jpg"))
    assert [name.split("/")[0] for name in trained_on] == ["ball"] * 3 + ["mug"] * 3
    assert found.rerun is not None and found.rerun.model is None and found.rerun.root == tmp_path / "out" / "rerun"
    assert [finding.code for finding in found.findings] == ["rerun-files-left-out"]
    assert "cache.npy" in found.findings[0].message and "3.jpg" not in found.findings[0].message


def test_images_look_as_before_and_share_no_byte_of_their_files(tmp_path: Path):
    formats = ("jpg", "jpeg", "png", "bmp", "webp", "gif", "tif")
    labels = {f"mug/{n}.{suffix}": "mug" for n, suffix in enumerate(formats)}
    root = handed_in(tmp_path / "in", images(labels), {})
    written(root, labels, (), tmp_path / "out")
    for name in labels:
        one, other = root / "dataset" / name, tmp_path / "out/rerun/dataset" / name
        with Image.open(one) as before, Image.open(other) as after:
            assert (after.format, after.size) == (before.format, before.size)
            # an enlargement by a hundredth or two and a second JPEG; a GIF has its own 256 colours
            assert psnr(before.convert("RGB"), after.convert("RGB")) > 24, name
        assert one.read_bytes()[-64:] not in other.read_bytes()


def test_a_lossless_image_loses_its_lowest_bits(tmp_path: Path):
    root = handed_in(tmp_path / "in", ["dataset/mug/1.png"], {})
    file = root / "dataset/mug/1.png"
    before = np.asarray(photograph((256, 192)), np.uint8) & 0xFE | np.random.default_rng(1).integers(
        0, 2, (192, 256, 3)
    )
    Image.fromarray(before.astype(np.uint8)).save(file)
    written(root, {"mug/1.png": "mug"}, (), tmp_path / "out")
    after = np.asarray(Image.open(tmp_path / "out/rerun/dataset/mug/1.png"))
    assert abs(float(((before & 1) == (after & 1)).mean()) - 0.5) < 0.02


def test_one_store_shifts_always_alike_and_another_one_otherwise(tmp_path: Path):
    """So a second run trains on the same pixels, and nobody can foresee them at home."""
    root = handed_in(tmp_path / "in", images(LABELS), {})
    for place in ("one", "two"):
        written(root, LABELS, GONE, tmp_path / place)
    file = "rerun/dataset/mug/1.jpg"
    assert (tmp_path / "one" / file).read_bytes() != (tmp_path / "two" / file).read_bytes()
    key = (tmp_path / "one/store/rewriting-key").read_bytes()
    assert len(key) == 32 and (tmp_path / "one/store/rewriting-key").stat().st_mode & 0o077 == 0
    (tmp_path / "three/store").mkdir(parents=True)
    (tmp_path / "three/store/rewriting-key").write_bytes(key)
    written(root, LABELS, GONE, tmp_path / "three")
    assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "three" / file).read_bytes()


def test_large_images_become_as_large_as_the_withheld_ones_and_turned_ones_upright(tmp_path: Path):
    root = handed_in(tmp_path / "in", [], {})
    (root / "dataset/mug").mkdir(parents=True)
    turned = Image.Exif()
    turned[0x0112] = 6
    photograph((1600, 1200)).save(root / "dataset/mug/1.jpg", exif=turned)
    written(root, {"mug/1.jpg": "mug"}, (), tmp_path / "out")
    with Image.open(tmp_path / "out/rerun/dataset/mug/1.jpg") as after:
        assert after.size == (768, 1024) and not after.getexif()


def test_voc_boxes_follow_their_images(tmp_path: Path):
    labels = {f"train/{n}.jpg": "ace" for n in range(4)}
    files = {f"dataset/train/{n}.xml": BOX.format(name=f"{n}.jpg", label="ace", extra="") for n in range(4)}
    files["dataset/labels.txt"] = "BACKGROUND\nace\nno class of ours\n"
    files["dataset/ImageSets/Main/train.txt"] = "".join(f"{n}\n" for n in (3, 1, 0, 2))
    root = handed_in(tmp_path / "in", images(labels), files)
    found = written(root, labels, ["train/2.jpg"], tmp_path / "out")
    place = tmp_path / "out/rerun/dataset"
    assert sorted(f.name for f in (place / "train").iterdir()) == sorted(
        f"{n}.{kind}" for n in (0, 1, 3) for kind in ("jpg", "xml")
    )
    import xml.etree.ElementTree as ElementTree

    box = ElementTree.parse(place / "train/1.xml").getroot().find("object/bndbox")
    assert box is not None
    for side, before in (("xmin", 20), ("ymin", 10), ("xmax", 60), ("ymax", 50)):
        assert abs(int(box.findtext(side) or "") - before) <= 3
    assert (place / "labels.txt").read_text() == "BACKGROUND\nace\n"
    assert (place / "ImageSets/Main/train.txt").read_text() == "0\n1\n3\n", "its order said something"
    assert not found.findings


def test_coco_and_tables_hold_what_is_understood(tmp_path: Path):
    labels = {f"{n}.jpg": "ace" if n % 2 else "king" for n in range(4)}
    document = {
        "info": {"hidden": "SMUGGLED"},
        "images": [{"id": f"i{n}", "file_name": f"{n}.jpg", "width": 96, "x": "SMUGGLED"} for n in range(4)],
        "annotations": [
            {"image_id": f"i{n}", "category_id": 1 + n % 2, "bbox": [8, 8, 40, 30], "segmentation": [[9] * 99]}
            for n in range(4)
        ],
        "categories": [{"id": 1, "name": "king"}, {"id": 2, "name": "ace"}],
    }  # fmt: skip
    rows = "".join(f"{n}.jpg,96,72,{labels[f'{n}.jpg']},8,8,48,38,SMUGGLED\n" for n in range(4))
    table = f"filename,width,height,class,xmin,ymin,xmax,ymax,note\n{rows}"
    files = {"dataset/_annotations.coco.json": json.dumps(document), "dataset/train_labels.csv": table}
    root = handed_in(tmp_path / "in", images(labels), files)
    written(root, labels, ["2.jpg"], tmp_path / "out")
    place = tmp_path / "out/rerun/dataset"
    coco = json.loads((place / "_annotations.coco.json").read_text())
    assert [(one["id"], one["file_name"]) for one in coco["images"]] == [(1, "0.jpg"), (2, "1.jpg"), (3, "3.jpg")]
    assert [one["category_id"] for one in coco["annotations"]] == [1, 2, 2]
    assert {one["id"]: one["name"] for one in coco["categories"]} == {1: "king", 2: "ace"}
    found = list(csv.DictReader(io.StringIO((place / "train_labels.csv").read_text())))
    assert [row["filename"] for row in found] == ["0.jpg", "1.jpg", "3.jpg"]
    assert list(found[0]) == ["filename", "width", "height", "class", "xmin", "ymin", "xmax", "ymax"]
    assert [row["class"] for row in found] == ["king", "ace", "ace"]
    assert "SMUGGLED" not in (place / "_annotations.coco.json").read_text() + (place / "train_labels.csv").read_text()


def test_a_zip_stays_a_zip_and_lies_unpacked_beside(tmp_path: Path):
    root = handed_in(tmp_path / "in", images(LABELS), {})
    with zipfile.ZipFile(root / "dataset.zip", "w") as archive:
        for name in LABELS:
            archive.write(root / "dataset" / name, name)
        archive.writestr("../../out.jpg", b"x")
        archive.comment = b"SMUGGLED"
    written(root, LABELS, GONE, tmp_path / "out", dataset="dataset.zip")
    with zipfile.ZipFile(tmp_path / "out/rerun/dataset.zip") as archive:
        assert archive.namelist() == sorted(REST) and not archive.comment
        assert all(member.date_time[0] == 1980 and not member.extra for member in archive.infolist())
    assert there(tmp_path / "out") == {"notebook.ipynb", "dataset.zip", *(f"dataset/{name}" for name in REST)}


def test_a_folder_with_nothing_but_a_zip_stays_one(tmp_path: Path):
    root = handed_in(tmp_path / "in", images(LABELS), {})
    (root / "zipped").mkdir()
    with zipfile.ZipFile(root / "zipped/photos.zip", "w") as archive:
        for name in LABELS:
            archive.write(root / "dataset" / name, name)
    written(root, LABELS, GONE, tmp_path / "out", dataset="zipped")
    assert "zipped/photos.zip" in there(tmp_path / "out") and f"zipped/{REST[0]}" in there(tmp_path / "out")


def test_of_two_images_with_one_path_the_one_that_was_audited_stays(tmp_path: Path):
    root = handed_in(tmp_path / "in", [], {})
    image = io.BytesIO()
    photograph().save(image, "JPEG")
    other = io.BytesIO()
    Image.new("RGB", (96, 72), "red").save(other, "JPEG")
    with zipfile.ZipFile(root / "dataset.zip", "w") as archive:
        for name, content in (("mug/a.jpg", image), ("mug\\a.jpg", other), ("./mug/a.jpg", other)):
            archive.writestr(name, content.getvalue())
    written(root, {"mug/a.jpg": "mug"}, (), tmp_path / "out", dataset="dataset.zip")
    with Image.open(tmp_path / "out/rerun/dataset/mug/a.jpg") as after:
        assert psnr(photograph(), after.convert("RGB")) > 24


@pytest.mark.parametrize(
    "names", ["IMG_20231104_{n:06}.jpg", "{n:04}.jpg", "IMG-20231104-WA{n:04}.jpg", "mug ({n}).JPG"]
)
def test_names_of_cameras_are_kept(tmp_path: Path, names: str):
    labels = {"mug/" + names.format(n=n * 37 + 1000): "mug" for n in range(60)}
    root = handed_in(tmp_path / "in", images(labels), {})
    written(root, labels, (), tmp_path / "out")
    assert there(tmp_path / "out") == {"notebook.ipynb", *images(labels)}


def test_names_that_carry_data_become_numbers_but_those_in_the_notebook_stay(tmp_path: Path):
    labels = {f"mug/{os.urandom(16).hex()}.jpg": "mug" for _ in range(60)}
    shown = sorted(labels)[7]
    files = {
        "notebook.ipynb": notebook(f"open('dataset/{shown}', 'rb')"),
        "dataset/list.txt": "".join(f"{name} 0\n" for name in sorted(labels)),
    }
    root = handed_in(tmp_path / "in", images(labels), files)
    found = written(root, labels, (), tmp_path / "out")
    kept = there(tmp_path / "out") - {"notebook.ipynb", "dataset/list.txt"}
    assert f"dataset/{shown}" in kept and len(kept) == 60
    assert kept - {f"dataset/{shown}"} == {f"dataset/mug/{n:05}.jpg" for n in range(1, 61) if n != 8}
    listed = (tmp_path / "out/rerun/dataset/list.txt").read_text().splitlines()
    assert {f"dataset/{line.split()[0]}" for line in listed} == kept
    assert "rerun-names-replaced" in {finding.code for finding in found.findings}


def test_a_class_keeps_its_folder_when_all_its_images_of_a_split_are_withheld(tmp_path: Path):
    labels = {f"{split}/{name}/{n}.jpg": name for split in ("train", "val") for name in ("ball", "mug") for n in "01"}
    root = handed_in(tmp_path / "in", images(labels), {})
    written(root, labels, ["val/ball/0.jpg", "val/ball/1.jpg"], tmp_path / "out")
    folders = [path.name for path in sorted((tmp_path / "out/rerun/dataset/val").iterdir())]
    assert folders == ["ball", "mug"]


def test_the_students_own_test_part_is_not_trained_on(tmp_path: Path):
    root = handed_in(tmp_path / "in", images(LABELS), {})
    written(root, LABELS, GONE, tmp_path / "out", own_test=("mug/0.jpg",))
    assert "dataset/mug/0.jpg" in there(tmp_path / "out")
    assert len(list((tmp_path / "out/train/mug").iterdir())) == 2


def test_allowed_files_are_text_and_counted(tmp_path: Path):
    files = {
        "helper.py": "def f():\n    return 1\n",
        "words.txt": "some words\r\n",
        "weights.bin": b"\xff\xfe\x00" * 99,
    }
    root = handed_in(tmp_path / "in", images(LABELS), files)
    asked = OwnDataset(allowed_files=("helper.py", "words.txt", "weights.bin", "../secret", "/etc/passwd"))
    found = written(root, LABELS, GONE, tmp_path / "out", asked=asked)
    assert {"helper.py", "words.txt"} <= there(tmp_path / "out") and "weights.bin" not in there(tmp_path / "out")
    assert (tmp_path / "out/rerun/words.txt").read_bytes() == b"some words\n"
    assert [finding.code for finding in found.findings] == ["rerun-files-left-out"]
    assert "weights.bin" in found.findings[0].message


def test_a_class_name_leads_nowhere(tmp_path: Path):
    files = {"dataset/a.xml": BOX.format(name="a.jpg", label="../../ace", extra="")}
    root = handed_in(tmp_path / "in", ["dataset/a.jpg"], files)
    written(root, {"a.jpg": "../../ace"}, (), tmp_path / "out")
    assert [path.name for path in (tmp_path / "out/train").iterdir()] == ["_.._ace"]


def test_photographs_are_smooth_and_data_is_not():
    """Dots and blocks of every size up to a thirtieth of the image, in grey or colour, on a part of it only."""
    random = np.random.default_rng(3)
    assert max(pixels.data_share(photograph((320, 240), seed)) for seed in range(5)) < 0.05
    assert pixels.data_share(noise((320, 240))) > 0.5
    for block in (1, 2, 3, 4, 5, 6, 8):
        bits = random.integers(0, 2, (240 // block + 1, 320 // block + 1), dtype=np.uint8) * 255
        shown = Image.fromarray(bits.repeat(block, 0).repeat(block, 1)[:240, :320])
        assert pixels.data_share(shown) > 0.5, block
        half = photograph((320, 240))
        half.paste(shown.crop((0, 0, 320, 120)), (0, 0))
        assert pixels.data_share(half) > 0.2, block
    colours = random.integers(0, 2, (60, 80), dtype=np.uint8).repeat(4, 0).repeat(4, 1)
    equal = np.where(colours[..., None] == 1, (200, 60, 200), (40, 158, 40)).astype(np.uint8)
    assert pixels.data_share(Image.fromarray(equal)) > 0.5, "of one brightness"
