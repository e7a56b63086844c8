"""The stages `detect_worse` and `score_boxes` through a real sandbox: a detector that sees every green ellipse."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from harness.inputs.assignment.limits import ResourceLimits
from harness.inputs.assignment.sections import Robustness
from harness.inputs.given_weights import GivenWeights
from harness.inputs.images import NO_TRAINING_IMAGES, HeldOutSet, StagedImages
from harness.inputs.images.objects import ImageObjects, LabelledBox
from harness.sandbox import Sandbox
from harness.stages.context import StageContext
from harness.stages.detection.asking import Asking, detect
from harness.stages.detection.detect_worse import DETECT_WORSE, DetectWorseRequest
from harness.stages.detection.handed_in import HandedDetector
from harness.stages.detection.score_boxes import SCORE_BOXES, ScoreBoxesRequest
from harness.stages.detection.swap_backgrounds import SWAP_BACKGROUNDS, SwapBackgroundsRequest
from harness.stages.evidence.detections import LabelMeaning
from harness.stages.evidence.stage_result import Done
from harness.stages.store import Store

OWN = b"""
import numpy as np

def predict(images):
    answers = []
    for image in images:
        pixels = image.astype(int)
        rows, columns = np.nonzero(pixels[:, :, 1] - pixels[:, :, 0] > 100)
        height, width = pixels.shape[:2]
        if not len(rows):
            answers.append({"boxes": [], "scores": [], "labels": []})
            continue
        box = [[columns.min() / width, rows.min() / height, (columns.max() + 1) / width, (rows.max() + 1) / height]]
        answers.append({"boxes": box, "scores": [0.9], "labels": [0]})
    return answers
"""
BOXES = ((0.3, 0.4, 0.5, 0.6), (0.45, 0.35, 0.7, 0.55), (0.4, 0.45, 0.5, 0.7), (0.5, 0.5, 0.65, 0.6))
SIZE = (480, 320)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> StageContext:
    from harness.sandbox.bubblewrap import Bubblewrap

    engine: Sandbox = Bubblewrap()
    limits = ResourceLimits(wall_seconds=120, cell_seconds=60, idle_seconds=60, memory=2 * 10**9)
    return StageContext(engine, Store(tmp_path_factory.mktemp("store")), limits)


@pytest.fixture(scope="module")
def staged(tmp_path_factory: pytest.TempPathFactory) -> StagedImages:
    folder = tmp_path_factory.mktemp("images")
    for number, box in enumerate(BOXES):
        image = Image.new("RGB", SIZE, (60, 20 * number, 60))
        corners = np.array(box) * np.tile(SIZE, 2)
        ImageDraw.Draw(image).ellipse(tuple(corners.tolist()), fill=(0, 255, 0))
        image.save(folder / f"{number}.png")
    return StagedImages(folder, tuple(f"{number}.png" for number in range(len(BOXES))), "5eed")


def test_a_detector_that_sees_all_is_right_on_images_that_are_turned_and_farther_away(
    place: StageContext, staged: StagedImages, tmp_path: Path
):
    (tmp_path / "predict.py").write_bytes(OWN)
    detector = HandedDetector(None, (("predict.py", place.store.put(tmp_path / "predict.py", "predict.py")),))
    answers = detect(Asking(detector), staged, place)
    assert isinstance(answers, Done), answers
    said = answers.value.model_copy(update={"meaning": LabelMeaning(as_named=(0,), taken=(0,))})
    rules = Robustness(images=4, corruptions=("rotation", "distance", "brightness"))
    files = tuple(staged.folder / name for name in staged.names)
    truth = tuple(ImageObjects(*SIZE, (LabelledBox(0, *box),)) for box in BOXES)
    held_out = HeldOutSet(("ellipse",), files, (), staged.sha256, objects=truth)
    swapped = SWAP_BACKGROUNDS.work(SwapBackgroundsRequest(held_out, staged, None, 3), place)
    assert isinstance(swapped, Done), swapped.usage.log
    made = swapped.value
    assert (len(made.images), len(made.own), len(made.other), made.source) == (3, 3, 3, "parts")
    for image, blob in zip(made.images, made.other, strict=True):
        corner = np.asarray(Image.open(place.store.path(blob)))[2, 2]
        assert abs(int(corner[1]) - 20 * image) > 10, "the green of the background is another image's"
    worse = DETECT_WORSE.work(
        DetectWorseRequest(said, NO_TRAINING_IMAGES, GivenWeights(None, {}, {}), staged, None, rules, made), place
    )
    assert isinstance(worse, Done), worse.usage.log
    scored = SCORE_BOXES.work(ScoreBoxesRequest(said, held_out, None, worse.value), place)
    assert isinstance(scored, Done), scored
    found = scored.value.corrupted
    assert found.clean == pytest.approx(1)
    for corruption in ("rotation", "distance"):
        assert found.worse[corruption] == {1: pytest.approx(1), 3: pytest.approx(1), 5: pytest.approx(1)}, corruption
    alarms = scored.value.false_alarms
    assert (alarms.images, scored.value.false_alarms_source) == (30, "patterns")
    assert any("30 drawn patterns" in sentence for sentence in scored.value.sentences)
    before = scored.value.backgrounds
    assert (before.images, before.objects, before.own, before.other) == (3, 3, 3, 3)
    assert any("before their own background" in sentence for sentence in scored.value.sentences)
