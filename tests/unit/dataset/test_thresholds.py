"""What is said of a data set, exactly at its thresholds; and sets that are larger than what is looked at in one go."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from synthetic_scenes import described, of_greys, scene, shot

from harness.grading.similarity.copies import Known, copies
from harness.grading.similarity.shared_images import shared
from harness.grading.similarity.shared_parts import Owned
from harness.inputs.assignment.sections import OwnDataset
from harness.stages.audit.alike import BITS, alike
from harness.stages.audit.findings import findings_of
from harness.stages.audit.hashing import distances, hashes, oriented
from harness.stages.audit.images import ImageSet
from harness.stages.audit.matching import Match, detail, match
from harness.stages.audit.mislabelled import suspects
from harness.stages.audit.proposing import proposed
from harness.stages.audit.quality import badly_exposed, blurred, from_elsewhere, scene_spread
from harness.stages.evidence.audit import DatasetAudit, Leak

GREY = np.zeros((128, 128), np.uint8)


def with_details(*changes: dict[str, Any], embeddings: Any = None, labels: list[str] | None = None) -> ImageSet:
    """An image for each of the changes to what is said of it."""
    images = of_greys([GREY] * len(changes), labels or ["mug"] * len(changes))
    return replace(images, described=tuple(described(GREY, **one) for one in changes), embeddings=embeddings)


# --- quality ------------------------------------------------------------------------------------


def test_an_image_is_blurred_from_0_55_on():
    assert blurred(with_details({"blur": 0.5499}, {"blur": 0.55}, {"blur": 1.0}, {"blur": 0.0})) == [1, 2]


def test_an_image_is_too_dark_below_0_12():
    assert badly_exposed(with_details({"brightness": 0.12}, {"brightness": 0.1199})) == [1]


def test_an_image_is_burnt_out_above_0_35_but_for_a_cut_out():
    said = ({"bright_share": 0.35}, {"bright_share": 0.3501}, {"bright_share": 0.9, "plain_border": True})
    assert badly_exposed(with_details(*said)) == [1]
    assert badly_exposed(with_details({"dark_share": 1.0})) == []


@pytest.mark.parametrize(("own", "found"), [(8, [8, 9]), (7, [])])
def test_images_from_elsewhere_stand_out_where_four_fifths_name_their_camera(own: int, found: list[int]):
    others = [{"camera": False}] * (8 - own) + [
        {"camera": False, "plain_border": True},
        {"camera": False, "rights": True},
    ]
    assert from_elsewhere(with_details(*[{}] * own, *others)) == found


@pytest.mark.parametrize(
    ("said", "is_from_elsewhere"),
    [
        ({"camera": False}, False),
        ({"camera": False, "plain_border": True}, True),
        ({"camera": False, "rights": True}, True),
        ({"camera": True, "plain_border": True, "rights": True}, False),
    ],
)
def test_what_makes_an_image_one_from_elsewhere(said: dict[str, Any], is_from_elsewhere: bool):
    assert from_elsewhere(with_details(*[{}] * 9, said)) == ([9] if is_from_elsewhere else [])


def test_the_spread_of_a_class_is_the_mean_distance_of_its_pairs():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(6, 8)).astype(np.float32)
    images = with_details(*[{}] * 6, embeddings=rows, labels=["a", "b", "a", "a", "b", "c"])
    units = rows / np.linalg.norm(rows, axis=1, keepdims=True)

    def mean(*members: int) -> float:
        pairs = [1 - float(units[i] @ units[j]) for i in members for j in members if i < j]
        return float(np.clip(np.mean(pairs), 0, 1))

    assert scene_spread(images) == pytest.approx({"a": mean(0, 2, 3), "b": mean(1, 4)}, abs=1e-4)


# --- findings -----------------------------------------------------------------------------------

ASKED = OwnDataset(min_classes=3, max_classes=4, min_images_per_class=16, withhold_per_class=8)


def said_of(**changes: Any) -> list[str]:
    value = DatasetAudit(**({"classes": dict.fromkeys("abc", 16), "unreadable": ()} | changes))
    more = {"unreadable": 0, "bursts": (), "annotation_faults": ()}
    return [one.code for one in findings_of(value, ASKED, "heldout" in changes, **more)]


@pytest.mark.parametrize(
    ("classes", "codes"),
    [
        (2, ["dataset-too-few-classes"]), (3, []), (4, []), (5, ["dataset-too-many-classes"]),
    ],
)  # fmt: skip
def test_as_many_classes_as_asked_for_are_enough_and_not_too_many(classes: int, codes: list[str]):
    assert said_of(classes=dict.fromkeys("abcde"[:classes], 16)) == codes


@pytest.mark.parametrize(("fewest", "codes"), [(16, []), (15, ["dataset-too-few-images"])])
def test_as_many_images_as_asked_for_are_enough(fewest: int, codes: list[str]):
    assert said_of(classes={"a": 16, "b": fewest, "c": 17}) == codes


@pytest.mark.parametrize(
    ("withheld", "codes"),
    [
        ({"a": 8, "b": 8, "c": 8}, []),
        ({"a": 8, "b": 7, "c": 8}, ["withheld-too-few"]),
        ({"a": 8, "b": 8}, ["withheld-too-few"]),
        ({"a": 8}, ["withheld-impossible"]),
    ],
)
def test_what_is_withheld_of_each_class(withheld: dict[str, int], codes: list[str]):
    assert said_of(heldout=withheld) == codes


def test_a_copy_and_a_burst_are_told_apart_and_counted_once():
    leaks = tuple(
        Leak(picture=one, split="train", other=other, other_split="test", kind=kind)
        for one, other, kind in (("a", "x", "copy"), ("b", "x", "copy"), ("c", "y", "burst"), ("d", "z", "burst"))
    )
    value = DatasetAudit(classes=dict.fromkeys("abc", 16), unreadable=(), leaks=leaks)
    copied, burst = findings_of(value, ASKED, False, unreadable=0, bursts=(("m", "n", "o"),), annotation_faults=())
    assert (copied.code, burst.code) == ("dataset-leak", "dataset-burst")
    assert "1 image" in copied.message and "a is x" in copied.message
    assert "2 images show a scene of another split" in burst.message and "c and y" in burst.message


# --- matching -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("share", "correlation", "moved", "verdicts"),
    [
        (0.6, 0.7, 0, (False, True, False)),
        (0.59, 1, 0, (False, False, False)),
        (1, 0.69, 0, (False, False, False)),
        (0.8, 0.8, 0, (True, True, False)),
        (0.79, 1, 0, (False, True, False)),
        (1, 0.79, 0, (False, True, False)),
        (0.8, 0.97, 0.49, (True, True, True)),
        (0.8, 0.97, 0.5, (True, True, False)),
        (0.8, 0.969, 0, (True, True, False)),
        (0.79, 0.97, 0, (False, True, False)),
    ],
)
def test_when_a_match_is_one_scene_perhaps_one_and_a_copy(share, correlation, moved, verdicts):
    found = Match(share, correlation, moved, 0)
    assert (found.same_scene, found.perhaps_same_scene, found.copy) == verdicts


@pytest.mark.parametrize(("down", "right"), [(0, 2), (2, 0), (1, 0), (-3, 5)])
def test_an_image_that_is_shifted_by_whole_pixels_is_the_scene_and_no_copy(down: int, right: int):
    large = np.clip(scene(np.random.default_rng(3)), 0, 255).astype(np.uint8)
    one, other = large[20:148, 20:148], large[20 - down : 148 - down, 20 - right : 148 - right]
    found = match(detail(one), detail(other))
    assert found.same_scene and not found.copy
    assert found.moved == max(abs(down), abs(right)) and found.share == 1.0


# --- larger than one block ----------------------------------------------------------------------


def test_pairs_are_proposed_wherever_in_a_large_set_they_lie():
    """600 images: more than are hashed (256) or compared (128) at once; pairs of equal pixels and features."""
    rng = np.random.default_rng(5)
    greys = rng.integers(0, 256, (600, 32, 32)).astype(np.uint8).repeat(4, axis=1).repeat(4, axis=2)
    greys[530], greys[599] = greys[20], greys[597]
    units = rng.normal(size=(600, 1280)).astype(np.float32)
    units[310], units[599] = units[40], units[300]
    images = replace(of_greys(list(greys), ["mug"] * 600), embeddings=units)
    pairs, complete = proposed(images, np.arange(600))
    assert complete and {(20, 530), (597, 599), (40, 310), (300, 599)} <= set(pairs)


def test_hashes_of_many_are_those_of_each():
    greys = np.random.default_rng(1).integers(0, 256, (513, 128, 128)).astype(np.uint8)
    for at in (0, 255, 256, 511, 512):
        assert hashes(greys)[at] == hashes(greys[at : at + 1])[0]


def flipped(hash: np.uint64, bits: int, seed: int) -> np.uint64:
    at = np.random.default_rng(seed).permutation(64)[:bits]
    return np.bitwise_xor.reduce(np.array([hash, *(np.uint64(1) << at.astype(np.uint64))], np.uint64))


@pytest.mark.parametrize(("bits", "is_alike"), [(0, True), (6, True), (7, False)])
def test_hashes_are_alike_up_to_six_bits(bits: int, is_alike: bool):
    rng = np.random.default_rng(2)
    found = 0
    for seed in range(20):
        one = rng.integers(0, 2**63, 1, dtype=np.uint64)
        both = np.array([one[0], flipped(one[0], bits, seed)])
        assert int(distances(both[:1], both[1:])[0, 0]) == bits
        far = ~both  # mirrored ones are like none
        found += len(alike(both, far, np.array([0, 1])).pairs)
    assert (found == 20) == is_alike and (found == 0) != is_alike
    assert BITS == 6


def test_images_of_one_owner_are_not_compared_with_each_other():
    same = np.array([7, 7, 7], np.uint64)
    assert alike(same, ~same, np.array([0, 0, 1])).pairs.tolist() == [[0, 2], [1, 2]]


def test_a_mirrored_copy_of_anothers_image_is_shared():
    rng = np.random.default_rng(4)
    mine = [shot(scene(rng), rng) for _ in range(3)]
    theirs = [shot(scene(rng), rng), np.ascontiguousarray(oriented(mine[2], 1))]
    sets = {
        "anna": Owned(tuple("abc"), lambda: np.stack(mine)),
        "bert": Owned(tuple("de"), lambda: np.stack(theirs)),
    }  # fmt: skip
    assert shared(sets).pairs == {"anna": {"bert": [(2, 1)]}, "bert": {"anna": [(1, 2)]}}


# --- wrong labels, copied models ----------------------------------------------------------------


@pytest.mark.parametrize(("per_class", "judged"), [(8, True), (7, False)])
def test_classes_of_eight_are_judged(per_class: int, judged: bool):
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(3, 64)) * 4
    rows = (np.repeat(centres, 12, axis=0) + rng.normal(size=(36, 64))).astype(np.float32)
    kept = [*range(12), *range(12, 24), *range(24, 24 + per_class)]
    labels = [("ball", "cup", "mug")[index // 12] for index in kept]
    labels[0] = "cup"
    found = suspects(labels, np.arange(len(kept)), rows[kept])
    assert [(one.picture, one.looks_like) for one in found] == ([(0, "ball")] if judged else [])


def known(rows: np.ndarray, name: str) -> Known:
    return Known(name, frozenset({name}), ("a", "b", "c"), rows.astype(np.float32))


@pytest.mark.parametrize(("difference", "is_copy"), [(9e-4, True), (1.1e-3, False), (5e-3, False), (-9e-4, True)])
def test_answers_are_the_same_to_within_a_thousandth(difference: float, is_copy: bool):
    rows = np.random.default_rng(0).dirichlet((1, 1, 1), 24) * 0.9
    other = rows.copy()
    other[11, 1] += difference
    found, _ = copies([known(rows, "anna"), known(other, "bert")])
    assert (found is not None) == is_copy
    assert found is None or "to within 0.001, on all 24 images" in found.how


@pytest.mark.parametrize(("unsure", "is_copy"), [(10, True), (9, False)])
@pytest.mark.parametrize("confidence", [0.9899, 0.6])
def test_ten_images_on_which_a_model_is_not_sure_tell_a_copy(unsure: int, is_copy: bool, confidence: float):
    rows = np.array([[confidence, 1 - confidence, 0]] * unsure + [[0.9901, 0.0099, 0]] * 20)
    found, _ = copies([known(rows, "anna"), known(rows, "bert")])
    assert (found is not None) == is_copy
