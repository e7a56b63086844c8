"""A data set with boxes lies where a notebook looks for it, with its annotations and lists."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from harness.agent.notebook.dataset_paths import Reads
from harness.agent.notebook.tree_mounts import GivenTree

FILES = ("Annotations/1.xml", "JPEGImages/1.jpg", "ImageSets/Main/train.txt", "labels.txt", ".DS_Store")


@pytest.fixture
def given(tmp_path: Path) -> GivenTree:
    for name in FILES:
        (tmp_path / "course" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "course" / name).write_text(name)
    (tmp_path / "work" / "nb").mkdir(parents=True)
    return GivenTree(tmp_path / "course", tmp_path / "work" / "nb", (tmp_path / "work",))


def put(given: GivenTree, source: str, *names: str) -> None:
    given.mount("data/train")
    given.put(Reads((source,)), names, "data/train", source)


def files(folder: Path) -> set[str]:
    return {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()}


def test_it_lies_as_it_is_in_real_folders(tmp_path: Path, given: GivenTree):
    here = tmp_path / "work" / "nb"
    (here / "data" / "train").mkdir(parents=True)
    (here / "data" / "train" / "own.jpg").write_text("handed in")
    put(given, "")
    assert files(here / "data" / "train") == set(FILES) - {".DS_Store"}
    assert not (here / "data" / "train" / "Annotations").is_symlink()
    assert list(given.said) == ["data/train: 1 image"]


@pytest.mark.parametrize(
    "source",
    [
        'import os\nfor name in os.listdir("cards/JPEGImages"): print(name)',
        'import os\nroot = "cards"\nos.listdir(os.path.join(root, "ImageSets", "Main"))',
        'from pathlib import Path\nPath("cards/JPEGImages").glob("*.jpg")',
    ],
)
def test_a_place_is_known_by_the_folder_in_it_that_a_notebook_reads(tmp_path: Path, given: GivenTree, source: str):
    put(given, source)
    assert files(tmp_path / "work" / "nb" / "cards") == set(FILES) - {".DS_Store"}


def test_a_name_of_the_assignment_is_filled_where_the_notebook_has_it(tmp_path: Path, given: GivenTree):
    put(given, 'voc = "/home/nvidia/cards"', "cards", "plates")
    here = tmp_path / "work" / "nb"
    assert "labels.txt" in files(here / "cards") and not (here / "plates").exists()


def test_what_was_handed_in_stays_and_nothing_is_made_outside(tmp_path: Path, given: GivenTree):
    here = tmp_path / "work" / "nb"
    (here / "cards" / "Annotations").mkdir(parents=True)
    (here / "cards" / "Annotations" / "own.xml").write_text("own")
    put(given, 'import os\nos.listdir("cards/JPEGImages")\nos.listdir("../../outside/JPEGImages")', "../../../x")
    assert files(here / "cards") == {"Annotations/own.xml"}
    assert {path.name for path in tmp_path.iterdir()} == {"course", "work"}


@pytest.mark.parametrize("name", ["cards.zip", "cards.tar.gz"])
def test_an_archive_that_it_unpacks_holds_the_data_set_as_it_lies(name: str, tmp_path: Path, given: GivenTree):
    put(given, f"import shutil\nshutil.unpack_archive('{name}', 'sets')\n!python train_ssd.py --data=sets/cards", name)
    shutil.unpack_archive(tmp_path / "work" / "nb" / name, tmp_path / "out")
    assert files(tmp_path / "out" / "cards") == {*FILES, "IMAGES.txt"} - {".DS_Store"}


def test_an_archive_holds_a_note_alone_where_the_data_set_lies_already(tmp_path: Path, given: GivenTree):
    put(given, "!unzip -q cards.zip\nimport os\nos.listdir('cards/JPEGImages')", "cards.zip")
    shutil.unpack_archive(tmp_path / "work" / "nb" / "cards.zip", tmp_path / "out")
    assert files(tmp_path / "out" / "cards") == {"IMAGES.txt"}


def test_an_archive_that_was_handed_in_stays_and_nothing_is_put_where_it_goes(tmp_path: Path, given: GivenTree):
    here = tmp_path / "work" / "nb"
    (here / "cards.zip").write_bytes(b"own")
    put(given, "import shutil, os\nshutil.unpack_archive('cards.zip', '.')\nos.listdir('cards/JPEGImages')")
    assert (here / "cards.zip").read_bytes() == b"own" and not (here / "cards").exists()
