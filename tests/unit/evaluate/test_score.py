"""Answers out of the store: in the labels' own order, against the right images, same or another model's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from harness.inputs.assignment.sections import Robustness
from harness.inputs.images import HeldOutSet
from harness.stages.evaluate.stage import same_answers, score
from harness.stages.evidence.predictions import Predictions
from harness.stages.evidence.record import Blob
from harness.stages.evidence.robustness import RobustnessAnswers
from harness.stages.robustness import trial
from harness.stages.store import Store

CLASSES = ("ball", "bottle", "mug")
TRUTH = (0, 1, 2, 2, 1, 0)


class Kept:
    """A store, and what is put there."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.store = folder, Store(folder / "store")

    def array(self, rows: np.ndarray) -> Blob:
        np.save(self.folder / "a.npy", rows.astype(np.float32))
        return self.store.put(self.folder / "a.npy", "a.npy")

    def predictions(self, rows: np.ndarray, labels: tuple[str, ...] = CLASSES, **changes: object) -> Predictions:
        blob = self.array(rows)
        return Predictions(probabilities=blob, labels=labels, images=len(rows), seconds_per_image=0.1, **changes)


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return Kept(tmp_path)


HELD_OUT = HeldOutSet(CLASSES, tuple(Path(f"{n}.png") for n in range(6)), TRUTH, "5eed")


def saying(said: tuple[int, ...], sure: float = 0.8) -> np.ndarray:
    rows = np.full((len(said), 3), (1 - sure) / 2)
    rows[np.arange(len(said)), said] = sure
    return rows


@pytest.mark.parametrize(("moved", "same"), [(0.0, True), (9e-4, True), (1.1e-3, False), (5e-3, False), (-2e-3, False)])
def test_answers_are_the_same_to_within_a_thousandth(kept: Kept, moved: float, same: bool):
    rows = saying(TRUTH)
    other = rows.copy()
    other[3, 1] += moved
    assert same_answers(kept.predictions(rows), kept.predictions(other), kept.store) == same


def test_answers_are_the_same_by_label_and_not_by_column(kept: Kept):
    rows, turned = saying(TRUTH), saying(TRUTH)[:, [2, 0, 1]]
    one = kept.predictions(rows)
    assert same_answers(one, kept.predictions(turned, ("mug", "ball", "bottle")), kept.store)
    assert not same_answers(one, kept.predictions(rows, ("mug", "ball", "bottle")), kept.store)
    assert not same_answers(one, kept.predictions(rows, ("ball", "bottle", "cup")), kept.store)
    assert not same_answers(one, kept.predictions(rows[:5]), kept.store)


def test_a_score_is_by_each_models_own_labels(kept: Kept):
    student = kept.predictions(saying((2, 0, 1, 1, 0, 1)), ("bottle", "mug", "ball"), depends_on_order=True)
    reference = kept.predictions(saying(TRUTH))
    done = score(student, HELD_OUT, reference, kept.store)
    assert done.origin == "measured-outside" and done.value.depends_on_order
    assert (done.value.accuracy, done.value.reference_accuracy) == (pytest.approx(5 / 6), 1.0)
    assert [(one.images, one.accuracy) for one in done.value.calibration] == [(6, pytest.approx(5 / 6))]
    assert score(reference, HELD_OUT, None, kept.store).value.difference is None


def test_a_guess_that_held_out_images_contradict_is_in_doubt(kept: Kept):
    of = TRUTH * 20
    many = HeldOutSet(CLASSES, tuple(Path(f"{n}.png") for n in range(120)), of, "5eed")
    swapped = saying(tuple((1, 0, 2)[index] for index in of))
    for guessed, unsettled, expected in (
        (("labels",), False, True),
        (("preprocessing",), False, False),
        ((), False, False),
        (("preprocessing",), True, True),
    ):
        said = kept.predictions(swapped, guessed=guessed, unsettled=unsettled)
        assert score(said, many, None, kept.store).value.unsettled is expected


def test_what_is_covered_are_the_surest_mistakes_and_what_is_made_worse_is_of_all_classes(kept: Kept):
    rows = saying((0, 1, 0, 0, 1, 0))
    rows[3] = [0.95, 0.03, 0.02]
    tried = trial(kept.predictions(rows), HELD_OUT, Robustness(occlusion_maps=2), 3, None, kept.store)
    assert tried.covered == (3, 2) and tried.unseen is None
    assert sorted(TRUTH[index] for index in tried.images) == [0, 1, 2]


def test_worse_images_are_scored_as_the_images_that_they_were_made_of(kept: Kept):
    """Images 5, 2 and 0: of the classes 0, 2 and 0, which is not the order of the set."""
    corrupted = np.stack([saying((0, 2, 0)), saying((0, 1, 0)), saying((1, 1, 0))])
    stress = RobustnessAnswers(
        images=(5, 2, 0), versions=(("noise", 1), ("noise", 3)), corrupted=kept.array(corrupted),
        unseen=kept.array(saying((0, 1), sure=0.5)), unseen_source="folder", labels=CLASSES, occlusion_maps=(),
    )  # fmt: skip
    value = score(kept.predictions(saying(TRUTH)), HELD_OUT, None, kept.store, stress).value
    assert (value.robustness_clean, value.robustness_images) == (1.0, 3)
    assert value.robustness == {"noise": {1: pytest.approx(2 / 3), 3: pytest.approx(1 / 3)}}
    assert (value.unseen_auroc, value.unseen_images, value.unseen_confidence) == (1.0, 2, 0.5)


def test_the_confidence_on_unseen_images_is_their_mean(kept: Kept):
    unseen = np.stack([saying((0,), sure=0.4)[0], saying((1,), sure=0.9)[0]])
    stress = RobustnessAnswers(
        images=(0,), versions=(("noise", 1),), corrupted=kept.array(np.stack([saying((0,))] * 2)),
        unseen=kept.array(unseen), unseen_source="patterns", labels=CLASSES, occlusion_maps=(),
    )  # fmt: skip
    value = score(kept.predictions(saying(TRUTH)), HELD_OUT, None, kept.store, stress).value
    assert value.unseen_confidence == pytest.approx(0.65) and value.unseen_auroc == pytest.approx(0.5)
