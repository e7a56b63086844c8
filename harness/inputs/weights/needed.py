"""Finds which entries of the manifest a class's notebooks need, and what they need that it lacks."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from harness.inputs.submission import Submission
from harness.inputs.submissions.child import Unreadable, ask_alone, path_text
from harness.inputs.weights.asked import Call, asks
from harness.inputs.weights.manifest import asked_as, by_address


@dataclass(frozen=True, slots=True)
class Needed:
    """Needed names of the manifest, and calls that it has no entry for, each with the ids of the submissions."""

    names: dict[str, list[str]] = field(default_factory=dict)
    unknown: dict[str, list[str]] = field(default_factory=dict)


def needed_by(submissions: Iterable[Submission]) -> Needed:
    """Read each submission's notebook in a separate process; none is run."""
    found = Needed()
    for submission in submissions:
        if submission.notebook is None:
            continue
        names, unknown = _of(submission.root / submission.notebook)
        for name in names:
            found.names.setdefault(name, []).append(submission.id)
        for ask in unknown:
            found.unknown.setdefault(ask, []).append(submission.id)
    return found


def _of(notebook: Path) -> tuple[list[str], list[str]]:
    """The names that one notebook needs, each once, and its calls without an entry."""
    names: dict[str, None] = {}
    unknown: dict[str, None] = {}
    try:
        said = ask_alone("calls", notebook=path_text(notebook.absolute()))
    except Unreadable:
        return [], []
    for call in _calls(said):
        for ask in asks(call):
            entries = asked_as(ask)
            names |= dict.fromkeys(entry.name for entry in entries)
            if not entries:
                unknown[ask] = None
    for address in _list(said, "addresses"):
        entry = by_address(address) if isinstance(address, str) else None
        if entry is not None:
            names[entry.name] = None
    return list(names), list(unknown)


def _calls(said: object) -> list[Call]:
    """The calls that have a valid form."""
    calls = []
    for one in _list(said, "calls"):
        if isinstance(one, list) and len(one) == 3:
            with contextlib.suppress(ValidationError):
                calls.append(Call.model_validate(dict(zip(Call.model_fields, one, strict=True))))
    return calls


def _list(said: object, key: str) -> list[object]:
    found = said.get(key) if isinstance(said, dict) else None
    return found if isinstance(found, list) else []
