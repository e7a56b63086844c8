"""Scores are scikit-learn's, intervals cover, and names match as people write them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.stages.evaluate import Answers, Truth, evaluate
from harness.stages.evaluate.calibration import calibration_error
from harness.stages.evaluate.comparison import mcnemar
from harness.stages.evaluate.labels import match_labels

CLASSES = ("ball", "bottle", "mug")


def answering(predicted: list[int], confidence: float = 0.9, labels=CLASSES) -> Answers:
    """A model that says `predicted` with that confidence."""
    rest = (1 - confidence) / (len(labels) - 1)
    probabilities = np.full((len(predicted), len(labels)), rest, dtype=np.float32)
    probabilities[np.arange(len(predicted)), predicted] = confidence
    return Answers(probabilities, labels)


def truth(of: list[int]) -> Truth:
    return Truth(CLASSES, np.array(of))


def codes(findings) -> list[str]:
    return [finding.code for finding in findings]


def test_scores_by_hand():
    found, findings = evaluate(answering([0, 0, 1, 1, 2, 0]), truth([0, 0, 1, 1, 2, 2]), None)
    assert found.accuracy == pytest.approx(5 / 6)
    assert found.balanced_accuracy == pytest.approx((1 + 1 + 0.5) / 3)
    assert found.macro_f1 == pytest.approx((0.8 + 1 + 2 / 3) / 3)
    assert found.confusion == ((2, 0, 0), (0, 2, 0), (1, 0, 1))
    assert [c.precision for c in found.per_class] == [pytest.approx(2 / 3), 1.0, 1.0]
    assert [c.recall for c in found.per_class] == [1.0, 1.0, 0.5]
    assert found.log_loss == pytest.approx((5 * -np.log(0.9) - np.log(0.05)) / 6, abs=1e-5)
    assert [(m.image, m.truth, m.predicted) for m in found.mistakes] == [(5, "mug", "ball")]
    assert findings == ()


def test_names_match_whatever_their_case_spaces_and_order():
    labels = ("MUG ", "b_o-ttle", "Balls")
    found, findings = evaluate(answering([2, 1, 0], labels=labels), truth([0, 1, 2]), None)
    assert found.accuracy == 1.0
    assert findings == ()


def test_labels_mixed_up_do_not_pass_for_a_wrong_preprocessing():
    """Two swapped labels: a pre-processing that blurs these two is right more often only because they are swapped."""
    rng = np.random.default_rng(0)
    of = np.repeat([0, 1, 2], 20).tolist()
    swapped = [{0: 1, 1: 0, 2: 2}[true] for true in of]
    blurred = [{0: rng.integers(0, 2), 1: rng.integers(0, 2), 2: 2}[true] for true in of]
    probe = answering(blurred).probabilities
    said = Answers(answering(swapped).probabilities, CLASSES, np.arange(60), {"zero-one": probe})
    found, findings = evaluate(said, truth(of), None)
    assert found.accuracy == pytest.approx(1 / 3)
    assert codes(findings) == ["labels-swapped"]
    [remedy] = found.remedies
    assert (remedy.of, remedy.accuracy, remedy.would, remedy.images) == ("labels", pytest.approx(1 / 3), 1.0, 60)
    assert remedy.to == ", ".join((CLASSES[1], CLASSES[0], CLASSES[2]))


def test_labels_mixed_up_do_not_hide_a_wrong_preprocessing():
    of = np.repeat([0, 1, 2], 40).tolist()
    swap = {0: 1, 1: 0, 2: 2}
    declared = [swap[true if number % 3 else (true + 1) % 3] for number, true in enumerate(of)]
    probe = answering([swap[true] for true in of]).probabilities
    said = Answers(answering(declared).probabilities, CLASSES, np.arange(120), {"zero-one": probe})
    found, findings = evaluate(said, truth(of), None)
    assert codes(findings) == ["labels-swapped", "preprocessing-mismatch"]
    labels, preprocessing = found.remedies
    assert preprocessing.to == "zero-one" and preprocessing.would == 1.0
    assert labels.would == pytest.approx(preprocessing.accuracy), "measured with the labels put right"


@pytest.mark.parametrize(
    ("guessed", "expected"),
    [
        (("preprocessing", "labels"), ["labels-guess-misfits", "preprocessing-guess-misfits"]),
        (("preprocessing",), ["labels-swapped", "preprocessing-guess-misfits"]),
        (("labels",), ["labels-guess-misfits", "preprocessing-mismatch"]),
    ],
)
def test_nobody_is_blamed_for_what_was_guessed(guessed: tuple[str, ...], expected: list[str]):
    of = np.repeat([0, 1, 2], 40).tolist()
    swap = {0: 1, 1: 0, 2: 2}
    assumed = [swap[true if number % 3 else (true + 1) % 3] for number, true in enumerate(of)]
    probe = answering([swap[true] for true in of]).probabilities
    said = Answers(answering(assumed).probabilities, CLASSES, np.arange(120), {"zero-one": probe}, guessed)
    _, findings = evaluate(said, truth(of), None)
    assert codes(findings) == expected
    for found in findings:
        waits = found.code.endswith("-guess-misfits")
        assert ("waits for a person" in found.message) == waits
        assert "declared" not in found.message or not waits or "No pre-processing is declared" in found.message


def test_a_class_that_the_model_does_not_know_and_one_too_many():
    column_of, findings = match_labels(("ball", "bottle", "table"), CLASSES)
    assert column_of.tolist() == [0, 1, -1]
    assert codes(findings) == ["class-missing", "class-unknown"]
    found, _ = evaluate(answering([0, 1, 2], labels=("ball", "bottle", "table")), truth([0, 1, 2]), None)
    assert found.accuracy == pytest.approx(2 / 3)
    assert found.confusion_other == (0, 0, 1)
    assert np.isfinite(found.log_loss)


def test_against_the_reference_on_the_same_images():
    of = [0, 1, 2] * 10
    found, _ = evaluate(answering([0] * 30), truth(of), answering(of))
    assert (found.accuracy, found.reference_accuracy) == (pytest.approx(1 / 3), 1.0)
    assert found.difference == pytest.approx(-2 / 3)
    low, high = found.difference_interval
    assert low < -2 / 3 < high < 0
    assert found.mcnemar_p == pytest.approx(2 * 0.5**20)


def test_mcnemar_counts_only_the_images_where_one_is_right():
    right = np.array([True] * 8 + [False] * 2 + [True] * 90)
    other = np.array([False] * 8 + [True] * 2 + [True] * 90)
    assert mcnemar(right, other) == pytest.approx(0.109375)  # binomial, 8 of 10, two-sided
    assert mcnemar(right, right) == 1.0


def test_calibration_by_hand():
    confidence = np.array([0.95] * 10 + [0.55] * 10, dtype=np.float32)
    right = np.array([True] * 5 + [False] * 5 + [True] * 5 + [False] * 5)
    assert calibration_error(confidence, right) == pytest.approx(0.5 * 0.45 + 0.5 * 0.05, abs=1e-6)


@settings(max_examples=20)
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=3, max_size=60), st.randoms())
def test_the_order_of_the_images_does_not_matter_and_intervals_hold_the_score(pairs, random):
    predicted, of = [list(side) for side in zip(*pairs, strict=True)]
    one, _ = evaluate(answering(predicted), truth(of), None)
    random.shuffle(pairs)
    predicted, of = [list(side) for side in zip(*pairs, strict=True)]
    two, _ = evaluate(answering(predicted), truth(of), None)
    for name in ("accuracy", "balanced_accuracy", "macro_f1", "log_loss", "calibration_error"):
        assert getattr(one, name) == pytest.approx(getattr(two, name))
    low, high = one.accuracy_interval
    assert low - 1e-9 <= one.accuracy <= high + 1e-9


def test_no_images_or_another_shape_is_our_mistake():
    with pytest.raises(ValueError):
        evaluate(answering([0, 1]), truth([0]), None)
