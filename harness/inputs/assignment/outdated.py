"""Keys that assignment.toml had under another name: still accepted, and translated before the file is checked."""

from __future__ import annotations

from typing import Any


def with_new_keys(raw: dict[str, Any]) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """The parsed file with today's keys, and (old key, what to write instead) for each that was translated.

    A value that the new key could not hold, and an old key beside its new one, stay for the check to refuse.
    """
    mode, section = raw.get("heldout"), raw.get("held_out", {})
    if isinstance(mode, str | list) and isinstance(section, dict) and "mode" not in section:
        rest = {key: value for key, value in raw.items() if key != "heldout"}
        new = {**rest, "held_out": {**section, "mode": mode}}
        return new, [("heldout", "is outdated, and still accepted: write it as mode in the section [held_out]")]
    return raw, []
