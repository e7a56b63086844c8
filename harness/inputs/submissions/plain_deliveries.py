"""Submissions of a place that is no LMS's: one for each folder, archive, download in parts, or name of loose files."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from functools import partial

from harness.apart.submissions.budget import as_text
from harness.findings import Finding
from harness.inputs.submissions.archives import ARCHIVE_SUFFIXES, FOREIGN_SUFFIXES
from harness.inputs.submissions.delivery import Attempt, Delivery, Piece, delivered
from harness.inputs.submissions.one_entry import kept_apart
from harness.inputs.submissions.parts import COMPANIONS, MODEL_SUFFIXES, NOTEBOOK_SUFFIX
from harness.inputs.submissions.place import Entry, Place
from harness.inputs.submissions.split_archives import drive_stem

ARCHIVES = (*ARCHIVE_SUFFIXES, *FOREIGN_SUFFIXES)
WORK = (NOTEBOOK_SUFFIX, *MODEL_SUFFIXES, ".ckpt", ".pth.tar", ".pt.tar")


def plain_deliveries(place: Place, entries: tuple[Entry, ...]) -> Iterator[Delivery]:
    """The submissions among these entries of the place."""
    files = [entry for entry in entries if not entry.is_folder and not entry.is_link]
    loose = [entry for entry in files if entry.name.lower().endswith(WORK)]
    whole = _place_itself(place, loose)
    if whole:
        yield whole
    by_stem: dict[str, list[Entry]] = defaultdict(list)
    split: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        stem = kept_apart("intake", partial(drive_stem, entry.name), lambda _: "") if entry in files else ""
        if stem:
            split[stem].append(entry)
        elif entry not in loose and not (whole and entry.name == "dataset"):
            yield delivered([entry.name], partial(_of_one, entry))
        elif entry in loose and not whole:
            by_stem[kept_apart("intake", partial(_stem, entry), partial(_whole_name, entry))].append(entry)
    for stem, same in split.items():
        make = partial(_of_split, stem, same) if len(same) > 1 else partial(_of_one, same[0])
        yield delivered([entry.name for entry in same], make)
    for stem, same in by_stem.items():
        yield delivered([entry.name for entry in same], partial(_of_loose, stem, same))


def _of_one(entry: Entry) -> Delivery:
    why = "a folder" if entry.is_folder else "an archive"
    return plain_delivery(as_text(_stem(entry)), entry.name, [_piece(entry)], why)


def _of_split(stem: str, same: list[Entry]) -> Delivery:
    return plain_delivery(as_text(stem), f"/{stem}.zip", [_piece(entry) for entry in same], "the parts of a download")


def _of_loose(stem: str, same: list[Entry]) -> Delivery:
    why = "loose files of one name" if len(same) > 1 else "a loose file"
    return plain_delivery(as_text(stem), f"/{stem}", [_piece(entry) for entry in same], why)  # no folder has a `/`


def _place_itself(place: Place, loose: list[Entry]) -> Delivery | None:
    """The place as one submission, if its top has the files that accompany one model or notebook."""
    files = [entry for entry in place.entries() if not entry.is_folder and not entry.is_link]
    beside = [entry for entry in files if entry.name.lower() in COMPANIONS]
    if not loose or not beside:
        return None
    pieces = [Piece(entry.name, entry.name) for entry in files if not entry.name.startswith(".")]
    pieces += [Piece(e.name, e.name) for e in place.entries() if e.is_folder and e.name == "dataset"]
    return plain_delivery(place.name, place.name, pieces, f"the folder itself: {beside[0].name} lies in it")


def plain_delivery(student: str, exact: str, pieces: list[Piece], why: str) -> Delivery:
    """One submission, handed in once; `exact` as in `Delivery`."""
    entries = frozenset(piece.path for piece in pieces)
    attempt = Attempt(tuple(pieces), as_text(", ".join(sorted(entries))))
    return Delivery(student, student, (attempt,), entries, why, exact=exact)


def _piece(entry: Entry) -> Piece:
    return Piece(entry.name, "" if entry.is_folder else entry.name)


def _whole_name(entry: Entry, _: Finding) -> str:
    return entry.name


def _stem(entry: Entry) -> str:
    """The entry's name without an archive's or a loose file's suffix."""
    if entry.is_folder or entry.is_link:
        return entry.name
    for suffix in sorted((*ARCHIVES, *WORK), key=len)[::-1]:
        if entry.name.lower().endswith(suffix) and len(entry.name) > len(suffix):
            return entry.name[: -len(suffix)]
    return entry.name
