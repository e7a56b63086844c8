"""GitHub Classroom: clones side by side, `<assignment>-<user>/`, each with its .git.

`gh classroom clone` puts them into `<assignment>-submissions/`. The time is that of the last commit, by the clock
of whoever committed: it is read without git (see `harness/apart/submissions/commit_time.py`) and said to be theirs.
"""

from __future__ import annotations

from functools import partial

from harness.inputs.submissions.commit_time import last_commit
from harness.inputs.submissions.delivery import (
    NOT_THIS_ONE,
    Attempt,
    Delivery,
    Piece,
    Reading,
    delivered,
    parsed,
)
from harness.inputs.submissions.names import common_start
from harness.inputs.submissions.place import Place

TITLE = "GitHub Classroom"

_WRAPPER = "-submissions"


def read(place: Place) -> Reading:
    """GitHub Classroom's: folders that are clones."""
    folders = [entry.name for entry in place.entries() if entry.is_folder and not entry.name.startswith(".")]
    clones = list(parsed(folders, lambda name: (".git", True) in _inside(place, name) or None))
    if 2 * len(clones) <= len(folders):  # before all of them are read for their times
        return NOT_THIS_ONE
    prefix = _assignment(place.name, clones)
    return Reading(
        tuple(delivered([name], partial(_delivery, place, name, name.removeprefix(prefix))) for name in clones)
    )


def _inside(place: Place, folder: str) -> list[tuple[str, bool]]:
    return [(entry.name, entry.is_folder) for entry in place.entries(folder)]


def _assignment(wrapper: str, clones: list[str]) -> str:
    """`<assignment>-`: from the wrapping folder's name, else what all clones begin with."""
    slug = f"{wrapper.removesuffix(_WRAPPER)}-"
    if wrapper.endswith(_WRAPPER) and all(name.startswith(slug) for name in clones):
        return slug
    return common_start(clones, "-") if len(clones) > 1 else ""


def _delivery(place: Place, folder: str, user: str) -> Delivery:
    path = place.on_disk(f"{folder}/.git")
    at = last_commit(path) if path else None
    return Delivery(
        student=user,
        key=folder,
        attempts=(Attempt((Piece(folder),), at.isoformat(" ", "seconds") if at else folder, at),),
        entries=frozenset({folder}),
        why=f"a clone: {folder}",
        lms_id=user,
        clock="the last commit, by the committer's own clock",
    )
