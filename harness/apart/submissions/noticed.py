"""Reports on unpacking an archive: what was left out, and what stopped it."""

from __future__ import annotations

import errno
from dataclasses import dataclass

# Errors of names in the submission, not of the machine.
_TAKEN = (errno.EEXIST, errno.ENOTDIR, errno.EISDIR)
CONFLICTS = (*_TAKEN, errno.ENAMETOOLONG, errno.EILSEQ, errno.EINVAL, errno.ELOOP)
# What decoders raise for damage, by name, since they are slow to import: `error` is zlib's and struct's.
_DAMAGE = ("BadZipFile", "ReadError", "Bad7zFile", "LZMAError", "EOFError", "error")
_SAID = 2000  # characters of a library's words; who shows them cuts them at a word's end
_MOST_NAMED = 10  # of each kind


@dataclass(frozen=True, slots=True)
class Noticed:
    """A future finding: its code in `harness/findings/`, and the particulars."""

    code: str
    particulars: dict[str, str]


class Stopped(Exception):
    """Unpacking stopped: at a limit, or at something that is never unpacked."""

    def __init__(self, code: str, **particulars: str) -> None:
        super().__init__(code)
        self.noticed = Noticed(code, particulars)


class OutOfRoom(Exception):
    """The machine, not the submission, stopped the unpacking: no room on the disk, say."""


class LeftOut:
    """What was left out: the first names of each kind."""

    def __init__(self) -> None:
        self.noticed: list[Noticed] = []
        self._counts: dict[str, int] = {}

    def note(self, code: str, **particulars: str) -> None:
        self._counts[code] = self._counts.get(code, 0) + 1
        if self._counts[code] <= _MOST_NAMED:
            self.noticed.append(Noticed(code, particulars))


def plain_reason(error: Exception) -> str:
    """Why an archive cannot be read, in words for the student."""
    said = str(error)
    if "password" in said.lower() or "encrypted" in said.lower():
        return "it is encrypted"
    if "overlap" in said.lower():
        return "files in it overlap, which no packing program writes"
    if type(error).__name__ in _DAMAGE:
        return "it is cut off or damaged, or it is no archive"
    if isinstance(error, OSError) and error.errno in _TAKEN:
        return "it holds a file and a folder of the same name"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return said[:_SAID] or type(error).__name__
