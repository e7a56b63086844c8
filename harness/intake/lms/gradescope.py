"""Gradescope: the export of all submissions, `submission_<id>/` folders and a submission_metadata.yml.

The metadata has, for each folder, `:submitters` (name, sid, email), `:created_at`, and `:history` of earlier
tries, whose files are not part of the export.
"""

from __future__ import annotations

import datetime
from typing import Any

import yaml

from harness.errors import UsageError
from harness.intake.delivery import NOT_THIS_ONE, Attempt, Delivery, Piece, Reading
from harness.intake.place import Place

TITLE = "Gradescope"

_METADATA = "submission_metadata.yml"
_METADATA_BYTES = 50_000_000


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Safe YAML; Ruby's own tags are read as plain values, never made into objects."""


def _plain(loader: yaml.SafeLoader, _tag: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.MappingNode):
        value = loader.construct_mapping(node, deep=True)
        return value.get("utc") or value  # ActiveSupport::TimeWithZone
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_scalar(node) if isinstance(node, yaml.ScalarNode) else None


_Loader.add_multi_constructor("!ruby/", _plain)


def read(place: Place) -> Reading:
    """Gradescope's, when the metadata are there. Raises `UsageError` when they cannot be read."""
    folders = {entry.name for entry in place.entries() if entry.is_folder}
    if not any(entry.name == _METADATA for entry in place.entries()):
        return NOT_THIS_ONE
    try:
        metadata = yaml.load(place.text(_METADATA, _METADATA_BYTES), Loader=_Loader)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        line = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UsageError(f"{_METADATA}: cannot be read: {line}", "export the submissions again") from error
    if not isinstance(metadata, dict):
        return NOT_THIS_ONE
    known = {str(name): about for name, about in metadata.items() if str(name) in folders and isinstance(about, dict)}
    return Reading(tuple(_delivery(name, about) for name, about in known.items()), frozenset({_METADATA}))


def _delivery(folder: str, about: dict[Any, Any]) -> Delivery:
    submitters = [one for one in _list(about, "submitters") if isinstance(one, dict)]
    names = [text for one in submitters if (text := _text(one, "name"))]
    first = submitters[0] if submitters else {}
    id = _text(first, "sid") or _text(first, "email") or folder
    history = [one for one in _list(about, "history") if isinstance(one, dict)]
    at = _time(about)
    current = Attempt((Piece(folder),), at.isoformat(" ", "seconds") if at else folder, at, order=1)
    earlier = [
        Attempt((), when.isoformat(" ", "seconds") if when else f"try {number}", when)
        for number, one in enumerate(history, start=1)
        if (when := _time(one)) is None or at is None or when < at
    ]
    return Delivery(
        student=" & ".join(names) or folder,
        key=f"{names[0] if names else folder}-{id.partition('@')[0]}",
        attempts=(current, *earlier),
        entries=frozenset({folder}),
        why=f"{_METADATA}: {folder} is of {', '.join(names) or 'nobody'}",
        lms_id=id,
        members=tuple(names) if len(names) > 1 else (),
        clock="Gradescope",
    )


def _field(about: dict[Any, Any], name: str) -> Any:
    """Ruby writes symbols: `:name`."""
    return about.get(f":{name}", about.get(name))


def _list(about: dict[Any, Any], name: str) -> list[Any]:
    value = _field(about, name)
    return value if isinstance(value, list) else []


def _text(about: dict[Any, Any], name: str) -> str:
    value = _field(about, name)
    return str(value).strip() if isinstance(value, str | int) else ""


def _time(about: dict[Any, Any]) -> datetime.datetime | None:
    value = _field(about, "created_at")
    if isinstance(value, str):
        try:
            value = datetime.datetime.fromisoformat(value.replace(" UTC", "+00:00").replace(" Z", "+00:00"))
        except ValueError:
            return None
    if not isinstance(value, datetime.datetime):
        return None
    return value if value.tzinfo else value.replace(tzinfo=datetime.UTC)
