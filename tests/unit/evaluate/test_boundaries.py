"""Scores and verdicts exactly at their boundaries, and with two of everything."""

import numpy as np
import pytest
from example_evidence import conversion, evaluation, inspection
from scipy.stats import binomtest

from harness.inputs.weights import TrainedOn
from harness.stages.evaluate import Answers, Truth, evaluate
from harness.stages.evaluate.calibration import calibration, calibration_error
from harness.stages.evaluate.comparison import mcnemar
from harness.stages.evaluate.faults import mixed_up_labels, wrong_preprocessing
from harness.stages.evaluate.labels import match_labels
from harness.stages.evidence.conversion import Preprocess
from harness.stages.evidence.stage_result import Done
from harness.stages.transfer_verdict import concluded, fits, guesses

CLASSES = ("ball", "bottle", "mug")


def rows(*said: tuple[int, float], labels: int = 3) -> np.ndarray:
    found = np.zeros((len(said), labels), np.float32)
    for row, (label, confidence) in zip(found, said, strict=True):
        row[:] = (1 - confidence) / (labels - 1)
        row[label] = confidence
    return found


# --- scores -------------------------------------------------------------------------------------


def test_the_reference_is_scored_by_its_own_order_of_the_labels():
    """Both are right on all images; their labels are ordered otherwise, and neither as the assignment's."""
    student = Answers(rows((2, 0.9), (1, 0.9), (0, 0.9)), ("mug", "bottle", "ball"))
    reference = Answers(rows((1, 0.9), (2, 0.9), (0, 0.9)), ("mug", "ball", "bottle"))
    found, _ = evaluate(student, Truth(CLASSES, np.array([0, 1, 2])), reference)
    assert (found.accuracy, found.reference_accuracy, found.difference) == (1.0, 1.0, 0.0)


def test_the_surest_mistakes_come_first_and_twelve_are_kept():
    confidences = [0.5, 0.95, 0.7, 0.95, *[0.6] * 11]
    found, _ = evaluate(
        Answers(rows(*((0, c) for c in confidences)), CLASSES), Truth(CLASSES, np.array([1, 2] * 7 + [1])), None
    )
    assert [mistake.image for mistake in found.mistakes] == [1, 3, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12]
    assert [mistake.confidence for mistake in found.mistakes[:3]] == pytest.approx([0.95, 0.95, 0.7])
    assert {mistake.truth for mistake in found.mistakes} == {"bottle", "mug"}


def test_an_answer_of_confidence_one_counts_in_the_last_bin():
    confidence, right = np.array([1.0, 1.0, 1.0, 0.99], np.float32), np.array([False, True, True, True])
    assert calibration_error(confidence, right) == pytest.approx(abs(0.75 - 3.99 / 4), abs=1e-6)
    [last] = calibration(confidence, right)
    assert (last.images, last.accuracy) == (4, 0.75)


@pytest.mark.parametrize("bins_of", [15, 10])
def test_bins_are_of_equal_width_and_each_begins_with_its_lower_edge(bins_of: int):
    """One answer in the middle of each bin and one at its lower edge: two in each bin."""
    at = np.array([(n + part) / bins_of for n in range(bins_of) for part in (0.001, 0.5)], np.float32)
    right = np.arange(2 * bins_of) % 2 == 0
    if bins_of == 10:
        assert [one.images for one in calibration(at, right)] == [2] * 10
    else:
        gaps = [abs(0.5 - at[2 * n : 2 * n + 2].mean(dtype=float)) / bins_of for n in range(bins_of)]
        assert calibration_error(at, right) == pytest.approx(sum(gaps), abs=1e-6)


def test_a_class_that_is_never_predicted_has_no_precision_and_one_without_images_no_recall():
    answers = Answers(rows((0, 0.8), (0, 0.8), (0, 0.8)), CLASSES)
    found, _ = evaluate(answers, Truth(CLASSES, np.array([0, 1, 1])), None)
    assert [(c.images, c.precision, c.recall) for c in found.per_class] == [
        (1, pytest.approx(1 / 3), 1.0), (2, None, 0.0), (0, None, 0.0),
    ]  # fmt: skip


def test_the_loss_counts_what_goes_to_labels_that_are_no_classes():
    answers = Answers(np.array([[0.5, 0.2, 0.3]], np.float32), ("ball", "bottle", "table"))
    found, _ = evaluate(answers, Truth(CLASSES, np.array([1])), None)
    assert found.log_loss == pytest.approx(-np.log(0.2), abs=1e-5)
    certain = Answers(np.array([[1.0, 0, 0]], np.float32), CLASSES)
    found, _ = evaluate(certain, Truth(CLASSES, np.array([1])), None)
    assert found.log_loss == pytest.approx(-np.log(1e-7), rel=1e-3)


