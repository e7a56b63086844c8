"""What in a place is a hand-in, and whose: by the LMS that made the download, else one for each entry.

An entry belongs to an LMS only when its reader is certain. What is left is taken as it is, and says so when it lies
among an LMS's. Nothing is copied or unpacked here but for lists of names.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from harness.errors import UsageError
from harness.findings import Finding, finding
from harness.intake.archives import ARCHIVE_SUFFIXES, FOREIGN_SUFFIXES, UnpackLimits
from harness.intake.delivery import Attempt, Delivery, Piece
from harness.intake.lms import readers
from harness.intake.parts import COMPANIONS, MODEL_SUFFIXES, NOTEBOOK_SUFFIX
from harness.intake.place import ArchivePlace, Entry, FolderPlace, Place

PLAIN = "plain"

_LEVELS = 3  # of folders around a class that are looked through
_ARCHIVES = (*ARCHIVE_SUFFIXES, *FOREIGN_SUFFIXES)
_WORK = (NOTEBOOK_SUFFIX, *MODEL_SUFFIXES)
_PARTS_OF_ONE = {
    *("code", "src", "data", "dataset", "images", "train", "test", "model", "models", "notebook", "notebooks")
}


@dataclass(frozen=True, slots=True)
class Sorted:
    """One student's or group's hand-in, and where its files are."""

    delivery: Delivery
    place: Place
    source: str  # the LMS's module, or `plain`
    findings: tuple[Finding, ...] = ()


def open_place(submissions: Path) -> Place:
    """The folder or zip. Raises `UsageError` when it is neither."""
    if submissions.is_dir():
        return FolderPlace(submissions)
    if submissions.is_file() and submissions.name.lower().endswith(ARCHIVE_SUFFIXES):
        return ArchivePlace(submissions)
    if submissions.exists():
        raise UsageError(f"{submissions}: no folder and no zip", "give the folder, or the zip, that holds the hand-ins")
    raise UsageError(f"{submissions}: no such folder", "give the folder that holds the hand-ins")


def sort_out(place: Place) -> list[Sorted]:
    """Every hand-in in the place, by the names of its entries. Raises `UsageError` for an LMS's broken files."""
    return _sort_out(place, _LEVELS)


def _sort_out(place: Place, levels: int) -> list[Sorted]:
    found, left = _by_lms(place)
    if found:
        return [*found, *(_beside(one, found) for one in _plain(place, left))]
    if levels and (inner := _inner_places(place, left)):
        return _merged([one for each in inner for one in _sort_out(each, levels - 1)])
    return _plain(place, left)


def _by_lms(place: Place) -> tuple[list[Sorted], list[Entry]]:
    """What the LMSs' readers claim, and the other entries that may be hand-ins."""
    found: list[Sorted] = []
    taken: set[str] = set()
    for source, reader in readers().items():
        reading = reader.read(place)
        new = [Sorted(one, place, source) for one in reading.deliveries if not one.entries & taken]
        if new:
            found += new
            taken |= reading.own.union(*(one.delivery.entries for one in new))
    return found, [entry for entry in place.entries() if entry.name not in taken and _may_be_hand_in(entry)]


def _may_be_hand_in(entry: Entry) -> bool:
    name = entry.name.lower()
    if name.startswith(".") or name == "__macosx":
        return False
    return entry.is_link or entry.is_folder or name.endswith((*_ARCHIVES, *_WORK))


def _beside(one: Sorted, found: list[Sorted]) -> Sorted:
    titles = sorted({readers()[other.source].TITLE for other in found})
    return replace(one, findings=(finding("beside-download", name=one.delivery.student, lms=" and ".join(titles)),))


# --- one level too high -------------------------------------------------------------------------


def _inner_places(place: Place, entries: list[Entry]) -> list[Place]:
    """The folders or zips in which the class really is; none when the entries are the hand-ins themselves.

    Every entry has to be a download: else one student's hand-in that looks like a download could pose as others'.
    """
    inner = [_open_inner(place, entry) for entry in entries]
    opened = [one for one in inner if one is not None]
    if not opened or len(opened) < len(entries):
        return []
    if all(_is_whole_download(one) for one in opened):
        return opened
    return opened if len(opened) == 1 and _holds_a_class(opened[0]) else []


def _open_inner(place: Place, entry: Entry) -> Place | None:
    path = place.on_disk(entry.name)
    if path is None:
        return _Below(place, entry.name) if entry.is_folder else None
    if entry.is_folder:
        return FolderPlace(path)
    if entry.name.lower().endswith(".zip") and not entry.is_link:
        try:
            return ArchivePlace(path)
        except UsageError:
            return None
    return None


def _is_whole_download(place: Place) -> bool:
    found, left = _by_lms(place)
    if found and not left:
        return True
    folders = [entry for entry in place.entries() if _may_be_hand_in(entry)]
    inner = _open_inner(place, folders[0]) if len(folders) == 1 and folders[0].is_folder else None
    return inner is not None and bool(_by_lms(inner)[0])


