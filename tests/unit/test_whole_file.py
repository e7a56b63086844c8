"""A file appears whole under its name, or what was there stays."""

import os
import stat
from pathlib import Path

import pytest

from harness.errors import MachineError
from harness.files.whole_file import OWNERS_ONLY, READ_BY_ALL, whole_file, write_whole


def test_what_was_there_stays_until_all_is_written_and_when_that_fails(tmp_path: Path):
    file = tmp_path / "page.html"
    write_whole(file, "old")
    with pytest.raises(KeyboardInterrupt), whole_file(file) as stream:
        stream.write(b"new, but only half")
        stream.flush()
        assert file.read_text() == "old"
        raise KeyboardInterrupt
    assert file.read_text() == "old" and list(tmp_path.iterdir()) == [file]


def test_a_new_content_takes_the_name_and_leaves_nothing_beside_it(tmp_path: Path):
    file = tmp_path / ("n" * 255)  # the longest name that a file can have
    write_whole(file, "old")
    write_whole(file, "zwölf\r\n")
    assert file.read_bytes() == "zwölf\r\n".encode() and list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("mode", [OWNERS_ONLY, READ_BY_ALL], ids=oct)
@pytest.mark.parametrize("umask", [0o000, 0o077], ids=oct)
def test_the_mode_holds_whatever_the_umask(mode: int, umask: int, tmp_path: Path):
    before = os.umask(umask)
    try:
        with whole_file(tmp_path / "file", mode) as stream:
            stream.write(b"content")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == mode


def test_a_folder_that_is_not_there_is_trouble_of_the_machine(tmp_path: Path):
    with pytest.raises(MachineError, match="cannot be written"):
        write_whole(tmp_path / "missing" / "file", "text")
