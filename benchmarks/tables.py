"""Puts a generated table between the marks of a page: `<!-- name -->` and `<!-- end of name -->`."""

from __future__ import annotations

from pathlib import Path


def replace(page: Path, name: str, lines: str) -> None:
    """Put `lines` in place of what stands between the marks. Raises `ValueError` where the page lacks them."""
    before, begin, rest = page.read_text(encoding="utf-8").partition(f"<!-- {name} -->\n")
    _, end, after = rest.partition(f"<!-- end of {name} -->")
    if not end:
        raise ValueError(f"{page} has no marks for the table {name!r}")
    page.write_text(before + begin + lines + end + after, encoding="utf-8")
