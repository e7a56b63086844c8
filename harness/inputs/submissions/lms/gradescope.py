"""Gradescope: the export of all submissions, `submission_<id>/` folders and a submission_metadata.yml.

The metadata has, for each folder, `:submitters` (name, sid, email), `:created_at`, and `:history` of earlier
tries, whose files are not part of the export. Gradescope writes all of it; the names are as students signed up.
"""

from __future__ import annotations

import re
from functools import partial

from harness.findings import finding
from harness.inputs.submissions.child import Unreadable
from harness.inputs.submissions.delivery import NOT_THIS_ONE, Attempt, Delivery, Piece, Reading, delivered
from harness.inputs.submissions.lms_files import Submitted, gradescope
from harness.inputs.submissions.place import Place

TITLE = "Gradescope"

_METADATA = "submission_metadata.yml"
_FOLDER = re.compile(r"submission_\d+")


def read(place: Place) -> Reading:
    """Gradescope's: folders that are named as it names them and that the metadata know."""
    entries = place.entries()
    every = [entry.name for entry in entries if entry.is_folder and not entry.name.startswith(".")]
    folders = tuple(name for name in every if _FOLDER.fullmatch(name))
    if 2 * len(folders) <= len(every) or not any(entry.name == _METADATA and not entry.is_folder for entry in entries):
        return NOT_THIS_ONE
    try:
        known = dict(gradescope(place, _METADATA, folders))
    except Unreadable as error:
        return Reading(of_others=(finding("lms-metadata-unreadable", name=_METADATA, reason=str(error)),))
    return Reading(
        tuple(delivered([name], partial(_delivery, name, about)) for name, about in known.items()),
        frozenset({_METADATA}),
    )


def _delivery(folder: str, about: Submitted) -> Delivery:
    names = [name for name, _, _ in about.people if name]
    _, sid, email = about.people[0] if about.people else ("", "", "")
    id = sid or email or folder
    at = about.at
    current = Attempt((Piece(folder),), at.isoformat(" ", "seconds") if at else folder, at, order=1)
    earlier = [
        Attempt((), when.isoformat(" ", "seconds") if when else f"try {number}", when)
        for number, when in enumerate(about.tries, start=1)
        if when is None or at is None or when < at
    ]
    reason = "a time in it is none"
    return Delivery(
        student=" & ".join(names) or folder,
        key=f"{names[0] if names else folder}-{id.partition('@')[0]}",
        attempts=(current, *earlier),
        entries=frozenset({folder}),
        why=f"{_METADATA}: {folder} is of {', '.join(names) or 'nobody'}",
        lms_id=id,
        members=tuple(names) if len(names) > 1 else (),
        clock=TITLE,
        findings=(finding("lms-metadata-unreadable", name=_METADATA, reason=reason),) if about.is_odd else (),
    )
