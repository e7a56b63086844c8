"""Sorts the entries of a place into submissions with senders: by the LMS of the download, else one per entry.

An entry belongs to an LMS only if its reader is certain. Other entries become plain submissions, with a finding if they
lie among an LMS's. Nothing is copied, and only lists of names are unpacked.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import ModuleType

from harness.apart.submissions.budget import as_text
from harness.errors import UsageError
from harness.findings import Finding, finding
from harness.inputs.submissions.archives import (
    ARCHIVE_SUFFIXES,
    Spent,
    Unpacked,
    UnpackLimits,
)
from harness.inputs.submissions.child import Children, Unreadable
from harness.inputs.submissions.class_lists import GROUPS, TIMES
from harness.inputs.submissions.delivery import NOT_THIS_ONE, Delivery, Piece, Reading
from harness.inputs.submissions.lms import readers
from harness.inputs.submissions.manifest import MANIFEST
from harness.inputs.submissions.one_entry import kept_apart
from harness.inputs.submissions.parts import COMPANIONS
from harness.inputs.submissions.place import ArchivePlace, Entry, FolderPlace, Place
from harness.inputs.submissions.plain_deliveries import ARCHIVES, WORK, plain_deliveries, plain_delivery

PLAIN = "plain"

_LEVELS = 3  # of folders around a class that are searched
_PARTS_OF_ONE = {
    *("code", "src", "data", "dataset", "images", "train", "test", "model", "models", "notebook", "notebooks")
}


@dataclass(frozen=True, slots=True)
class Sorted:
    """One student's or group's submission, and the place of its files."""

    delivery: Delivery
    place: Place
    source: str  # the LMS's module, or `plain`
    findings: tuple[Finding, ...] = ()


def open_place(submissions: Path, children: Children) -> Place:
    """The folder or zip, which `children` read. Raises `UsageError` when it is neither."""
    if submissions.is_dir():
        return FolderPlace(submissions, children)
    if submissions.is_file() and submissions.name.lower().endswith(ARCHIVE_SUFFIXES):
        return ArchivePlace(submissions, children)
    if submissions.exists():
        raise UsageError(
            f"{submissions}: no folder and no zip", "give the folder, or the zip, that holds the submissions"
        )
    raise UsageError(f"{submissions}: no such folder", "give the folder that holds the submissions")


def sort_out(place: Place, children: Children) -> list[Sorted]:
    """Every submission in the place, found by entry names. Raises `UsageError` for an LMS's broken files."""
    return _sort_out(place, children, _LEVELS)


def _sort_out(place: Place, children: Children, levels: int) -> list[Sorted]:
    claim = _by_lms(place)
    if not claim.found and _is_packed(place):
        return [_packed(place)]
    if claim.found:
        return [*claim.found, *(_beside(one, claim) for one in _plain(place, claim.left))]
    if levels and (inner := _inner_places(place, children, claim.left)):
        return _merged([one for each in inner for one in _sort_out(each, children, levels - 1)])
    return [replace(one, findings=(*one.findings, *claim.why_not)) for one in _plain(place, claim.left)]


def _has_manifest(place: Place) -> bool:
    return any(entry.name == MANIFEST and not entry.is_folder and not entry.is_link for entry in place.entries())


def _is_packed(place: Place) -> bool:
    """Whether `harness check` packed the place, which is one submission then.

    The manifest names all that may be a submission of its own: one that lies among a class's does not make the class
    one submission.
    """
    if not _has_manifest(place):
        return False
    try:
        said = place.ask("manifest", MANIFEST)
    except Unreadable:
        return False
    named = {unicodedata.normalize("NFC", str(name)) for name in said} if isinstance(said, list) else set()
    others = {unicodedata.normalize("NFC", entry.name) for entry in place.entries() if _is(_may_be_hand_in, entry)}
    return bool(others & named) and others <= named


