"""`!unzip`, `!tar`: Python unpacks the archive where it is there; else the images stand unpacked already."""

from __future__ import annotations

import re
import shlex

from ..cell import comment_out, in_shell_cell, shell_lines
from ..foreign_paths import is_foreign, local
from ..rule_context import Setting

TITLE = "Archives are unpacked by Python, not by programs that may be missing; one that is not there is left out"
ON = True

_UNPACK = re.compile(r"^(?:sudo\s+)?(unzip|tar|bsdtar|7z|7za|unrar|gunzip)\b")
_ARCHIVE = re.compile(r"\.(zip|tar|tgz|tbz2|txz|tar\.\w+|rar|7z|gz)$", re.IGNORECASE)
_UNPACKED_BY_PYTHON = re.compile(r"\.(zip|tar|tgz|tbz2|txz|tar\.(gz|bz2|xz))$", re.IGNORECASE)
_EXPRESSION = re.compile(r"^[{$]\{?(\w+)\}?$")


def apply(source: str, setting: Setting) -> str:
    if in_shell_cell(source):
        return source

    def change(command: str) -> str | None:
        if not _UNPACK.match(command):
            return None
        try:
            words = shlex.split(command, comments=True)
        except ValueError:
            return None
        if any(word in ("-l", "-t", "-Z", "-tf", "tf", "-tvf") for word in words[1:]):
            return None  # it only lists
        archive = next((word for word in words[1:] if _ARCHIVE.search(word) or _EXPRESSION.match(word)), None)
        if archive is None or any(sign in command for sign in ("|", ";", "&&", "*")):
            return None
        if variable := _EXPRESSION.match(archive):
            return _unpack(variable[1], words)
        if not _UNPACKED_BY_PYTHON.search(archive):
            return comment_out(f"!{command}")
        place = local(archive, setting.here, setting.names) if is_foreign(archive) else archive
        if not (setting.here / place).is_file() and not _is_given(archive, setting):
            setting.note("archive-not-there", archive)
            return comment_out(f"!{command}")
        return _unpack(repr(archive), words)

    return shell_lines(source, change)


def _unpack(archive: str, words: list[str]) -> str:
    target = next((words[i + 1] for i, word in enumerate(words[:-1]) if word in ("-d", "-C", "--directory")), None)
    target = target or next((word[2:] for word in words if word.startswith("-o") and word[2:3] in "./"), None)
    where = f", {target!r}" if target else ""
    return f"__import__('shutil').unpack_archive({archive}{where})"


def _is_given(archive: str, setting: Setting) -> bool:
    last = archive.replace("\\", "/").rsplit("/", 1)[-1]
    return any(name.replace("\\", "/").rsplit("/", 1)[-1] == last for name in setting.names)
