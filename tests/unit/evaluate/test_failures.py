"""When a model fails: the figures, from answers that are known."""

import numpy as np
import pytest

from harness.stages.evaluate.calibration import calibration
from harness.stages.evaluate.failures import accuracies, chosen, unseen_auroc, worst
from harness.stages.robustness import cell_drops


def test_accuracy_by_corruption_and_severity():
    right = np.array([[1, 1, 1, 1], [1, 1, 1, 0], [0, 0, 1, 0], [1, 0, 1, 0]], dtype=bool)
    clean, worse = accuracies(right, [("noise", 1), ("noise", 5), ("blur", 3)])
    assert clean == 1.0
    assert worse == {"noise": {1: 0.75, 5: 0.25}, "blur": {3: 0.5}}


def test_auroc_of_the_confidence():
    sure, unsure = np.array([[0.9, 0.1], [0.2, 0.8]], np.float32), np.array([[0.6, 0.4], [0.5, 0.5]], np.float32)
    assert unseen_auroc(sure, unsure) == 1.0
    assert unseen_auroc(unsure, sure) == 0.0
    assert unseen_auroc(sure, sure) == 0.5


def test_the_choice_takes_as_many_of_each_class_and_a_shorter_one_begins_a_longer_one():
    truth = [0] * 30 + [1] * 10 + [2] * 5
    nine = chosen(truth, 9)
    assert sorted(truth[i] for i in nine) == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert chosen(truth, 20)[:9] == nine
    assert sorted(chosen(truth, 1000)) == list(range(45))


def test_the_worst_are_the_surest_mistakes_then_the_least_sure():
    rows = np.array([[0.9, 0.1], [0.7, 0.3], [0.55, 0.45], [0.99, 0.01]], np.float32)
    right = np.array([False, False, True, True])
    assert worst(rows, right, 3) == (0, 1, 2)


def test_calibration_bins_leave_out_none_of_the_answers():
    confidence = np.array([0.31, 0.35, 0.95, 1.0], np.float32)
    bins = calibration(confidence, np.array([True, False, True, True]))
    assert [(one.images, one.accuracy) for one in bins] == [(2, 0.5), (2, 1.0)]
    assert bins[0].confidence == pytest.approx(0.33)


def test_a_cell_s_drop_is_the_mean_over_the_windows_on_it():
    windows = np.zeros((3, 3))
    windows[0, 0] = 0.8
    cells = cell_drops(windows.ravel(), 4)
    assert cells[0, 0] == pytest.approx(0.8) and cells[1, 1] == pytest.approx(0.2) and cells[3, 3] == 0
