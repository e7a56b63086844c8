"""What is withheld: seeded, in whole scenes, enough of each class."""

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from synthetic_scenes import image_set

from harness.stages.audit import scene_map
from harness.stages.audit.split import balanced, withhold


def split(labels, groups, may, **rules):
    """Of images that each show one class."""
    return withhold([frozenset({label} - {None}) for label in labels], groups, may, **rules)


RULES = {"fraction": 0.2, "per_class": 8, "seed": 1}


def test_a_fifth_of_each_class_and_at_least_eight():
    labels = ["mug"] * 100 + ["ball"] * 20
    chosen = split(labels, range(120), [True] * 120, **RULES)
    assert Counter(labels[i] for i in chosen) == {"mug": 20, "ball": 8}


def test_never_more_than_half_of_a_class():
    labels = ["mug"] * 40 + ["ball"] * 10
    chosen = split(labels, range(50), [True] * 50, **RULES)
    assert Counter(labels[i] for i in chosen)["ball"] == 5


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 12)), min_size=1, max_size=80), st.integers(0, 50))
def test_a_group_never_straddles_the_split(images, seed):
    labels, groups = [label for label, _ in images], [group for _, group in images]
    chosen = set(split(labels, groups, [True] * len(labels), fraction=0.2, per_class=8, seed=seed))
    inside = {groups[i] for i in chosen}
    assert all(groups[i] not in inside for i in range(len(labels)) if i not in chosen)
    for label in set(labels):
        assert sum(labels[i] == label for i in chosen) <= labels.count(label) // 2


def test_one_seed_one_split_and_another_seed_another():
    labels, groups = ["mug"] * 60, list(range(60))
    one, again, other = (split(labels, groups, [True] * 60, fraction=0.2, per_class=8, seed=s) for s in (1, 1, 2))
    assert one == again != other


def test_a_image_of_several_classes_and_its_scene_stay_in_training():
    may = [True] * 40
    may[3] = False
    groups = [0] * 6 + list(range(6, 40))
    for seed in range(10):
        chosen = split(["mug"] * 40, groups, may, fraction=0.2, per_class=8, seed=seed)
        assert not set(range(6)) & set(chosen)


def test_the_grouped_split_is_honest_where_a_random_one_rewards_memory():
    """A student who memorises bursts: right on nearly all of a random part, and on no more than chance of new scenes.

    Six photographs of each of 24 scenes; which class a scene belongs to is drawn by lot, so there is
    nothing to learn. The model answers with the class of the most similar training image.
    """
    images = image_set(scenes=24, shots=6, seed=3)
    truth = np.array(images.labels)

    def memoriser(withheld: np.ndarray) -> float:
        trained = np.setdiff1d(np.arange(len(images)), withheld)
        flat = images.greys.reshape(len(images), -1).astype(np.float32)
        flat = (flat - flat.mean(axis=1, keepdims=True)) / flat.std(axis=1, keepdims=True)
        nearest = trained[(flat[withheld] @ flat[trained].T).argmax(axis=1)]
        return float((truth[nearest] == truth[withheld]).mean())

    groups = scene_map(images).group_of(len(images))
    assert len(set(groups)) == 24, "every burst is one group"
    may, honest, flattering = [True] * len(images), [], []
    for seed in range(10):
        grouped = split(images.labels, groups, may, fraction=0.2, per_class=8, seed=seed)
        honest.append(memoriser(np.array(grouped)))
        random = np.random.default_rng(seed).permutation(len(images))[: len(grouped)]
        flattering.append(memoriser(random))
    assert np.mean(flattering) > 0.95
    assert np.mean(honest) < 0.7


def several_classes(seed: int, images: int) -> list[frozenset[str]]:
    """Images that show one to three of four classes, one of which is rare."""
    random = np.random.default_rng(seed)
    shares = [0.4, 0.3, 0.22, 0.08]
    return [frozenset(random.choice(list("abcr"), random.integers(1, 4), p=shares)) for _ in range(images)]


def test_images_of_several_classes_are_divided_evenly_in_all_of_them():
    for seed in range(10):
        shown = several_classes(seed, 300)
        chosen = withhold(shown, range(300), [True] * 300, fraction=0.2, per_class=8, seed=seed)
        totals, taken = (Counter(label for i in part for label in shown[i]) for part in (range(300), chosen))
        assert all(abs(taken[label] - max(8, 0.2 * n)) <= 1 for label, n in totals.items()), (totals, taken)


@given(st.integers(0, 1000), st.integers(1, 60), st.integers(1, 60))
def test_no_scene_is_divided_and_no_class_loses_more_than_half(seed: int, images: int, scenes: int):
    shown = several_classes(seed, images)
    groups = np.random.default_rng(seed).integers(0, scenes, images)
    chosen = set(withhold(shown, groups, [True] * images, fraction=0.2, per_class=8, seed=seed))
    assert not {groups[i] for i in chosen} & {groups[i] for i in range(images) if i not in chosen}
    for label in "abcr":
        assert 2 * sum(label in shown[i] for i in chosen) <= sum(label in one for one in shown)


def test_a_few_images_are_balanced_over_the_classes():
    shown = [frozenset("a")] * 50 + [frozenset("b")] * 3 + [frozenset("ab")] * 2 + [frozenset()] * 5
    chosen = balanced(shown, range(59, -1, -1), 10)
    assert len(chosen) == 10 and Counter(label for i in chosen for label in shown[i])["b"] == 5
    assert balanced(shown, range(60), 100) == tuple(range(55)), "what shows nothing is not chosen"
    assert balanced([], [], 5) == ()
