"""From where a notebook reads images, and that they are put there."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from harness.agent.notebook.dataset_mounts import Given, asked
from harness.agent.notebook.dataset_paths import Reads


@pytest.fixture
def images(tmp_path: Path) -> Path:
    folder = tmp_path / "course"
    for name in ("cat", "dog"):
        (folder / name).mkdir(parents=True)
        for number in range(20):
            (folder / name / f"{number:02}.jpg").write_bytes(b"jpeg")
    return folder


@pytest.fixture
def here(tmp_path: Path) -> Path:
    folder = tmp_path / "work" / "handin"
    folder.mkdir(parents=True)
    return folder


def reads(*sources: str) -> list[str]:
    return list(Reads(sources).folders)


def put(images: Path, here: Path, *sources: str, names: tuple[str, ...] = (), layout: str = "auto") -> Given:
    given = Given(images, here, (here.parent,))
    given.put(Reads(sources), names, layout, "data/train", "\n".join(sources))  # type: ignore[arg-type]
    return given


def found(here: Path) -> dict[str, int]:
    """Folder -> files in it."""
    counts: dict[str, int] = {}
    for file in here.rglob("*.jpg"):
        counts[str(file.parent.relative_to(here))] = counts.get(str(file.parent.relative_to(here)), 0) + 1
    return counts


@pytest.mark.parametrize(
    "source",
    [
        "ImageFolder('pets/train')\nImageFolder('pets/val')",
        "base = 'pets/'\nImageFolder(base + 'train')\nImageFolder(base + 'val')",
        "base = 'pets'\nImageFolder(os.path.join(base, 'train'))\nImageFolder(os.path.join(base, 'val'))",
        "base = Path('pets')\nImageFolder(base / 'train')\nImageFolder(base / 'val')",
        "import pathlib\nbase = pathlib.Path('pets')\nfrom_folder(base / 'train')\nload(base / 'val')\n"
        "def load(folder): return image_dataset_from_directory(folder)",
        "base = 'pets'\nsets = {x: ImageFolder(os.path.join(base, x), t[x]) for x in ['train', 'val']}",
        "dirs = {'train': 'pets/train', 'val': 'pets/val'}\nfor x in dirs: ImageFolder(dirs[x])",
        "ROOT = 'pets'\ng.flow_from_directory(f'{ROOT}/train')\ng.flow_from_directory(f'{ROOT}/val')",
        "class C:\n    root = 'pets'\nImageFolder(C.root + '/train'), ImageFolder(C.root + '/val')",
        "def load(folder):\n    return ImageFolder(folder)\nload('pets/train')\nload('pets/val')",
        "train, val = 'pets/train', 'pets/val'\nimage_dataset_from_directory(directory=train)\nImageFolder(val)",
        "glob('pets/train/*/*.jpg')\nglob('pets/val/*/*.jpg')",
        "Image.open('pets/train/cat/1.jpg')\nos.listdir('pets/val')",
    ],
)
def test_folders_are_followed_through_the_ways_to_write_them(source: str, images: Path, here: Path) -> None:
    put(images, here, source)
    assert set(found(here)) >= {"pets/train/cat", "pets/train/dog", "pets/val/cat", "pets/val/dog"}


def test_the_parts_do_not_overlap_and_none_is_empty(images: Path, here: Path) -> None:
    put(images, here, "for x in ('train', 'validation', 'test'): ImageFolder('pets/' + x)")
    parts = {
        part: {f.name for f in (here / "pets" / part / "cat").iterdir()} for part in ("train", "validation", "test")
    }
    assert sum(map(len, parts.values())) == 20 == len(set().union(*parts.values()))
    assert len(parts["train"]) == 14 and min(map(len, parts.values())) == 3


@pytest.mark.parametrize(
    ("folder", "asks"),
    [
        ("flowers/train", (("flowers",), "train")),
        ("flowers/train/cat", (("flowers",), "train")),
        ("flowers/test/10", (("flowers",), "test")),
        ("Training_Set", ((), "Training_Set")),
        ("training/course/flowers", (("training", "course", "flowers"), "")),
        ("flowers/cat", (("flowers",), "")),
    ],
)
def test_a_part_is_told_by_its_name(folder: str, asks: tuple[tuple[str, ...], str]) -> None:
    found = asked(folder, ["cat", "dog"])
    assert (found.base, found.word) == asks


def test_a_folder_that_is_only_looked_into_gets_no_images_of_its_own(images: Path, here: Path) -> None:
    put(images, here, "os.listdir('data')\nos.listdir('data/pets')\nImageFolder('data/pets')")
    assert set(found(here)) == {"data/pets/cat", "data/pets/dog"}


def test_a_folder_without_parts_gets_all_images(images: Path, here: Path) -> None:
    given = put(images, here, "dataset = datasets.ImageFolder('dataset', t)")
    assert found(here) == {"dataset/cat": 20, "dataset/dog": 20}
    assert list(given.said) == ["dataset: 40 images"]


def test_a_image_can_be_moved_and_removed(images: Path, here: Path) -> None:
    put(images, here, "ImageFolder('dataset')")
    (here / "dataset" / "cat" / "00.jpg").unlink()
    assert (images / "cat" / "00.jpg").is_file()


def test_what_was_handed_in_stays(images: Path, here: Path) -> None:
    (here / "pets" / "mug").mkdir(parents=True)
    (here / "pets" / "mug" / "own.jpg").write_bytes(b"own")
    put(images, here, "ImageFolder('pets')")
    assert found(here) == {"pets/mug": 1}


def test_an_archive_that_was_handed_in_brings_its_own_images(images: Path, here: Path) -> None:
    with zipfile.ZipFile(here / "own.zip", "w") as archive:
        archive.writestr("pets/mug/1.jpg", b"own")
    put(images, here, "shutil.unpack_archive('own.zip')\nImageFolder('pets')")
    assert found(here) == {}


def test_a_file_in_the_way_stops_nothing(images: Path, here: Path) -> None:
    (here / "pets").write_text("a file")
    (here / "data").write_text("another")
    given = put(images, here, "ImageFolder('pets/train')\nImageFolder('a\\0b/train')\nImageFolder('cats')")
    given.mount("data/train")
    assert set(found(here)) == {"cats/cat", "cats/dog", "data/train/cat", "data/train/dog"}


def test_what_the_notebook_makes_itself_is_not_made_for_it(images: Path, here: Path) -> None:
    put(images, here, "os.makedirs('small/train')\nImageFolder('small/train')")
    assert not (here / "small").exists()


@pytest.mark.parametrize("source", ["os.listdir('models')", "open('notes.txt')", "ImageFolder('/etc')", "x = 'a/b'"])
def test_nothing_is_put_where_no_images_are_looked_for(source: str, images: Path, here: Path) -> None:
    put(images, here, source)
    assert found(here) == {}


def test_a_name_of_the_assignment_is_given_when_the_notebook_mentions_it(images: Path, here: Path) -> None:
    put(images, here, "something(unknown() + 'objects')", names=("my/objects", "never/mentioned"))
    assert found(here) == {"my/objects/cat": 20, "my/objects/dog": 20}


@pytest.mark.parametrize(
    ("layout", "folders"),
    [
        ("classes", {"pets/cat", "pets/dog"}),
        ("split", {"pets/train/cat", "pets/train/dog", "pets/validation/cat", "pets/validation/dog"}),
        ("flat", {"pets"}),
    ],
)
def test_the_assignment_says_how_the_images_lie(layout: str, folders: set[str], images: Path, here: Path) -> None:
    put(images, here, "read('pets')", names=("pets",), layout=layout)
    assert set(found(here)) == folders


def test_an_archive_holds_the_images_or_says_that_they_are_in_place(images: Path, here: Path) -> None:
    put(images, here, "zipfile.ZipFile('photos.zip').extractall('.')")
    assert len([n for n in zipfile.ZipFile(here / "photos.zip").namelist() if n.endswith(".jpg")]) == 40
    put(images, here, "zipfile.ZipFile('pets.zip').extractall('pets')\nImageFolder('pets')")
    assert not [n for n in zipfile.ZipFile(here / "pets.zip").namelist() if n.endswith(".jpg")]
    assert found(here) == {"pets/cat": 20, "pets/dog": 20}


def test_nothing_is_made_outside_the_sandboxs_folders(images: Path, here: Path, tmp_path: Path) -> None:
    put(images, here, "ImageFolder('../../../elsewhere/train')\nImageFolder('../data/train')")
    assert not (tmp_path.parent / "elsewhere").exists()
    assert (here.parent / "data" / "train" / "cat").is_dir()
