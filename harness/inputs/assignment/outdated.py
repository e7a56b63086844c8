"""Keys that assignment.toml had under another name: still accepted, and translated before the file is checked."""

from __future__ import annotations

from typing import Any

Renamed = tuple[tuple[str, ...], str]  # where the old key stands, and what to write instead


def with_new_keys(raw: dict[str, Any]) -> tuple[dict[str, Any], list[Renamed]]:
    """The parsed file with today's keys, and what was translated.

    A value that the new key could not hold, and an old key beside its new one, stay for the check to refuse.
    """
    renamed: list[Renamed] = []
    mode, section = raw.get("heldout"), raw.get("held_out", {})
    if isinstance(mode, str | list) and isinstance(section, dict) and "mode" not in section:
        rest = {key: value for key, value in raw.items() if key != "heldout"}
        raw = {**rest, "held_out": {**section, "mode": mode}}
        renamed.append((("heldout",), f"{_STILL} mode in the section [held_out]"))
    section = raw.get("robustness", {})
    if isinstance(section, dict) and "looks" in section and "occlusion_maps" not in section:
        rest = {key: value for key, value in section.items() if key != "looks"}
        raw = {**raw, "robustness": {**rest, "occlusion_maps": section["looks"]}}
        renamed.append((("robustness", "looks"), f"{_STILL} occlusion_maps"))
    return raw, renamed


_STILL = "is outdated, and still accepted: write it as"
