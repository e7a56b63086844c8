"""Mixed up labels and a wrong pre-processing are found, and honest models are not accused."""

import numpy as np

from harness.stages.evaluate.faults import mixed_up_labels, wrong_preprocessing

CLASSES = ("ball", "bottle", "bowl", "lamp", "mug")
TRUTH = np.repeat(np.arange(5), 30)


def noisy(rng: np.random.Generator, accuracy: float) -> np.ndarray:
    wrong = rng.random(len(TRUTH)) >= accuracy
    return np.where(wrong, rng.integers(0, 5, len(TRUTH)), TRUTH)


def test_two_labels_swapped_are_named():
    rng = np.random.default_rng(0)
    swap = np.array([0, 4, 2, 3, 1])
    _, [found] = mixed_up_labels(swap[noisy(rng, 0.9)], TRUTH, CLASSES)
    assert found.code == "labels-swapped"
    assert "'mug' read as 'bottle'" in found.message and "'bottle' read as 'mug'" in found.message


def test_labels_shifted_by_one_are_found():
    rng = np.random.default_rng(0)
    order, _ = mixed_up_labels((noisy(rng, 0.8) + 1) % 5, TRUTH, CLASSES)
    assert order == {0: 4, 1: 0, 2: 1, 3: 2, 4: 3}


def test_honest_models_are_not_accused_of_mixed_labels():
    """From guessing to nearly perfect, biased ones too: no alarm in 600 models."""
    rng = np.random.default_rng(0)
    alarms = 0
    for number in range(600):
        predicted = noisy(rng, number / 600)
        if number % 3 == 0:  # confuses one class with another most of the time
            predicted = np.where((predicted == 1) & (rng.random(150) < 0.8), 4, predicted)
        if number % 7 == 0:
            predicted = np.zeros(150, dtype=np.int64)
        alarms += bool(mixed_up_labels(predicted, TRUTH, CLASSES)[1])
    assert alarms == 0


def test_a_much_better_preprocessing_is_named():
    rng = np.random.default_rng(0)
    declared, other = rng.random(40) < 0.4, rng.random(40) < 0.9
    _, [found] = wrong_preprocessing(declared, {"zero-one": other, "keras-vgg16-caffe": declared})
    assert found.code == "preprocessing-mismatch"
    assert "zero-one" in found.message


def test_preprocessings_of_equal_worth_raise_no_alarm():
    """Four probes of the same accuracy on 40 images: at most 1 alarm in 500 models."""
    rng = np.random.default_rng(0)
    alarms = 0
    for _ in range(500):
        declared = rng.random(40) < 0.7
        probes = {str(n): rng.random(40) < 0.7 for n in range(4)}
        alarms += bool(wrong_preprocessing(declared, probes)[1])
    assert alarms <= 1


def test_two_labels_of_ten_swapped_are_found_though_they_cost_little():
    """A fifth of the images is all that a swap of two in ten can cost."""
    rng = np.random.default_rng(3)
    truth = np.repeat(np.arange(10), 15)
    predicted = np.where(rng.random(150) < 0.85, truth, rng.integers(0, 10, 150))
    swap = np.arange(10)
    swap[[2, 7]] = 7, 2
    _, [found] = mixed_up_labels(swap[predicted], truth, tuple("abcdefghij"))
    assert "'c' read as 'h', 'h' read as 'c'" in found.message


def test_only_the_labels_that_are_mixed_up_are_named():
    """Classes that a weak model confuses besides stay out of the message."""
    rng = np.random.default_rng(0)
    truth = np.repeat(np.arange(6), 30)
    predicted = truth.copy()
    predicted[truth == 4] = np.where(rng.random(30) < 0.55, 5, 4)
    predicted[truth == 5] = np.where(rng.random(30) < 0.55, 4, 5)
    swap = np.array([1, 0, 2, 3, 4, 5])
    _, [found] = mixed_up_labels(swap[predicted], truth, tuple("abcdef"))
    assert "'a' read as 'b', 'b' read as 'a' the accuracy" in found.message


def test_a_class_that_swallows_another_is_no_mix_up():
    predicted = np.where(TRUTH == 1, 4, TRUTH)
    assert mixed_up_labels(predicted, TRUTH, CLASSES) == ({}, [])


def test_labels_that_are_no_classes_are_no_mix_up():
    assert mixed_up_labels(np.full(150, -1), TRUTH, CLASSES) == ({}, [])


def test_weak_models_with_habits_are_not_accused():
    """Random biases and confusions, as in faults.py: at most 5 alarms in 1,000, and none of a model above one half."""
    rng = np.random.default_rng(11)
    alarmed = []
    for _ in range(1000):
        confusion = rng.normal(0, rng.choice([0, 0.5, 1]), (5, 5))
        np.fill_diagonal(confusion, rng.uniform(0.3, 4))
        logits = confusion[TRUTH] + rng.normal(0, rng.choice([0, 0.5, 1, 2]), 5) + rng.normal(0, 1, (150, 5))
        predicted = logits.argmax(axis=1)
        if mixed_up_labels(predicted, TRUTH, CLASSES)[1]:
            alarmed.append(float((predicted == TRUTH).mean()))
    assert len(alarmed) <= 5
    assert max(alarmed, default=0) < 0.5
