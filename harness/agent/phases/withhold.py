"""The phase `withhold`: re-encodes some images of a student's data set, as held-out images are.

The request holds `places` (indices in the data set) and `longest_side` (pixels). Sent: for each of them
`<place>.png`, upright, RGB, without metadata. Later phases get them under other names.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image

from ..dataset import open_tree, read
from ..dataset.describing import opened
from ..paths import IN, WORK


def run(request: dict[str, Any], send: Callable[[str, Path | bytes], None]) -> None:
    """Re-encode and send the images. All decoded in the audit; an image that does not decode now ends the phase."""
    images = read(open_tree(IN / "dataset", WORK)).images
    side = request["longest_side"]
    for place in request["places"]:
        image, _, _ = opened(images[place].file, side)
        image.thumbnail((side, side), Image.Resampling.LANCZOS)
        clean = Image.new("RGB", image.size)
        clean.paste(image)
        stream = io.BytesIO()
        clean.save(stream, "PNG", compress_level=1)
        send(f"{place}.png", stream.getvalue())