def _packed(place: Place) -> Sorted:
    pieces = [Piece(entry.name, entry.name) for entry in place.entries() if not entry.is_link]
    return Sorted(plain_delivery(place.name, place.name, pieces, f"{MANIFEST} lies in it"), place, PLAIN)


@dataclass(frozen=True, slots=True)
class _Claim:
    """What the LMSs' readers claim in a place."""

    found: tuple[Sorted, ...]
    left: tuple[Entry, ...]  # the other entries that may be submissions
    why_not: tuple[Finding, ...]  # why an LMS's own files were not used


def _by_lms(place: Place) -> _Claim:
    """Let each reader claim its entries if they are most of those left; fewer may be one student's imitation."""
    found: list[Sorted] = []
    taken: set[str] = set()
    readings = {source: _reading(source, reader, place) for source, reader in readers().items()}
    waiting = [source for source, reading in readings.items() if reading.deliveries]
    while True:
        left = {entry.name for entry in place.entries() if entry.name not in taken and _is(_counts, entry)}
        source = next((one for one in waiting if _fits_most(readings[one], taken, left)), None)
        if source is None:
            break
        waiting.remove(source)
        new = [one for one in readings[source].deliveries if not one.entries & taken]
        found += [Sorted(one, place, source, one.findings) for one in new]
        taken |= readings[source].own.union(*(one.entries for one in new))
    others = [entry for entry in place.entries() if entry.name not in taken and _is(_may_be_hand_in, entry)]
    why_not = [why for reading in readings.values() for why in reading.of_others]
    return _Claim(tuple(found), tuple(others), tuple(why_not))


def _reading(source: str, reader: ModuleType, place: Place) -> Reading:
    """The reader's result for the place; if it raises, an empty result with the reason."""

    def broken(why: Finding) -> Reading:
        return Reading(of_others=(why,))

    reading: Reading = kept_apart(f"intake ({source})", lambda: reader.read(place), broken)
    return reading or NOT_THIS_ONE


def _fits_most(reading: Reading, taken: set[str], left: set[str]) -> bool:
    """Whether more than half of the entries left belong to the LMS."""
    free = {entry for one in reading.deliveries if not one.entries & taken for entry in one.entries}
    return bool(free) and 2 * len((free | reading.own) & (left | free)) > len(left | free)


def _is(what: Callable[[Entry], bool], entry: Entry) -> bool:
    """The value of `what` for the entry; True if it raises, so that the entry is taken and its error shows later."""
    return kept_apart("intake", partial(what, entry), lambda _: True)


def _counts(entry: Entry) -> bool:
    """Whether the entry counts for recognising the LMS; files beside a class's submissions do not."""
    return entry.name.lower() not in (GROUPS, TIMES) and (_may_be_hand_in(entry) or not entry.name.startswith("."))


def _may_be_hand_in(entry: Entry) -> bool:
    name = entry.name.lower()
    if name.startswith(".") or name == "__macosx":
        return False
    return entry.is_link or entry.is_folder or name.endswith((*ARCHIVES, *WORK))


def _beside(one: Sorted, claim: _Claim) -> Sorted:
    titles = sorted({readers()[other.source].TITLE for other in claim.found})
    why = finding("beside-download", name=one.delivery.student, lms=" and ".join(titles))
    return replace(one, findings=(*one.findings, why))


# --- one level too high -------------------------------------------------------------------------


def _inner_places(place: Place, children: Children, entries: tuple[Entry, ...]) -> list[Place]:
    """The folders or zips that hold the class; empty when the entries are the submissions themselves.

    Every entry must be a download; otherwise one student's submission that looks like one could pose as others'.
    """
    opened: list[Place] = []
    for entry in entries:  # stops at the first that is not a download, so that a class of zips is not opened twice
        one = _open_inner(place, children, entry)
        if one is None or _has_manifest(one):
            return []
        if not _is_whole_download(one, children):
            return [one] if len(entries) == 1 and _holds_a_class(one, children) else []
        opened.append(one)
    return opened


