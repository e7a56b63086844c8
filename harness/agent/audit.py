"""The phase `audit`: which pictures of the hand-in's own data set can be read, by class folder."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from PIL import Image

from .paths import IN

_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".gif", ".tif", ".tiff", ".heic")
_MOST_PICTURES = 50_000
_MOST_NAMED = 100
_MOST_PIXELS = 100 * 10**6


def run(request: dict[str, Any], send: Callable[[str, Path | bytes], None]) -> None:
    """Count the readable pictures of each class folder; a class is the folder that holds them."""
    Image.MAX_IMAGE_PIXELS = _MOST_PIXELS
    classes: dict[str, int] = {}
    unreadable: list[str] = []
    for number, picture in enumerate(_pictures(IN / "dataset")):
        if number >= _MOST_PICTURES:
            break
        if _decodes(picture):
            classes[picture.parent.name[:200]] = classes.get(picture.parent.name[:200], 0) + 1
        else:
            unreadable.append(str(picture.relative_to(IN / "dataset"))[:200])
    reply = {"classes": classes, "unreadable": unreadable[:_MOST_NAMED], "unreadable_count": len(unreadable)}
    send("audit.json", json.dumps(reply).encode())


def _pictures(folder: Path) -> Iterator[Path]:
    for parent, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted(files):
            if name.lower().endswith(_SUFFIXES) and not name.startswith("."):
                yield Path(parent, name)


def _decodes(picture: Path) -> bool:
    try:
        with Image.open(picture) as opened:
            opened.load()
    except Exception:  # decoders raise many kinds; each means that the picture cannot be used
        return False
    return True
