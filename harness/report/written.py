"""Writes a page under its final name, whole or not at all."""

from __future__ import annotations

from pathlib import Path

from harness.errors import cannot_write
from harness.files.private import private_folder
from harness.files.whole_file import whole_file


def write_page(file: Path, text: str) -> None:
    """Write the page under its final name, whole. Raises `MachineError` when its folder cannot be written."""
    with cannot_write(file):
        private_folder(file.parent)
        with whole_file(file) as stream:
            stream.write(text.encode())
