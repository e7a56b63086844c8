"""Comparisons of images grow with their number, not with its square, and say so where they are cut."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import tracemalloc
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from synthetic_scenes import image_set, of_greys, scene, shot

from harness.grading.similarity.shared_images import shared
from harness.grading.similarity.shared_parts import Owned
from harness.stages.audit import ImageSet, scene_map
from harness.stages.audit.alike import BITS, alike
from harness.stages.audit.hashing import distances, hashes, oriented
from harness.stages.audit.joined import Joined
from harness.stages.audit.matching import detail, match
from harness.stages.audit.proposing import proposed

MIB = 2**20
Greys = NDArray[np.uint8]


def peak(work: Callable[[], object]) -> int:
    """Bytes that Python and numpy took at most beyond what was there before."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def all_but_equal(count: int) -> ImageSet:
    """Flat images, one pixel of each a level brighter: every hash is near every other."""
    greys = np.full((count, 128, 128), 90, np.uint8)
    for number in range(count):
        greys[number, number % 128, number // 128 % 128] = 91
    return of_greys(list(greys), ["mug"] * count)


def owned(*greys: Greys) -> dict[str, Owned]:
    return {
        f"s{number:03}": Owned(tuple(f"{number}-{i}" for i in range(len(own))), lambda own=own: own)
        for number, own in enumerate(greys)
    }


# --- one data set -------------------------------------------------------------------------------


def every_pair(images: ImageSet) -> set[tuple[int, int]]:
    """What hashes propose, by comparing each image with each other in each orientation."""
    upright = hashes(images.greys)
    found = set()
    for orientation in range(8):
        near = distances(hashes(oriented(images.greys, orientation)), upright) <= 22
        found |= {(min(i, j), max(i, j)) for i, j in np.argwhere(near).tolist() if i != j}
    return found


def test_a_set_of_honest_size_proposes_every_pair():
    images = image_set(scenes=30, shots=6, seed=3)
    pairs, complete = proposed(images, np.arange(len(images)))
    assert complete and pairs == sorted(every_pair(images))


def test_the_sets_are_those_of_all_pairs():
    images = image_set(scenes=12, shots=5, seed=4)
    copies, scenes, groups = (Joined(len(images)) for _ in range(3))
    details = [detail(grey) for grey in images.greys]
    for i, j in every_pair(images):
        seen = match(details[i], details[j])
        for sets, is_one in ((copies, seen.copy), (scenes, seen.same_scene), (groups, seen.perhaps_same_scene)):
            if is_one:
                sets.join(i, j)
    found = scene_map(images)
    assert found.complete and len(found.scenes) == 12
    assert (found.copies, found.scenes, found.groups) == (copies.sets(), scenes.sets(), groups.sets())


def test_thousands_of_near_identical_images_are_bounded_and_the_cut_is_known():
    """2,000 of them made two million pairs: 253 MiB in the harness' own process."""
    images = all_but_equal(2000)
    pairs: list[tuple[int, int]] = []

    def work() -> None:
        nonlocal pairs
        pairs, complete = proposed(images, np.arange(len(images)))
        assert not complete

    assert peak(work) < 60 * MIB
    assert 0 < len(pairs) <= 20_000
    assert len({index for pair in pairs for index in pair}) > 0.9 * 2000, "no image is left out"


def test_a_burst_among_thousands_alike_is_still_one_scene():
    random = np.random.default_rng(5)
    flat = all_but_equal(300)
    places = [scene(random) for _ in range(4)]
    shots = [shot(place, random) for place in places for _ in range(3)]
    found = scene_map(of_greys([*flat.greys, *shots], ["mug"] * 312))
    assert not found.complete
    assert found.scenes == tuple(tuple(range(300 + 3 * n, 303 + 3 * n)) for n in range(4))


# --- a class ------------------------------------------------------------------------------------


def all_pairs_alike(upright: Greys, mirrored: Greys, owners: Greys) -> set[tuple[int, int]]:
    near = np.minimum(distances(upright, upright), distances(mirrored, upright)) <= BITS
    return {(i, j) for i, j in np.argwhere(near).tolist() if owners[i] < owners[j]}


def flipped(hash: int, bits: int, random: np.random.Generator) -> np.uint64:
    for position in random.choice(64, bits, replace=False).tolist():
        hash ^= 1 << position
    return np.uint64(hash)


def test_buckets_find_every_pair_that_comparing_all_finds():
    random = np.random.default_rng(0)
    upright = random.integers(0, 2**63, 3000, dtype=np.uint64)
    mirrored = random.integers(0, 2**63, 3000, dtype=np.uint64)
    for number in range(0, 600, 2):  # copies with 0 to 8 other bits, some of a mirrored one
        source = mirrored if number % 3 == 0 else upright
        upright[2999 - number] = flipped(int(source[number]), number % 9, random)
    owners = np.repeat(np.arange(30), 100)
    found = alike(upright, mirrored, owners)
    assert {tuple(pair) for pair in found.pairs.tolist()} == all_pairs_alike(upright, mirrored, owners)
    assert len(found.pairs) > 200 and not found.cut


def test_a_class_takes_memory_in_proportion_to_its_images():
    """One of ten is a copy of another student's. benchmarks/comparisons.py has the class of 500 times 500."""
    random = np.random.default_rng(1)
    upright = random.integers(0, 2**63, 40_000, dtype=np.uint64)
    mirrored = random.integers(0, 2**63, 40_000, dtype=np.uint64)
    upright[36_000:] = upright[:4000]
    owners = np.repeat(np.arange(80), 500)
    found = []
    assert peak(lambda: found.append(alike(upright, mirrored, owners))) < 40 * MIB
    assert {(i, i + 36_000) for i in range(4000)} <= {tuple(pair) for pair in found[0].pairs.tolist()}


def test_a_class_whose_images_are_all_alike_is_cut_for_everyone_and_bounded():
    upright = np.arange(10_000, dtype=np.uint64) % np.uint64(64)
    owners = np.repeat(np.arange(20), 500)
    found = []
    assert peak(lambda: found.append(alike(upright, upright, owners))) < 20 * MIB
    assert found[0].cut == frozenset(range(20))
    assert 0 < len(found[0].pairs) <= 8 * 10_000


def test_students_are_compared_as_by_comparing_all(random_sets: list[Greys]):
    expected = {}
    for (a, mine), (b, theirs) in itertools.combinations(enumerate(random_sets), 2):
        near = np.minimum(distances(hashes(mine), hashes(theirs)), distances(hashes(oriented(mine, 1)), hashes(theirs)))
        pairs: dict[int, int] = {}
        for i, j in np.argwhere(near <= BITS).tolist():
            if i not in pairs and match(detail(mine[i]), detail(theirs[j])).copy:
                pairs[i] = j
        if pairs:
            expected[f"s{a:03}", f"s{b:03}"] = sorted(pairs.items())
    found = shared(owned(*random_sets))
    assert {(a, b): pairs for a, of_a in found.pairs.items() for b, pairs in of_a.items() if a < b} == expected
    assert len(expected) >= 3 and not found.cut


@pytest.fixture
def random_sets() -> list[Greys]:
    """Four students with eight images each; some hold another's, re-encoded or mirrored."""
    random = np.random.default_rng(9)
    sets = [[shot(scene(random), random) for _ in range(8)] for _ in range(4)]
    for one, other, index in ((0, 1, 2), (0, 3, 5), (2, 3, 1)):
        noisy = np.clip(sets[one][index] + random.normal(0, 2, (128, 128)), 0, 255).astype(np.uint8)
        sets[other][7 - index] = noisy[:, ::-1] if one else noisy
    return [np.stack(own) for own in sets]


def test_one_image_that_hundreds_hold_is_followed_to_a_bounded_number_of_them():
    grey = shot(scene(np.random.default_rng(2)), np.random.default_rng(2))[None]
    sets = {f"s{number:03}": Owned(("the same",), lambda: grey) for number in range(300)}
    found = shared(sets)
    assert max(map(len, found.pairs.values())) <= 40
    assert found.cut == frozenset(sets)


def test_hashes_are_the_same_in_blocks():
    greys = image_set(scenes=40, shots=10, seed=1).greys
    assert np.array_equal(hashes(greys), np.concatenate([hashes(grey[None]) for grey in greys]))


def test_the_attack_that_made_n_squared_pairs_stays_small(attack_program: str):
    """Peak resident memory of a process that compares 2,000 near-identical images, beyond the images."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    command = [sys.executable, "-c", attack_program, "2000"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=True)
    grown, complete = done.stdout.split()
    assert complete == "False"
    assert int(grown) < 100, f"{grown} MiB"


@pytest.fixture
def attack_program() -> str:
    return """
import sys
from test_bounded_comparisons import all_but_equal, scene_map
def resident(): return int(open("/proc/self/status").read().split("VmHWM:")[1].split()[0]) // 1024
images = all_but_equal(int(sys.argv[1]))
before = resident()
found = scene_map(images)
print(resident() - before, found.complete)
"""
