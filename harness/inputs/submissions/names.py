"""What names have in common."""

from __future__ import annotations

from collections.abc import Sequence


def common_start(names: Sequence[str], separator: str) -> str:
    """What all names begin with, up to and with the last `separator`; empty when that is nothing."""
    first, last = min(names), max(names)
    length = next((i for i, pair in enumerate(zip(first, last, strict=False)) if pair[0] != pair[1]), len(first))
    return first[: first[:length].rfind(separator) + 1]
