"""Which model is taken of what a notebook wrote."""

import os
import time
import zipfile
from pathlib import Path

import pytest

from harness.agent.notebook.produced import produced


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path, Path]:
    """The folder in which the notebook ran, the hand-in, and a folder to pack in."""
    folders = (tmp_path / "work", tmp_path / "handed-in", tmp_path / "scratch")
    for folder in folders:
        folder.mkdir()
    return folders


def write(file: Path, content: str = "x") -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content)
    return file


def found(places: tuple[Path, Path, Path], started_ns: int = 0) -> dict[str, Path]:
    work, handed_in, scratch = places
    return produced(work, handed_in, started_ns, work, scratch)


def test_a_folder_that_tensorflow_saved_is_one_zip_of_its_plain_files(places: tuple[Path, Path, Path]):
    work = places[0]
    write(work / "export/1/saved_model.pb", "graph")
    write(work / "export/1/variables/variables.index", "index")
    write(work / "labels.txt", "cat\ndog")
    secret = write(places[1].parent / "secret")
    (work / "export/1/assets").symlink_to(secret)
    os.mkfifo(work / "export/1/variables/pipe")
    sent = found(places)
    assert set(sent) == {"saved_model.zip", "labels.txt"}
    with zipfile.ZipFile(sent["saved_model.zip"]) as archive:
        assert sorted(archive.namelist()) == ["saved_model.pb", "variables/variables.index"]
        assert archive.read("saved_model.pb") == b"graph"


def test_a_file_of_a_model_comes_before_a_folder(places: tuple[Path, Path, Path]):
    write(places[0] / "saved_model.pb")
    model = write(places[0] / "final.h5")
    assert found(places) == {"model.h5": model}


def test_a_folder_that_was_handed_in_and_not_written_again_does_not_count(places: tuple[Path, Path, Path]):
    work, handed_in, _ = places
    write(handed_in / "saved_model.pb")
    old = write(work / "saved_model.pb")
    os.utime(old, ns=(1, 1))
    assert found(places, time.time_ns()) == {}


def test_nothing_is_taken_where_the_zip_cannot_be_written(places: tuple[Path, Path, Path]):
    write(places[0] / "saved_model.pb")
    places[2].rmdir()
    assert found(places) == {}
