"""Temporary folders: gone when we are done, and removed by the next run when we were killed."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from harness.files.temporary_folders import own_folder, own_temporary_folder

RUN = """
import sys, tempfile, time
from harness.files.temporary_folders import own_temporary_folder
with own_temporary_folder():
    print(tempfile.mkdtemp(), flush=True)
    time.sleep(600)
"""


@pytest.fixture
def tmpdir_of_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path


def started() -> tuple[subprocess.Popen[str], Path]:
    """Another run, and something temporary of it."""
    process = subprocess.Popen([sys.executable, "-c", RUN], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def test_what_a_killed_run_left_goes_with_the_next_and_what_a_live_one_has_stays(tmpdir_of_all: Path) -> None:
    killed, left = started()
    live, used = started()
    try:
        (left / "file").write_text("x")
        assert left.parent.parent == used.parent.parent == tmpdir_of_all and left.parent != used.parent
        killed.kill()
        killed.wait()
        assert left.is_dir()
        with own_temporary_folder():
            assert not left.parent.exists()
            assert used.is_dir()
            ours = Path(tempfile.mkdtemp())
        assert not ours.parent.exists() and used.is_dir()
    finally:
        for process in (killed, live):
            process.kill()
            process.wait()


def test_nothing_is_followed_and_nothing_else_is_removed(tmp_path: Path) -> None:
    for name in ("kept", "course", "other-1"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text("x")
    (tmp_path / "course-link").symlink_to(tmp_path / "kept")
    (tmp_path / "course-file").write_text("x")
    (tmp_path / "course-1" / "closed").mkdir(parents=True)
    (tmp_path / "course-1" / "closed" / "link").symlink_to(tmp_path / "kept")
    (tmp_path / "course-1" / "closed").chmod(0)
    with own_folder("course-", tmp_path) as folder:
        assert folder.parent == tmp_path
    left = sorted(path.name for path in tmp_path.iterdir())
    assert left == ["course", "course-file", "course-link", "kept", "other-1"]
    assert (tmp_path / "kept" / "file").read_text() == "x"


def test_without_a_temporary_folder_commands_that_need_none_work(tmpdir_of_all: Path) -> None:
    tempfile.tempdir = str(tmpdir_of_all / "missing")
    with own_temporary_folder():
        assert tempfile.tempdir == str(tmpdir_of_all / "missing")
