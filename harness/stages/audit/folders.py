"""Safe folder names for classes, whose names may come from an XML file and hold any text."""

from __future__ import annotations

import re

_LONGEST = 80  # characters


def folder_names(classes: tuple[str, ...]) -> dict[str, str]:
    """Class -> a unique and safe folder name, which is the class's own name if possible."""
    names: dict[str, str] = {}
    for label in classes:
        plain = re.sub(r"[/\\\0-\x1f\x7f]", "_", label).lstrip(".")[:_LONGEST].strip() or "class"
        unique, number = plain, 1
        while unique.casefold() in {name.casefold() for name in names.values()}:
            number += 1
            unique = f"{plain}-{number}"
        names[label] = unique
    return names