def test_the_closest_form_of_a_name_is_taken_first_and_each_label_once():
    column_of, found = match_labels(("Mugs", "mug", "ball.", "ba-ll"), ("mug", "mugs", "ball"))
    assert column_of.tolist() == [1, 0, 2]
    assert [(one.code, "ba-ll" in one.message) for one in found] == [("class-unknown", True)]


def test_a_name_as_it_is_written_comes_before_its_other_forms():
    column_of, found = match_labels(("mug", "Mug"), ("Mug", "mug"))
    assert column_of.tolist() == [1, 0] and found == []


def test_the_draw_is_the_same_in_every_run():
    answers, truth = Answers(rows((0, 0.8), (0, 0.8), (1, 0.8)), CLASSES), Truth(CLASSES, np.array([0, 1, 1]))
    assert evaluate(answers, truth, None) == evaluate(answers, truth, None, seed=0)


def test_ten_labels_that_are_no_classes_are_named():
    _, found = match_labels(("ball", *(f"x{n}" for n in range(14))), ("ball",))
    assert len(found) == 10 and "x0" in found[0].message and "x9" in found[-1].message


def test_of_equal_probabilities_the_first_label_counts():
    found, _ = evaluate(
        Answers(np.full((2, 3), 1 / 3, np.float32), ("mug", "ball", "bottle")), Truth(CLASSES, np.array([2, 0])), None
    )
    assert found.accuracy == 0.5


# --- labels in the wrong order ------------------------------------------------------------------


def swapped(of_first: tuple[int, int], of_second: tuple[int, int]) -> list[str]:
    """`(right once put right, right now)` of the first class and the second; a third class is always right.

    Each class has 40 images; the rest of them is said to be of the third.
    """
    predicted, truth = [], []
    for name, (would, now) in enumerate((of_first, of_second)):
        predicted += [1 - name] * would + [name] * now + [2] * (40 - would - now)
        truth += [name] * 40
    truth += [2] * 200
    predicted += [2] * 200
    _, found = mixed_up_labels(np.array(predicted), np.array(truth), CLASSES)
    return [one.code for one in found]


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [
        ((24, 0), (24, 0), True),  # accuracy once put right: 0.60
        ((24, 0), (23, 0), False),
        ((20, 0), (40, 0), True),  # recall of the first class: 0.50
        ((19, 0), (40, 0), False),
        ((40, 0), (24, 16), True),  # a gain of 0.60
        ((28, 12), (24, 16), False),  # a gain of 0.30, and p = 0.0096
        ((28, 12), (27, 13), False),  # p = 0.0011
        ((28, 12), (28, 12), True),  # p = 0.0004
    ],
)
def test_labels_are_mixed_up_from_these_figures_on(first, second, told):
    assert swapped(first, second) == (["labels-swapped"] if told else [])


def test_a_gain_of_less_than_thirty_percent_is_no_mix_up():
    """Of 2,000 images of each class, chance explains nothing: 1,200 against 600 are 0.3 more, and that is enough."""
    for now, told in ((601, False), (600, True)):
        one = [1] * 1200 + [0] * now + [2] * (800 - now)
        other = [0] * 1200 + [1] * now + [2] * (800 - now)
        _, found = mixed_up_labels(np.array(one + other + [2] * 2000), np.repeat([0, 1, 2], 2000), CLASSES)
        assert bool(found) == told


def test_recall_is_asked_of_each_class_however_few_images_it_has():
    """90 images of the one class put right, 10 of the other of which 4 are: 94 % together, 40 % of the small one."""
    for right_of_small, told in ((4, False), (5, True)):
        said = np.array([1] * 90 + [0] * right_of_small + [2] * (10 - right_of_small) + [2] * 50)
        _, found = mixed_up_labels(said, np.repeat([0, 1, 2], [90, 10, 50]), CLASSES)
        assert bool(found) == told


def test_two_swaps_are_two():
    predicted = np.repeat([1, 0, 3, 2, 4], 30)
    order, [found] = mixed_up_labels(predicted, np.repeat(np.arange(5), 30), tuple("abcde"))
    assert order == {0: 1, 1: 0, 2: 3, 3: 2}
    assert "instead of 20.0%" in found.message and "would be 100.0%" in found.message


