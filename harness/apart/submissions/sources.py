"""Reads the first bytes of a plain file on the disk, or of a member of a class's zip."""

from __future__ import annotations

import os
import stat
from typing import Any

_SAID = 300  # characters
# Of these flags Windows has only the last, and Linux has not that one.
READ_PLAIN = os.O_RDONLY | sum(getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY"))


class Unreadable(Exception):
    """The file cannot be read, or has not the expected form. The message says why."""


def yaml_trouble(error: BaseException) -> str:
    """What PyYAML says of a text, in one line: where, and what is wrong there."""
    problem, mark = getattr(error, "problem", None), getattr(error, "problem_mark", None)
    if problem and mark is not None:
        return f"line {mark.line + 1}: {problem}"
    return "it is nested too deeply" if isinstance(error, RecursionError) else " ".join(str(error).split())[:_SAID]


def first_bytes(file: dict[str, Any], limit: int) -> bytes:
    """At most `limit` bytes of `{"path": ...}` or `{"zip": ..., "member": ...}`. Links are not followed.

    Raises `Unreadable`, and what `zipfile` raises for a damaged member.
    """
    if "zip" in file:
        from .class_zip import opened  # zipfile is slow to import, and most requests do not need it

        archive = opened(file["zip"])
        info = archive.members.get(file["member"])
        if info is None:
            raise Unreadable("it is not there")
        with archive.zip.open(info) as stream:
            return stream.read(limit)
    try:
        handle = os.open(file["path"], READ_PLAIN)
    except OSError as error:
        raise Unreadable(error.strerror or "it cannot be opened") from error
    with os.fdopen(handle, "rb") as plain:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise Unreadable("it is no plain file")
        return plain.read(limit)


def whole(file: dict[str, Any], limit: int) -> bytes:
    """The whole file. Raises `Unreadable` where it is larger than `limit` bytes."""
    found = first_bytes(file, limit + 1)
    if len(found) > limit:
        raise Unreadable(f"it is larger than {limit / 1e6:g} MB")
    return found