def _holds_a_class(place: Place, levels: int = _LEVELS) -> bool:
    """Whether it, or the only folder in it, `levels` deep, holds hand-ins side by side and is none itself."""
    everything = place.entries()
    names = [entry.name.lower() for entry in everything]
    if any(name in _PARTS_OF_ONE or name in COMPANIONS or name.endswith(_WORK) for name in names):
        return False
    entries = [entry for entry in everything if _may_be_hand_in(entry)]
    if len(entries) == 1:
        inner = _open_inner(place, entries[0]) if levels and entries[0].is_folder else None
        return inner is not None and _holds_a_class(inner, levels - 1)
    return sum(not entry.is_folder or _has_work(place, entry.name, _LEVELS) for entry in entries) >= 2


def _has_work(place: Place, folder: str, levels: int) -> bool:
    for entry in place.entries(folder):
        if not entry.is_folder and entry.name.lower().endswith((*_WORK, *_ARCHIVES)):
            return True
        if entry.is_folder and levels and _has_work(place, f"{folder}/{entry.name}", levels - 1):
            return True
    return False


class _Below:
    """A folder inside another place."""

    def __init__(self, outer: Place, folder: str) -> None:
        self._outer, self._folder = outer, folder
        self.name = folder.rpartition("/")[2]

    def entries(self, folder: str = "") -> tuple[Entry, ...]:
        return self._outer.entries(self._path(folder))

    def text(self, path: str, limit: int) -> str:
        return self._outer.text(self._path(path), limit)

    def copy(self, path: str, target: Path, limits: UnpackLimits) -> list[Finding]:
        return self._outer.copy(self._path(path), target, limits)

    def on_disk(self, path: str) -> Path | None:
        return self._outer.on_disk(self._path(path))

    def _path(self, path: str) -> str:
        return f"{self._folder}/{path}" if path else self._folder


def _merged(found: list[Sorted]) -> list[Sorted]:
    """The same student in several downloads of one LMS: one hand-in with the attempts of all."""
    together: dict[tuple[str, str], list[Sorted]] = defaultdict(list)
    for number, one in enumerate(found):
        own = str(number) if one.source == PLAIN else ""
        together[one.source, own or one.delivery.key].append(one)
    return [_one_of(same) for same in together.values()]


def _one_of(same: list[Sorted]) -> Sorted:
    newest = max(same, key=lambda one: one.delivery.newest_first[0].rank)
    others = tuple(
        replace(attempt, pieces=())  # listed only: its files are in another download
        for one in same
        if one is not newest
        for attempt in one.delivery.attempts
    )
    kept = newest.delivery
    return replace(newest, delivery=replace(kept, attempts=(*kept.attempts, *others)))


# --- plain hand-ins -----------------------------------------------------------------------------


def _plain(place: Place, entries: list[Entry]) -> list[Sorted]:
    return [Sorted(delivery, place, PLAIN) for delivery in _plain_deliveries(place, entries)]


def _plain_deliveries(place: Place, entries: list[Entry]) -> Iterator[Delivery]:
    files = [entry for entry in entries if not entry.is_folder and not entry.is_link]
    loose = [entry for entry in files if entry.name.lower().endswith(_WORK)]
    whole = _place_itself(place, loose)
    if whole:
        yield whole
    by_stem: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        if entry not in loose and not (whole and entry.name == "dataset"):
            yield _plain_delivery(student_name(entry), [_piece(entry)], "a folder" if entry.is_folder else "an archive")
        elif entry in loose and not whole:
            by_stem[student_name(entry)].append(entry)
    for student, same in by_stem.items():
        why = "loose files of one name" if len(same) > 1 else "a loose file"
        yield _plain_delivery(student, [_piece(entry) for entry in same], why)


def _place_itself(place: Place, loose: list[Entry]) -> Delivery | None:
    """The place as one hand-in, when what belongs beside one model or notebook lies at its top."""
    files = [entry for entry in place.entries() if not entry.is_folder and not entry.is_link]
    beside = [entry for entry in files if entry.name.lower() in COMPANIONS]
    if not loose or not beside:
        return None
    pieces = [Piece(entry.name, entry.name) for entry in files if not entry.name.startswith(".")]
    pieces += [Piece(e.name, e.name) for e in place.entries() if e.is_folder and e.name == "dataset"]
    return _plain_delivery(place.name, pieces, f"the folder itself: {beside[0].name} lies in it")


def _plain_delivery(student: str, pieces: list[Piece], why: str) -> Delivery:
    entries = frozenset(piece.path for piece in pieces)
    return Delivery(student, student, (Attempt(tuple(pieces), ", ".join(sorted(entries))),), entries, why)


def _piece(entry: Entry) -> Piece:
    return Piece(entry.name, "" if entry.is_folder else entry.name)


def student_name(entry: Entry) -> str:
    """The entry's name as text, without an archive's or a loose file's suffix."""
    name = os.fsencode(entry.name).decode("utf-8", "replace")
    if entry.is_folder or entry.is_link:
        return name
    for suffix in sorted((*_ARCHIVES, *_WORK), key=len)[::-1]:
        if name.lower().endswith(suffix) and len(name) > len(suffix):
            return name[: -len(suffix)]
    return name
