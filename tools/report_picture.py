"""`python tools/report_picture.py OUT docs/report.png`: a picture of the class's page in OUT, drawn by Chromium.

OUT is the folder of a run (`make demo` writes reports/demo). For another page: `--page submissions/ID/index.html`.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image

_LARGEST = 300_000  # bytes, because everyone who clones gets the image
_COLOURS = 128  # enough for a page of text and bars
_SECONDS = 120
_FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run", "--disable-sync")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("picture", type=Path)
    parser.add_argument("--page", default="index.html")
    parser.add_argument("--width", type=int, default=1200)
    parser.add_argument("--height", type=int, default=1170)
    given = parser.parse_args()
    size = draw(given.out / given.page, given.picture, given.width, given.height)
    print(f"{given.picture}: {size / 1000:.0f} kB")
    return 0 if size < _LARGEST else 1


def draw(page: Path, picture: Path, width: int, height: int) -> int:
    """Draw the page's first `width` x `height` pixels as a PNG of few colours; returns its bytes."""
    names = ("chromium", "chromium-browser", "google-chrome")
    chromium = next(filter(None, map(shutil.which, names)), None)
    if chromium is None:
        sys.exit(f"none of {', '.join(names)} is here; install Debian's chromium")
    with temporary_folder() as folder:
        drawn = folder / "page.png"
        window = (f"--window-size={width},{height}", f"--user-data-dir={folder}/profile")
        command = [chromium, *_FLAGS, *window, f"--screenshot={drawn}", page.resolve(strict=True).as_uri()]
        subprocess.run(command, check=True, capture_output=True, timeout=_SECONDS)
        with Image.open(drawn) as image:
            image.convert("RGB").quantize(_COLOURS, dither=Image.Dither.NONE).save(picture, optimize=True)
    return picture.stat().st_size


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="picture-") as folder:
        yield Path(folder)


if __name__ == "__main__":
    sys.exit(main())
