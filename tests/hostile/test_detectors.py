"""Lines 36, 40 and 42 for detectors: a predict.py that remembers, counts, floods, lies or hangs gains nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from harness.inputs.assignment.limits import ResourceLimits
from harness.inputs.images import StagedImages
from harness.sandbox import Sandbox
from harness.stages.context import StageContext
from harness.stages.detection.asking import Asking, detect
from harness.stages.detection.handed_in import HandedDetector
from harness.stages.detection.reply import MOST_OF_AN_IMAGE
from harness.stages.evidence.stage_result import Done, Failed
from harness.stages.store import Store

COUNT = 12
REMEMBERS = """
seen = set()
def predict(images):
    key = images[0].tobytes()
    first = key not in seen
    seen.add(key)
    return [([[0.1, 0.1, 0.5, 0.5]], [0.9 if first else 0.4], [1])]
"""
COUNTS = """
calls = [0]
def predict(images):
    calls[0] += 1
    return [([[0.1, 0.1, 0.5, 0.5]], [0.9], [calls[0] % 5])]
"""
KEEPS_A_FILE = """
import pathlib
KEPT = pathlib.Path("/tmp/calls")
def predict(images):
    calls = int(KEPT.read_text()) + 1 if KEPT.exists() else 0
    KEPT.write_text(str(calls))
    return [([[0.1, 0.1, 0.5, 0.5]], [0.9 - calls / 100], [1])]
"""
FLOODS = """
import numpy as np
def predict(images):
    many = 1_000_000
    scores = np.linspace(0, 1, many)  # the surest last
    return [(np.tile([0.1, 0.1, 0.5, 0.5], (many, 1)), scores, np.ones(many))]
"""
LIES = """
nan, inf = float("nan"), float("inf")
def predict(images):
    boxes = [[0, 0, 1, 1], [nan] * 4, [0.9, 0.9, 0.1, 0.1], [-inf, 0, inf, 1], [-3, -3, -2, -2], [0, 0, 1, 1], [0] * 4]
    return [(boxes, [0.2, 0.9, 0.8, 0.7, 0.6, nan, 0.5], [1, 1, 1, 1, 1, 1, 10**9])]
"""
TOO_SURE = "def predict(images):\n    return [([[0, 0, 1, 1]], [1e30], [1])]\n"
TWO_GIGABYTES = """
import numpy as np
def predict(images):
    many = 100_000_000
    return [(np.zeros((many, 4), np.float32), np.zeros(many, np.float32), np.zeros(many, np.float32))]
"""
HANGS = "import time\ndef predict(images):\n    time.sleep(10_000)\n"
DIES = "import os, signal\ndef predict(images):\n    os.kill(os.getpid(), signal.SIGKILL)\n"
SPEAKS = "import os\ndef predict(images):\n    os.write(1, b'x' * 10_000)\n    return [([], [], [])]\n"
WRITES_INTO_THE_PIPE = """
import os
def predict(images):
    for descriptor in range(3, 64):
        try:
            os.write(descriptor, b'{"first": 0}')
        except OSError:
            pass
    return [([[0, 0, 1, 1]], [0.9], [1])]
"""


@pytest.fixture
def asked(engine: Sandbox, tmp_path: Path) -> Callable[..., Any]:
    """What the stage says of a predict.py, asked about twelve images of noise."""
    random = np.random.default_rng(3)
    names = tuple(f"{number}.png" for number in range(COUNT))
    for name in names:
        Image.fromarray(random.integers(0, 256, (40, 50, 3), np.uint8)).save(tmp_path / name)
    store = Store(tmp_path / "store")

    def ask(code: str, wall_seconds: float = 90, memory: int = 2 * 10**9) -> Any:
        (tmp_path / "predict.py").write_text(code)
        detector = HandedDetector(None, (("predict.py", store.put(tmp_path / "predict.py", "predict.py")),))
        limits = ResourceLimits(wall_seconds=wall_seconds, cell_seconds=20, idle_seconds=20, memory=memory)
        return detect(Asking(detector), StagedImages(tmp_path, names, "5eed"), StageContext(engine, store, limits))

    return ask


@pytest.mark.hostile(line=42, expected="F asked twice, it gives other boxes; waits for a person", docker={KEEPS_A_FILE})
@pytest.mark.parametrize("code", [REMEMBERS, COUNTS, KEEPS_A_FILE], ids=["seen", "position", "file"])
def test_a_detector_that_remembers_is_found_out(asked: Callable[..., Any], code: str, got: Callable[[str], None]):
    result = asked(code)
    assert isinstance(result, Done) and result.value.depends_on_order
    assert [one.code for one in result.findings] == ["detector-depends-on-order"]
    got(f"largest difference {result.value.largest_difference:.2g} of {result.value.asked_twice} asked twice")


@pytest.mark.hostile(line=40, expected="F the surest 1,000 of an image; the rest counted", docker=set())
def test_a_million_boxes_of_each_image_are_cut_to_the_surest(asked: Callable[..., Any], got: Callable[[str], None]):
    result = asked(FLOODS)
    assert isinstance(result, Done), result
    assert result.value.every.count == COUNT * MOST_OF_AN_IMAGE
    assert result.value.faults.too_many == COUNT * (1_000_000 - MOST_OF_AN_IMAGE)
    got(next(one.message for one in result.findings if one.code == "detector-boxes-left-out"))


@pytest.mark.hostile(line=40, expected="F each fault counted; no box that is none hits")
def test_boxes_that_are_none_are_counted(asked: Callable[..., Any], got: Callable[[str], None]):
    result = asked(LIES)
    assert isinstance(result, Done), result
    faults = result.value.faults
    assert (faults.no_box, faults.no_score, faults.no_class) == (3 * COUNT, COUNT, COUNT)
    assert result.value.every.count == 5 * COUNT
    got("; ".join(one.code for one in result.findings))


@pytest.mark.hostile(line=40, expected="F refused, with why", docker=set())
def test_scores_that_are_none_are_refused(asked: Callable[..., Any], got: Callable[[str], None]):
    result = asked(TOO_SURE)
    assert isinstance(result, Failed) and "from 0 to 1" in result.detail
    got(result.detail)


@pytest.mark.hostile(line=36, expected="L or F; the harness keeps its memory", docker={HANGS})
@pytest.mark.parametrize(
    ("code", "status"),
    [
        (TWO_GIGABYTES, ("memory", "rejected", "failed")),
        (HANGS, ("timeout",)),
        (DIES, ("killed", "rejected", "failed")),
    ],
    ids=["gigabytes", "hangs", "dies"],
)
def test_one_that_floods_hangs_or_dies_is_stopped(
    asked: Callable[..., Any], code: str, status: tuple[str, ...], got: Callable[[str], None]
):
    result = asked(code, wall_seconds=20 if code is HANGS else 90)
    assert isinstance(result, Failed) and result.status in status, result
    assert [one.code for one in result.findings] == ["prediction-failed"]
    got(f"{result.status}: {result.reason}")


@pytest.mark.hostile(line=40, expected="no answer but its own boxes", docker=set())
@pytest.mark.parametrize("code", [SPEAKS, WRITES_INTO_THE_PIPE], ids=["prints", "pipe"])
def test_what_it_prints_is_no_answer(asked: Callable[..., Any], code: str, got: Callable[[str], None]):
    result = asked(code)
    assert result.status == ("ok" if code is SPEAKS else "rejected"), result
    got(result.status)
