"""Which gradebook an output folder has: the file in it, or a book on the server that `HARNESS_GRADEBOOK` names."""

from __future__ import annotations

import os
from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from harness.errors import UsageError
from harness.files.whole_file import write_whole
from harness.gradebook.connection import shown
from harness.gradebook.database import NAME, Gradebook

VARIABLE = "HARNESS_GRADEBOOK"
_ELSEWHERE = "gradebook.elsewhere"  # in the output folder: the server's address without a password, and the book


def gradebook_for(out: Path, assignment: str) -> Gradebook:
    """The gradebook of the assignment with that title, made where there is none.

    Raises `UsageError` where marks could be lost: the folder's gradebook lies elsewhere than it did.
    """
    url = _server()
    note, file = out / _ELSEWHERE, out / NAME
    if url is None:
        if note.is_file():
            raise _moved(note)
        return Gradebook(file)
    if file.is_file():
        raise UsageError(
            f"{file}: {VARIABLE} names a server, but this folder's marks are in this file",
            f"unset {VARIABLE} to go on with the file, or choose another --out",
        )
    book = Gradebook(url, assignment)
    write_whole(note, f"{shown(url)}\n{assignment}\n")
    return book


def existing_gradebook(out: Path) -> Gradebook:
    """The gradebook of an earlier run to that folder. Raises `UsageError` when there is none."""
    note = out / _ELSEWHERE
    if not note.is_file():
        return Gradebook.existing(out / NAME)
    if (url := _server()) is None:
        raise _moved(note)
    return Gradebook(url, note.read_text(encoding="utf-8").split("\n")[1])


def _moved(note: Path) -> UsageError:
    where = note.read_text(encoding="utf-8").split("\n")[0]
    return UsageError(f"{note.parent}: its gradebook is on a server, {where}", f"set {VARIABLE} to its address")


def _server() -> URL | None:
    """The server's address, for our driver. Raises `UsageError` for one that cannot be used."""
    address = os.environ.get(VARIABLE, "").strip()
    if not address:
        return None
    try:
        url = make_url(address)
    except ArgumentError:
        url = None
    if url is None or url.drivername.partition("+")[0] not in ("postgresql", "postgres") or not url.database:
        # the address may hold a password: it is not repeated
        raise UsageError(f"{VARIABLE} is no address of PostgreSQL", "write it as postgresql://user@host/database")
    return url.set(drivername="postgresql+psycopg")
