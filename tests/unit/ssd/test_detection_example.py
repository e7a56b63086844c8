"""The rendered detection example: boxes enclose what is seen of each object, and the same seed draws the same."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[3]
EXAMPLE = REPOSITORY / "reference_solution" / "detection"
PROGRAM = """
import sys
import numpy as np
import render_images, several_objects
from rendering import trace

drawn = []
for conditions in (several_objects.TRAINING, several_objects.HELD_OUT):
    kept = []
    wanted = trace.render_with_solids
    several_objects.render_with_solids = lambda scene, side: kept.append(scene) or wanted(scene, side)
    found = several_objects.photographed(conditions, np.random.default_rng(4), 64)
    again = several_objects.photographed(conditions, np.random.default_rng(4), 64)
    assert (found.objects, found.image.tobytes()) == (again.objects, again.image.tobytes())
    assert 2 <= len(found.objects) <= 5
    seen = trace.seen_solids(kept[0], 64)
    for number, (name, (left, top, right, bottom)) in enumerate(found.objects):
        assert name in several_objects.CLASSES
        rows, columns = (seen == number).nonzero()
        assert (left, top, right, bottom) == (columns.min(), rows.min(), columns.max(), rows.max())
    drawn.append(found)
assert drawn[0].image.tobytes() != drawn[1].image.tobytes()
written = render_images._annotation("1.jpg", drawn[0]).findall("object/bndbox")
sides = [[int(one.findtext(side)) for side in ("xmin", "ymin", "xmax", "ymax")] for one in written]
assert sides == [[side + 1 for side in box] for _, box in drawn[0].objects]
print("as drawn")
"""


def test_boxes_enclose_what_is_seen():
    """In a program of its own, since the example's folders are not packages."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=EXAMPLE, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.stdout == "as drawn\n", done.stderr


SAME_PIXELS = """
import numpy as np
import render_images, several_objects
from rendering import tiles, trace

for conditions, seed in ((several_objects.TRAINING, 4), (several_objects.HELD_OUT, 5)):
    wanted, kept = trace.render_with_solids, []
    several_objects.render_with_solids = lambda scene, side: kept.append(scene) or wanted(scene, side)
    several_objects.photographed(conditions, np.random.default_rng(seed), 64)
    passed, clear = [], tiles.clear
    tiles.clear = lambda *cones: passed.append(clear(*cones)) or passed[-1]
    quick = wanted(kept[0], 64)
    assert len(passed) == 2 and all(0.1 < of_tiles.mean() < 1 for of_tiles in passed)  # of the camera, of the light
    tiles.clear = lambda nearest, start, *rest: np.zeros(len(start), bool)
    roomy, tiles.roomy = tiles.roomy, lambda nearest, points, *rest: np.zeros(len(points), bool)
    for one, other in zip(quick, wanted(kept[0], 64), strict=True):
        assert one.dtype == other.dtype and one.tobytes() == other.tobytes()
    tiles.clear, tiles.roomy = clear, roomy
print("the same")
"""


def test_tiles_that_are_passed_over_change_no_pixel():
    done = subprocess.run(
        [sys.executable, "-c", SAME_PIXELS], cwd=EXAMPLE, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.stdout == "the same\n", done.stderr


@pytest.mark.parametrize("example", ["classification", "detection"])
def test_images_are_drawn_with_numpy_and_pillow_alone(example: str, tmp_path: Path):
    """`make demo` draws them while everything else is still being installed."""
    for name in ("numpy", "numpy.libs", "PIL", "pillow.libs"):
        if (package := Path(sysconfig.get_path("platlib"), name)).exists():
            (tmp_path / name).symlink_to(package)
    done = subprocess.run(
        [sys.executable, "-S", "-c", "import render_images"],
        cwd=EXAMPLE.with_name(example), env={"PYTHONPATH": str(tmp_path)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
