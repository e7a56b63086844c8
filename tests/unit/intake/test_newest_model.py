"""When a file was last changed survives every way of handing it in, so the newest of equal models is tried first."""

from __future__ import annotations

import datetime
import io
import os
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import py7zr
import pytest

from harness.apart.submissions.budget import set_changed
from harness.inputs.submissions import collect

# The name first in the alphabet is the older one; a name says nothing.
OLD, NEW = datetime.datetime(2026, 6, 1, 12), datetime.datetime(2026, 6, 2, 12)
FILES = {"a.onnx": OLD, "b.onnx": NEW}
ONNX = b"\x08\x07\x3a\x00"


def as_folder(place: Path) -> None:
    (place / "mia").mkdir()
    for name, at in FILES.items():
        (place / "mia" / name).write_bytes(ONNX)
        os.utime(place / "mia" / name, (at.timestamp(), at.timestamp()))


def as_zip(place: Path) -> None:
    with zipfile.ZipFile(place / "mia.zip", "w") as archive:
        for name, at in FILES.items():
            archive.writestr(zipfile.ZipInfo(name, at.timetuple()[:6]), ONNX)


def as_tar(place: Path) -> None:
    with tarfile.open(place / "mia.tar.gz", "w:gz") as archive:
        for name, at in FILES.items():
            info = tarfile.TarInfo(name)
            info.size, info.mtime = len(ONNX), at.timestamp()
            archive.addfile(info, io.BytesIO(ONNX))


def as_7z(place: Path) -> None:
    as_folder(place)
    with py7zr.SevenZipFile(place / "mia.7z", "w") as archive:
        for name in FILES:
            archive.write(place / "mia" / name, name)
            (place / "mia" / name).unlink()
    (place / "mia").rmdir()


def as_zip_of_the_class(place: Path) -> None:
    with zipfile.ZipFile(place / "class.zip", "w") as archive:
        for student in ("mia", "ben"):
            for name, at in FILES.items():
                archive.writestr(zipfile.ZipInfo(f"{student}/{name}", at.timetuple()[:6]), ONNX)


@pytest.mark.parametrize("handed_in", [as_folder, as_zip, as_tar, as_7z, as_zip_of_the_class])
def test_the_newest_of_equal_models_is_tried_first(handed_in: Callable[[Path], None], tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    handed_in(tmp_path / "in")
    place = tmp_path / "in" / "class.zip" if handed_in is as_zip_of_the_class else tmp_path / "in"
    for one in collect(place, tmp_path / "work"):
        assert [str(model.path) for model in one.models] == ["b.onnx", "a.onnx"], one.id


@pytest.mark.parametrize("date", [(1980, 0, 0, 0, 0, 0), (2100, 15, 0, 31, 63, 62)])
def test_a_date_that_is_none_is_the_oldest(date: tuple[int, ...], tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    with zipfile.ZipFile(tmp_path / "in/mia.zip", "w") as archive:
        info = zipfile.ZipInfo("a.onnx")
        info.date_time = date  # type: ignore[assignment]
        archive.writestr(info, ONNX)
        archive.writestr(zipfile.ZipInfo("b.onnx", OLD.timetuple()[:6]), ONNX)
    (one,) = collect(tmp_path / "in", tmp_path / "work")
    assert [str(model.path) for model in one.models] == ["b.onnx", "a.onnx"]


@pytest.mark.parametrize("seconds", [-1.0, 1e300, float("nan"), float("inf")])
def test_a_time_that_cannot_be_is_1970(seconds: float, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"")
    set_changed(tmp_path / "x", seconds)
    assert (tmp_path / "x").stat().st_mtime == 0
