"""`python tools/report_picture.py OUT docs/report.png`: a picture of the class's page in OUT, drawn by Chromium.

OUT is the folder of a run (`make demo` writes reports/demo). For another page: `--page submissions/ID/index.html`.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
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
    page = (given.out / given.page).resolve(strict=True)
    names = ("chromium", "chromium-browser", "google-chrome")
    chromium = next(filter(None, map(shutil.which, names)), None)
    if chromium is None:
        sys.exit(f"none of {', '.join(names)} is here; install Debian's chromium")
    with tempfile.TemporaryDirectory() as folder:
        drawn = Path(folder) / "page.png"
        window = (f"--window-size={given.width},{given.height}", f"--user-data-dir={folder}/profile")
        command = [chromium, *_FLAGS, *window, f"--screenshot={drawn}", page.as_uri()]
        subprocess.run(command, check=True, capture_output=True, timeout=_SECONDS)
        with Image.open(drawn) as image:
            image.convert("RGB").quantize(_COLOURS, dither=Image.Dither.NONE).save(given.picture, optimize=True)
    size = given.picture.stat().st_size
    print(f"{given.picture}: {size / 1000:.0f} kB")
    return 0 if size < _LARGEST else 1


if __name__ == "__main__":
    sys.exit(main())
