"""Folder names for classes: a class's name may come out of an XML file and hold anything."""

from __future__ import annotations

import re

_LONGEST = 80  # characters


def folder_names(classes: tuple[str, ...]) -> dict[str, str]:
    """Class -> a name that is harmless as a folder's; different for each class, and the class's own where it can be."""
    names: dict[str, str] = {}
    for label in classes:
        plain = re.sub(r"[/\\\0-\x1f\x7f]", "_", label).lstrip(".")[:_LONGEST].strip() or "class"
        unique, number = plain, 1
        while unique.casefold() in {name.casefold() for name in names.values()}:
            number += 1
            unique = f"{plain}-{number}"
        names[label] = unique
    return names
