"""The manifest's entries as TOML, one key a line."""

from __future__ import annotations

import json
from collections.abc import Mapping

Entry = dict[str, object]
_HEAD = "# Written by `python -m tools.published` from what the library publishes; by_hand.toml explains the keys.\n"


def document(entries: Mapping[str, Entry]) -> str:
    """The whole file."""
    return _HEAD + "".join(
        f"\n[{name if name.replace('_', '').isalnum() else json.dumps(name)}]\n"
        + "".join(f"{key} = {_value(value)}\n" for key, value in entry.items())
        for name, entry in entries.items()
    )


def _value(value: object) -> str:
    match value:
        case list() | tuple():
            return f"[{', '.join(map(_value, value))}]"
        case dict():
            return f"{{ {', '.join(f'{key} = {_value(one)}' for key, one in value.items())} }}"
        case _:
            return json.dumps(value, ensure_ascii=False)  # TOML writes strings, numbers and booleans alike
