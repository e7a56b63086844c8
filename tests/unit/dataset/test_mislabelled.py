"""Wrong labels are named; hard classes are not."""

import numpy as np

from harness.stages.audit.mislabelled import suspects


def _features(random: np.random.Generator, per_class: int, apart: float) -> tuple[list[str], np.ndarray]:
    centres = random.normal(size=(3, 200)) * apart
    labels = [name for name in ("ball", "cup", "mug") for _ in range(per_class)]
    rows = np.repeat(centres, per_class, axis=0) + random.normal(size=(3 * per_class, 200))
    return labels, rows.astype(np.float32)


def test_images_in_the_wrong_folder_are_named():
    labels, rows = _features(np.random.default_rng(0), 40, 0.8)
    labels[3], labels[50] = "mug", "ball"
    found = suspects(labels, np.arange(120), rows)
    assert {(one.picture, one.label, one.looks_like) for one in found} == {(3, "mug", "ball"), (50, "ball", "cup")}


def test_a_clean_set_has_no_suspects_however_hard():
    for seed in range(6):
        for apart in (0.05, 0.15, 0.3, 0.8):
            labels, rows = _features(np.random.default_rng(seed), 40, apart)
            assert suspects(labels, np.arange(120), rows) == (), (seed, apart)


def test_too_few_images_are_not_judged():
    labels, rows = _features(np.random.default_rng(0), 6, 0.8)
    labels[3] = "mug"
    assert suspects(labels, np.arange(18), rows) == ()


def test_a_burst_in_the_wrong_folder_does_not_vouch_for_itself():
    """The group is left out as a whole, of the folds and of the neighbours."""
    labels, rows = _features(np.random.default_rng(1), 40, 2.0)
    rows[1:6] = rows[0]
    for i in range(6):
        labels[i] = "mug"
    groups = np.arange(120)
    groups[:6] = 0
    assert {one.picture for one in suspects(labels, groups, rows)} >= set(range(6))
