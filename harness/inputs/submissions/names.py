"""The common beginning of names."""

from __future__ import annotations

from collections.abc import Sequence


def common_start(names: Sequence[str], separator: str) -> str:
    """The common beginning of all names, up to and including the last `separator`; empty if there is none."""
    first, last = min(names), max(names)
    length = next((i for i, pair in enumerate(zip(first, last, strict=False)) if pair[0] != pair[1]), len(first))
    return first[: first[:length].rfind(separator) + 1]