def _open_inner(place: Place, children: Children, entry: Entry) -> Place | None:
    path = place.on_disk(entry.name)
    if path is None:
        return _Below(place, entry.name) if entry.is_folder else None
    if entry.is_folder:
        return FolderPlace(path, children)
    if entry.name.lower().endswith(".zip") and not entry.is_link:
        try:
            return ArchivePlace(path, children)
        except UsageError:
            return None
    return None


def _is_whole_download(place: Place, children: Children) -> bool:
    claim = _by_lms(place)
    if claim.found and not claim.left:
        return True
    folders = [entry for entry in place.entries() if _is(_may_be_hand_in, entry)]
    inner = _open_inner(place, children, folders[0]) if len(folders) == 1 and folders[0].is_folder else None
    return inner is not None and bool(_by_lms(inner).found)


def _holds_a_class(place: Place, children: Children, levels: int = _LEVELS) -> bool:
    """Whether the place, or its only folder, down to `levels` levels, holds submissions and is not one itself."""
    everything = place.entries()
    names = [entry.name.lower() for entry in everything]
    if any(name in _PARTS_OF_ONE or name in COMPANIONS or name.endswith(WORK) for name in names):
        return False
    entries = [entry for entry in everything if _is(_may_be_hand_in, entry)]
    if len(entries) == 1:
        inner = _open_inner(place, children, entries[0]) if levels and entries[0].is_folder else None
        return inner is not None and _holds_a_class(inner, children, levels - 1)
    return sum(not entry.is_folder or _has_work(place, entry.name, _LEVELS) for entry in entries) >= 2


def _has_work(place: Place, folder: str, levels: int) -> bool:
    for entry in place.entries(folder):
        if not entry.is_folder and entry.name.lower().endswith((*WORK, *ARCHIVES)):
            return True
        if entry.is_folder and levels and _has_work(place, f"{folder}/{entry.name}", levels - 1):
            return True
    return False


class _Below:
    """A folder inside another place."""

    def __init__(self, outer: Place, folder: str) -> None:
        self._outer, self._folder = outer, folder
        self.name = as_text(folder.rpartition("/")[2])

    def entries(self, folder: str = "") -> tuple[Entry, ...]:
        return self._outer.entries(self._path(folder))

    def ask(self, what: str, path: str, **more: object) -> object:
        return self._outer.ask(what, self._path(path), **more)

    def copy(self, path: str, target: Path, limits: UnpackLimits, spent: Spent) -> Unpacked:
        return self._outer.copy(self._path(path), target, limits, spent)

    def on_disk(self, path: str) -> Path | None:
        return self._outer.on_disk(self._path(path))

    def _path(self, path: str) -> str:
        return f"{self._folder}/{path}" if path else self._folder


def _merged(found: list[Sorted]) -> list[Sorted]:
    """Merge a student's submissions from several downloads of one LMS into one with all attempts."""
    together: dict[tuple[str, str, str], list[Sorted]] = defaultdict(list)
    for number, one in enumerate(found):
        # Only the LMS's number proves that two are of one person; submissions without one are not merged.
        own = str(number) if one.source == PLAIN or not one.delivery.lms_id else ""
        together[one.source, own or one.delivery.key, one.delivery.lms_id].append(one)
    return [_one_of(same) for same in together.values()]


def _one_of(same: list[Sorted]) -> Sorted:
    newest = max(same, key=lambda one: one.delivery.newest_first[0].rank)
    others = tuple(
        replace(attempt, pieces=())  # only listed; its files are in another download
        for one in same
        if one is not newest
        for attempt in one.delivery.attempts
    )
    kept = newest.delivery
    return replace(newest, delivery=replace(kept, attempts=(*kept.attempts, *others)))


def _plain(place: Place, entries: tuple[Entry, ...]) -> list[Sorted]:
    return [Sorted(delivery, place, PLAIN, delivery.findings) for delivery in plain_deliveries(place, entries)]
