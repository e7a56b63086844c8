"""Reads Gradescope's submission_metadata.yml: who handed in each folder, and when. No aliases, no objects."""

from __future__ import annotations

import datetime
from typing import Any

import yaml

from .safe_yaml import refuse_costly
from .sources import Unreadable, whole, yaml_trouble

_BYTES = 8_000_000
_SUBMITTERS, _TRIES = 12, 40
_CHARACTERS = 80  # of a name; JSON takes up to six bytes for one


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Safe YAML; Ruby's tags are read as plain values, never as objects."""


def _plain(loader: yaml.SafeLoader, _tag: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.MappingNode):
        value = loader.construct_mapping(node, deep=True)
        return value.get("utc") or value  # ActiveSupport::TimeWithZone
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_scalar(node) if isinstance(node, yaml.ScalarNode) else None


def _time_or_text(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> Any:
    """A time, or the text if it is not valid: a 45th of a month spoils one entry, not the file."""
    try:
        return loader.construct_yaml_timestamp(node)
    except (ValueError, OverflowError):
        return loader.construct_scalar(node)


_Loader.add_multi_constructor("!ruby/", _plain)
_Loader.add_constructor("tag:yaml.org,2002:timestamp", _time_or_text)


def metadata(file: dict[str, Any], folders: list[str]) -> dict[str, Any]:
    """For each of `folders` in the file: `submitters` ([name, sid, email]), `at`, and `tries` (ISO times).

    A time that cannot be read is the text "?". Raises `Unreadable` for the file as a whole.
    """
    try:
        text = whole(file, _BYTES)
        refuse_costly(text, _Loader)
        document = yaml.load(text, Loader=_Loader)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise Unreadable(yaml_trouble(error)) from error
    if not isinstance(document, dict):
        raise Unreadable("it is no list of submissions")
    named = {str(name): about for name, about in document.items() if isinstance(about, dict)}
    return {folder: _described(named[folder]) for folder in folders if folder in named}


def _described(about: dict[Any, Any]) -> dict[str, Any]:
    people = [one for one in _list(about, "submitters") if isinstance(one, dict)]
    return {
        "submitters": [[_text(one, part) for part in ("name", "sid", "email")] for one in people[:_SUBMITTERS]],
        "at": _time(about),
        "tries": [_time(one) for one in _list(about, "history")[:_TRIES] if isinstance(one, dict)],
    }


def _field(about: dict[Any, Any], name: str) -> Any:
    """The field `name`; Ruby writes keys as symbols, `:name`, newer exports write them plain."""
    return about.get(f":{name}", about.get(name))


def _list(about: dict[Any, Any], name: str) -> list[Any]:
    value = _field(about, name)
    return value if isinstance(value, list) else []


def _text(about: dict[Any, Any], name: str) -> str:
    value = _field(about, name)
    return str(value).strip()[:_CHARACTERS] if isinstance(value, str | int) else ""


def _time(about: dict[Any, Any]) -> str:
    value = _field(about, "created_at")
    if isinstance(value, str):
        try:
            value = datetime.datetime.fromisoformat(value.replace(" UTC", "+00:00").replace(" Z", "+00:00"))
        except ValueError:
            return "?"
    if not isinstance(value, datetime.datetime):
        return "?" if value else ""
    return (value if value.tzinfo else value.replace(tzinfo=datetime.UTC)).isoformat()