# --- a wrong pre-processing ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("images", "better", "told"),
    [(200, 20, True), (200, 19, False), (100, 10, False), (100, 11, True)],  # 10 of 100: p = 0.002
)
def test_another_preprocessing_has_to_be_right_on_a_tenth_more(images: int, better: int, told: bool):
    other = np.arange(images) < better
    assert bool(wrong_preprocessing(np.zeros(images, bool), {"zero-one": other})[1]) == told


def test_the_more_are_tried_the_surer_one_has_to_be():
    """13 images better and none worse: p = 0.00024. Of one probe that is beyond chance, of six it is not."""
    declared, other = np.arange(60) >= 13, np.ones(60, bool)
    assert 1e-3 / 6 < mcnemar(other, declared) < 1e-3 / 4
    assert wrong_preprocessing(declared, {"zero-one": other})[1]
    assert not wrong_preprocessing(declared, {"zero-one": other} | {str(n): declared for n in range(5)})[1]
    assert wrong_preprocessing(declared, {"zero-one": other} | {str(n): declared for n in range(3)})[1]


def test_of_several_better_ones_the_best_is_named():
    declared = np.arange(60) >= 40
    probes = {"zero-one": np.arange(60) >= 10, "raw-0-255": np.ones(60, bool), "minus-one-one": np.arange(60) >= 5}
    _, [found] = wrong_preprocessing(declared, probes)
    assert "raw-0-255" in found.message


# --- transfer -----------------------------------------------------------------------------------


@pytest.mark.parametrize("classes", [2, 5])
def test_a_model_guesses_up_to_one_percent_of_chance(classes: int):
    """Exactly: how many right answers make P(as many by chance) fall to 1 %; answers are as even as classes."""
    names = tuple(f"c{n}" for n in range(classes))
    even = {"confusion": ((200 // classes**2,) * classes,) * classes, "confusion_other": (0,) * classes}
    for right in range(200 // classes, 200):
        p = binomtest(right, 200, 1 / classes, alternative="greater").pvalue
        assert guesses(evaluation(images=200, classes=names, accuracy=right / 200, **even)) == (p > 0.01)


TRAINED = TrainedOn(scale=1 / 255, mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25), colour="RGB")


def rule(scale: float, mean: float, std: float, colour: str = "RGB") -> Preprocess:
    values = {"width": 224, "height": 224, "resize": "stretch", "colour": colour, "scale": scale}
    return Preprocess(**values, mean=(mean,) * 3, std=(std,) * 3)


@pytest.mark.parametrize(
    ("std", "shift", "does"),
    [
        (0.25, 0.0, True),
        (0.25 / 1.49, 0.0, True),
        (0.25 / 1.51, 0.0, False),
        (0.25 * 1.49, 0.0, True),
        (0.25 * 1.51, 0.0, False),
        (0.25, 0.49, True),
        (0.25, 0.51, False),
        (0.25, -0.49, True),
        (0.25, -0.51, False),
    ],
)
def test_a_preprocessing_fits_within_a_slope_of_1_5_and_half_a_deviation(std: float, shift: float, does: bool):
    """`shift`: of the middle grey, in standard deviations of photographs (64 pixels) at the backbone's slope."""
    middle = (0.5 * 255 / 255 - 0.5) / 0.25 + shift * 64 / 255 / 0.25
    assert fits(rule(1 / 255, 0.5 - middle * std, std), TRAINED) == does


def test_one_channel_that_does_not_fit_is_enough_and_so_is_the_order_of_colours():
    two_fit = Preprocess(
        width=224, height=224, resize="stretch", colour="RGB", scale=1 / 255, mean=(0.5,) * 3, std=(0.25, 0.25, 0.05)
    )
    assert not fits(two_fit, TRAINED)
    assert not fits(rule(1 / 255, 0.5, 0.25, colour="BGR"), TRAINED)


def test_a_preprocessing_is_judged_where_it_was_declared_and_layers_are_frozen():
    off = conversion(preprocess=rule(1.0, 0.0, 1.0))
    looked = Done(value=inspection(frozen_layers=1))
    scored = Done(value=evaluation())
    judged = concluded(looked, scored, off, TRAINED)
    assert judged.value.preprocessing_matches is False
    assert [one.code for one in judged.findings] == ["preprocessing-mismatch"]
    for changed, converted in (
        ({"frozen_layers": 0}, off),
        ({"frozen_layers": 1, "scales_its_input": True}, off),
        ({"frozen_layers": 1}, off.model_copy(update={"assumed": "as usual"})),
    ):
        judged = concluded(Done(value=inspection(**changed)), scored, converted, TRAINED)
        assert judged.value.preprocessing_matches is None and judged.findings == ()
