"""Reads a class's notebooks and compares their texts: who wrote what, and who counts as one author."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path

from harness.boundary.one_by_one import Defect, attempt, together
from harness.grading.similarity.texts import Written, alike
from harness.grading.submission_run import Examined, with_defect
from harness.inputs.submission import Submission
from harness.inputs.submissions.child import Children
from harness.inputs.submissions.texts import Cell, NotebookTexts, notebook_texts
from harness.stages.cache import StageCache
from harness.stages.evidence.alike import AlikeTexts
from harness.stages.evidence.stage_result import Done

_WHAT = "comparing texts"
_LIBRARIES = ("numpy", "rapidfuzz", "scikit-learn", "scipy")  # whose releases may decide what is alike


def with_texts_compared(
    examined: Sequence[Examined], starter: Path | None, cache: StageCache
) -> tuple[list[Examined], AlikeTexts | None]:
    """The same submissions, and which look alike: None where fewer than two have a notebook.

    A submission with which this fails has a finding that says so, and the others are compared. `starter`: the notebook
    that the class began with. What was found is kept for as long as all that the class wrote, and who wrote it, stays
    the same.
    """
    with Children() as children:
        given = notebook_texts(starter, children).cells if starter is not None else ()
        read = [attempt(_WHAT, partial(_written, one.submission, children)) for one in examined]
    noted = [with_defect(one, w) if isinstance(w, Defect) else one for one, w in zip(examined, read, strict=True)]
    there = [(index, w) for index, w in enumerate(read) if isinstance(w, Written)]
    found, left_out = together(_WHAT, there, lambda some: _compared([w for _, w in some], given, cache))
    for place, why in left_out.items():
        index = there[place][0]
        noted[index] = with_defect(noted[index], why)
    return noted, found


def _compared(written: Sequence[Written], given: Sequence[Cell], cache: StageCache) -> AlikeTexts | None:
    with_notebook = [one for one in written if one.cells or one.cut]
    if len(with_notebook) < 2:
        return None
    key = [[_key(one) for one in with_notebook], list(given), [version(name) for name in _LIBRARIES]]
    kept = cache.run(
        "alike-texts", key, AlikeTexts, lambda: Done(value=alike(with_notebook, given), origin="measured-outside")
    )
    found: AlikeTexts = kept.result.value
    return found


def _key(one: Written) -> object:
    """All of it, in an order that is the same in each run."""
    return [one.id, sorted(one.people), sorted(one.named), list(one.cells), one.cut]


def _written(submission: Submission, children: Children) -> Written:
    """What the submission's notebook holds. Members that only a notebook names may be anybody's names."""
    texts = NotebookTexts((), cut=False)
    if submission.notebook is not None:
        texts = notebook_texts(submission.root / submission.notebook, children)
    origin = submission.origin
    members = frozenset(map(_name, origin.members))
    people = {_name(submission.student)}
    if origin.lms_id:
        people.add(f"{origin.source} {origin.lms_id}")
    said = origin.members_from == "notebook"
    return Written(
        submission.id,
        frozenset(people if said else people | members),
        members if said else frozenset(),
        texts.cells,
        texts.cut,
    )


def _name(name: str) -> str:
    return " ".join(name.casefold().split())
