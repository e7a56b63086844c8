"""Copies and bursts are found; other photographs of the same kind are not."""

import numpy as np
import pytest
from synthetic_scenes import of_greys, scene, shot

from harness.grading.similarity.shared_images import shared
from harness.grading.similarity.shared_parts import Owned
from harness.stages.audit import scene_map
from harness.stages.audit.hashing import distances, hashes, oriented
from harness.stages.audit.matching import detail, match


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(7)


def test_a_burst_is_one_scene_and_not_one_copy(random):
    place = scene(random)
    found = match(detail(shot(place, random)), detail(shot(place, random)))
    assert found.same_scene and not found.copy


@pytest.mark.parametrize("orientation", range(8))
def test_a_turned_or_mirrored_copy_is_a_copy(orientation, random):
    one = shot(scene(random), random)
    other = np.clip(oriented(one, orientation) * 0.8 + random.normal(0, 1, one.shape), 0, 255).astype(np.uint8)
    assert match(detail(one), detail(other)).copy


def test_two_scenes_are_two(random):
    assert not match(detail(shot(scene(random), random)), detail(shot(scene(random), random))).perhaps_same_scene


def test_a_image_without_detail_matches_nothing():
    flat = np.full((128, 128), 90, np.uint8)
    assert not match(detail(flat), detail(flat)).same_scene


def test_exact_copies_bursts_and_single_images_are_told_apart(random):
    first, second = scene(random), scene(random)
    copy = shot(first, random)
    greys = [
        copy,
        shot(second, random),
        copy.copy(),
        shot(second, random),
        shot(second, random),
        shot(scene(random), random),
    ]
    found = scene_map(of_greys(greys, ["mug"] * 6))
    assert found.exact == ((0, 2),) and found.copies == ((0, 2),)
    assert found.scenes == ((0, 2), (1, 3, 4))
    assert list(found.group_of(6)) == [0, 1, 0, 1, 1, 5]


def test_a_hash_survives_resampling(random):
    one = shot(scene(random), random)
    half = one.reshape(64, 2, 64, 2).mean(axis=(1, 3)).repeat(2, axis=0).repeat(2, axis=1).astype(np.uint8)
    assert distances(hashes(one[None]), hashes(half[None])).item() <= 6


def test_a_photograph_of_another_student_is_found_even_re_encoded(random):
    mine = [shot(scene(random), random) for _ in range(6)]
    taken = np.clip(mine[2].astype(float) + random.normal(0, 2, mine[2].shape), 0, 255).astype(np.uint8)
    theirs = [shot(scene(random), random) for _ in range(5)] + [taken]
    sets = {
        name: Owned(tuple(f"{name}{i}" for i in range(6)), lambda greys=greys: np.stack(greys))
        for name, greys in {"a": mine, "b": theirs}.items()
    }
    found = shared(sets)
    assert found.pairs == {"a": {"b": [(2, 5)]}, "b": {"a": [(5, 2)]}}
    assert not found.cut


def test_students_at_one_table_share_no_photograph(random):
    """Two photographs of one scene are two: students may use one room."""
    place = scene(random)
    shots = {name: shot(place, random)[None] for name in "ab"}
    assert shared({name: Owned((name,), lambda name=name: shots[name]) for name in "ab"}).pairs == {}
