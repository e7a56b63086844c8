"""The scenes of the course's held-out images are found by hashes, and reach the intervals."""

from pathlib import Path

import numpy as np
from PIL import Image
from synthetic_scenes import scene, shot

from harness.inputs.images import load, stage
from harness.stages.evaluate.stage import truth_of
from harness.stages.held_out_scenes import scene_numbers


def test_bursts_and_copies_in_a_held_out_set_are_scenes(tmp_path: Path):
    """Three scenes of two photographs, one image twice, and three scenes of one."""
    random = np.random.default_rng(6)
    shots = [[shot(place, random) for _ in range(2)] for place in (scene(random) for _ in range(3))]
    single = [shot(scene(random), random) for _ in range(3)]
    greys = [*shots[0], *shots[1], *shots[2], single[0], single[0], *single[1:]]
    for index, grey in enumerate(greys):
        folder = tmp_path / "held_out" / ("ball" if index < 4 else "mug")
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(grey).resize((256, 256)).save(folder / f"{index:02}.png")
    held_out = load(tmp_path / "held_out")
    numbers = scene_numbers(stage(held_out, tmp_path / "staged"), held_out.truth)
    assert numbers == (0, 0, 2, 2, 4, 4, 6, 6, 8, 9)


def test_a_set_without_known_scenes_has_single_images(tmp_path: Path):
    folder = tmp_path / "held_out"
    for label in ("ball", "mug"):
        (folder / label).mkdir(parents=True)
        Image.new("RGB", (9, 9)).save(folder / label / "one.png")
    truth = truth_of(load(folder))
    assert truth.scenes is None and truth.grouped().count == 2
