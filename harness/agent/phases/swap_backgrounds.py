"""The phase `swap_backgrounds`: puts the objects of images before other backgrounds. No student code is here.

The request holds `boxes`, for each image of the list `images` its objects' corners, as shares of the upright image's
sides, and `scenes`, a number for each. The list `unseen` has images of other objects, the backgrounds; without it they
are the parts of images of other scenes that show no object, and without such parts drawn patterns. Sent: for each image
`<number>-own.png` and `<number>-other.png`, its objects before its own background and before another, and
`backgrounds.json` with the source.

Which background an image gets follows from the contents, not from the order.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from ..images.backgrounds import before, free_part
from ..images.corruptions import shrunk
from ..images.patterns import pattern
from ..images.preprocessing import upright

_PATTERNS = 12
Donor = tuple[str, int | None, Image.Image]  # SHA-256 of a background's file, its scene if it is known, and itself


def run(request: dict[str, Any], send: Callable[[str, Path | bytes], None]) -> None:
    """Make and send the images. They decoded when they were staged; one that does not now ends the phase."""
    encoded = list(request["images"].take("images"))
    images = [shrunk(upright(one)) for one in encoded]
    names = [hashlib.sha256(one).hexdigest() for one in encoded]
    given = [(hashlib.sha256(one).hexdigest(), None, shrunk(upright(one))) for one in request["images"].take("unseen")]
    scenes = request["scenes"]
    source, donors = _donors(given, images, names, scenes, request["boxes"])
    for number, (image, name, mine, boxes) in enumerate(zip(images, names, scenes, request["boxes"], strict=True)):
        others = [background for of, scene, background in donors if of != name and scene != mine]
        background = others[int(name[:8], 16) % len(others)] if others else pattern(int(name[:8], 16) % _PATTERNS)
        send(f"{number}-own.png", _png(before(image, boxes, image)))
        send(f"{number}-other.png", _png(before(image, boxes, background)))
    send("backgrounds.json", json.dumps({"source": source}).encode())


def _donors(
    given: Sequence[Donor],
    images: Sequence[Image.Image],
    names: Sequence[str],
    scenes: Sequence[int],
    boxes: Sequence[Any],
) -> tuple[str, list[Donor]]:
    """Where the backgrounds come from, and the backgrounds, in the order of the files' hashes."""
    if given:
        return "folder", sorted(given, key=lambda one: one[0])
    parts = [free_part(image, drawn) for image, drawn in zip(images, boxes, strict=True)]
    found: list[Donor] = [(n, of, part) for n, of, part in zip(names, scenes, parts, strict=True) if part is not None]
    if len({scene for _, scene, _ in found}) > 1:
        return "parts", sorted(found, key=lambda one: one[0])
    return "patterns", [("", None, pattern(number)) for number in range(_PATTERNS)]


def _png(image: Image.Image) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "PNG", compress_level=1)
    return stream.getvalue()
