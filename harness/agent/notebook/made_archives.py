"""Archives of the course's images, made where a notebook opens one that nobody handed in."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from .foreign_paths import parts_of, place_of_name

_ARCHIVE = re.compile(r"\.(zip|tar|tgz|tar\.gz|rar|7z)$", re.IGNORECASE)
_FORMATS = {".tar": "tar", ".tgz": "gztar", ".gz": "gztar", ".bz2": "bztar", ".tbz2": "bztar", ".xz": "xztar"}


def is_archive(name: str) -> bool:
    """Whether a name is that of an archive."""
    return _ARCHIVE.search(name) is not None


def asked_for(names: tuple[str, ...], text: str, opened: tuple[str, ...]) -> list[str]:
    """The archives that a notebook opens, and those of `names` that `text` mentions, each once."""
    named = [place_of_name(name) for name in names if is_archive(name) and parts_of(name)[-1] in text]
    return list(dict.fromkeys([*named, *opened]))


def make(file: Path, note: str, fill: Callable[[Path], None]) -> None:
    """Make the archive of one folder with its name, with a note in it and what `fill` puts there."""
    with tempfile.TemporaryDirectory() as scratch:
        content = Path(scratch) / _ARCHIVE.sub("", file.name)
        content.mkdir()
        (content / "IMAGES.txt").write_text(note)
        fill(content)
        file.parent.mkdir(parents=True, exist_ok=True)
        made = shutil.make_archive(f"{scratch}/archive", _FORMATS.get(file.suffix, "zip"), scratch, content.name)
        shutil.move(made, file)
