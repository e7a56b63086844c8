"""What is taken where nothing is declared: only what training images show clearly, and never in silence."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from harness.stages.undeclared import decide


def said(classes: NDArray[np.int64], count: int, sure: float = 0.9) -> NDArray[np.float32]:
    """Scores of a model that names these classes."""
    rows = np.full((len(classes), count), (1 - sure) / (count - 1), np.float32)
    rows[np.arange(len(classes)), classes] = sure
    return rows


def truth_of(classes: int, each: int) -> NDArray[np.int64]:
    return np.tile(np.arange(classes), each)


def wrong_on(truth: NDArray[np.int64], places: range, classes: int) -> NDArray[np.int64]:
    """The truth, with another class at these places."""
    changed = truth.copy()
    changed[list(places)] = (changed[list(places)] + 1) % classes
    return changed


def decided(given: dict[str, NDArray[np.int64]], truth: NDArray[np.int64], classes: int, labels_given: bool = True):
    answers = {way: said(one, classes) for way, one in given.items()}
    return decide(answers, truth, np.arange(classes), labels_given)


@pytest.mark.parametrize(
    ("wrong_as_assumed", "verdict"),
    [(0, "kept"), (5, "kept"), (6, "unclear"), (8, "unclear"), (9, "taken"), (40, "taken")],
)
def test_what_is_better_is_taken_only_when_it_is_clear(wrong_as_assumed: int, verdict: str) -> None:
    """One alternative, right on all 60 images: 8 against 0 have p = 0.0078, but there are two alternatives."""
    truth = truth_of(5, 12)
    given = {"assumed": wrong_on(truth, range(wrong_as_assumed), 5), "zero-one": truth, "raw": (truth + 1) % 5}
    found = decided(given, truth, 5)
    assert found.verdict == verdict
    assert found.chosen.way == ("zero-one" if verdict == "taken" else "assumed")


@pytest.mark.parametrize(("each", "verdict"), [(2, "unclear"), (6, "unclear"), (12, "taken")])
def test_two_classes_and_few_images_leave_it_open(each: int, verdict: str) -> None:
    """The assumed way always says one class, the other is always right: on 4, 12 and 24 images."""
    truth = truth_of(2, each)
    assert decided({"assumed": np.zeros_like(truth), "zero-one": truth}, truth, 2).verdict == verdict


def test_a_model_that_guesses_is_left_as_it_is() -> None:
    """300 models that know nothing, with twelve ways and no labels: few leave anything open, hardly any is changed."""
    rng, truth = np.random.default_rng(0), truth_of(5, 12)
    verdicts = [
        decided({str(way): rng.integers(0, 5, 60) for way in range(12)}, truth, 5, labels_given=False).verdict
        for _ in range(300)
    ]
    assert verdicts.count("taken") <= 3 and verdicts.count("unclear") < 15


def test_an_honest_model_keeps_what_was_assumed() -> None:
    """Ways of one accuracy, from weak to good: nothing is taken in 300 models."""
    rng, truth = np.random.default_rng(1), truth_of(5, 12)

    def model(accuracy: float) -> NDArray[np.int64]:
        return np.where(rng.random(60) < accuracy, truth, rng.integers(0, 5, 60))

    for number in range(300):
        given = {str(way): model(0.3 + 0.7 * number / 300) for way in range(6)}
        assert decided(given, truth, 5, labels_given=False).verdict != "taken"


def test_an_order_of_the_outputs_is_found_with_the_way_that_shows_it() -> None:
    """The outputs mean 2, 0, 1, 4, 3; with the assumed pixels the model says nothing of use."""
    truth, meant = truth_of(5, 12), np.array([2, 0, 1, 4, 3])
    output = np.argsort(meant)[truth]
    found = decided({"assumed": np.zeros_like(truth), "zero-one": output}, truth, 5, labels_given=False)
    assert (found.verdict, found.chosen.way, found.chosen.order) == ("taken", "zero-one", tuple(meant))
    assert found.chosen.accuracy == 1.0 and found.assumed.accuracy == 0.2
    given = decided({"assumed": np.zeros_like(truth), "zero-one": output}, truth, 5)
    assert (given.verdict, given.chosen.order) == ("kept", None)  # labels that are given are as they are


def test_an_order_is_judged_on_images_that_did_not_choose_it() -> None:
    """With four images of each class any order looks better than the alphabet on the images that it was chosen by."""
    rng, truth = np.random.default_rng(2), truth_of(4, 4)
    gains = []
    for _ in range(200):
        found = decided({"assumed": rng.integers(0, 4, 16)}, truth, 4, labels_given=False)
        gains.append(found.best.accuracy if found.best.order is not None else 0.25)
    assert np.mean(gains) < 0.4


def test_as_little_as_possible_is_changed() -> None:
    """The assumed pixels with another order are as good as other pixels with it."""
    truth = truth_of(3, 20)
    shifted = (truth + 1) % 3
    found = decided({"assumed": wrong_on(shifted, range(2), 3), "raw": shifted}, truth, 3, labels_given=False)
    assert (found.verdict, found.chosen.way, found.chosen.order) == ("taken", "assumed", (2, 0, 1))
    assert found.best.way == "raw"


def test_of_ways_that_are_right_equally_often_the_surest_is_taken_and_more_images_are_wanted() -> None:
    truth = truth_of(5, 6)
    answers = {"assumed": said((truth + 1) % 5, 5), "cut": said(truth, 5, 0.6), "stretched": said(truth, 5, 0.99)}
    found = decide(answers, truth, np.arange(5), labels_given=True)
    assert (found.verdict, found.chosen.way, found.is_final) == ("taken", "stretched", False)
    assert found.in_contention == ("assumed", "cut", "stretched")
    del answers["cut"]
    assert decide(answers, truth, np.arange(5), labels_given=True).is_final


def test_a_label_that_is_no_class_is_never_right() -> None:
    truth = truth_of(2, 10)
    found = decide({"assumed": said(truth, 3)}, truth, np.array([-1, -1, 0]), labels_given=True)
    assert (found.verdict, found.assumed.accuracy) == ("kept", 0.0)


def test_two_looks_share_the_level() -> None:
    """9 against 0 are clear in one look among two alternatives, and not in the first of two."""
    truth = truth_of(5, 12)
    answers = {way: said(one, 5) for way, one in {"a": wrong_on(truth, range(9), 5), "b": truth}.items()}
    answers["c"] = said((truth + 1) % 5, 5)
    one, two = (decide(answers, truth, np.arange(5), True, looks) for looks in (1, 2))
    assert (one.verdict, two.verdict) == ("taken", "unclear")


@pytest.mark.parametrize("answers", [{}, {"assumed": np.zeros((0, 2), np.float32)}])
def test_nothing_is_decided_by_nothing(answers: dict[str, NDArray[np.float32]]) -> None:
    with pytest.raises(ValueError):
        decide(answers, np.zeros(0, np.int64), np.arange(2), True)
