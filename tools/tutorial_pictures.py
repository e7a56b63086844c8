"""`python tools/tutorial_pictures.py --demo reports/demo --bench bench --package package --work my-work`

Draws the pictures of the tutorials. DEMO is the output folder of `make demo`, BENCH that of the benchmarker's first
command, PACKAGE what `harness release` wrote for the example, WORK a folder to check with it.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

import report_picture
import terminal_picture

_PICTURES = Path(__file__).parents[1] / "docs" / "tutorials" / "pictures"
_LARGEST = 250_000  # bytes of a picture
_CHECK = ("harness", "check", "my-work/", "--assignment", "package/")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--demo", type=Path)
    parser.add_argument("--student", default="anna-de-vries", help="Whose page of the demo is drawn.")
    parser.add_argument("--bench", type=Path)
    parser.add_argument("--package", type=Path)
    parser.add_argument("--work", type=Path)
    given = parser.parse_args()
    _PICTURES.mkdir(parents=True, exist_ok=True)
    if given.demo:
        page = given.demo / "students" / given.student / "index.html"
        report_picture.draw(page, _PICTURES / "student.png", 1200, 1300)
    if given.bench:
        report_picture.draw(given.bench / "index.html", _PICTURES / "bench.png", 1200, 1100)
    if given.package and given.work:
        _draw_check(given.package, given.work)
    large = [one.name for one in _PICTURES.iterdir() if one.stat().st_size > _LARGEST]
    print(*(f"{one.name}: {one.stat().st_size / 1000:.0f} kB" for one in sorted(_PICTURES.iterdir())), sep="\n")
    return 1 if large else 0


def _draw_check(package: Path, work: Path) -> None:
    """The student's command as the tutorial has it, in a folder that holds both under the tutorial's names."""
    with report_picture.temporary_folder() as folder:
        shutil.copytree(package, folder / "package")
        shutil.copytree(work, folder / "my-work")
        said = terminal_picture.said_by((sys.executable, "-m", *_CHECK), folder)
    terminal_picture.draw(_PICTURES / "check.svg", " ".join(_CHECK), said.replace(f"{folder}/", "~/"))


if __name__ == "__main__":
    sys.exit(main())
