"""All timed answers are kept, in bounded memory, and held against those given before."""

from __future__ import annotations

from collections import Counter
from itertools import islice

import numpy as np
import pytest

from harness.agent.models.loaded_model import Unusable, as_rows
from harness.agent.timing.scenarios import in_random_turns
from harness.agent.timing.timed_answers import TimedAnswers
from harness.agent.timing.timed_inputs import how_many, queries
from harness.stages.evidence.benchmark import CheckedAnswers
from harness.stages.timed_answers import Groups, checked_answers

BEFORE = np.array([[0.9, 0.1], [0.2, 0.8], [0.5, 0.5]], np.float32)


def taken(answers: list[tuple[int, list[float]]]) -> TimedAnswers:
    kept = TimedAnswers(lambda given: as_rows(given, 1))
    for input, row in answers:
        kept.add(input, np.array([row], np.float32))
    return kept


def checked(answers: list[tuple[int, list[float]]]) -> CheckedAnswers:
    counted, low, high = taken(answers).summary()
    return checked_answers(Groups(**counted), low, high, [[0], [1], [2]], BEFORE, 1e-3)


def test_every_answer_counts_not_only_the_last() -> None:
    """One wrong answer among a thousand right ones, neither the first nor the last for its image."""
    answers = [(i % 3, [float(p) for p in BEFORE[i % 3]]) for i in range(999)]
    assert checked(answers) == CheckedAnswers(checked=999, different=0, largest_difference=0.0)
    answers.insert(500, (1, [0.7, 0.3]))
    found = checked(answers)
    assert (found.checked, found.different) == (1000, 1)
    assert found.largest_difference == pytest.approx(0.5, abs=1e-6)


def test_the_right_answer_to_another_image_is_a_wrong_one() -> None:
    assert checked([(0, [0.2, 0.8])]).different == 1


def test_rounding_is_no_other_answer() -> None:
    random = np.random.default_rng(0)
    answers = [(1, [0.2 + e, 0.8 - e]) for e in random.uniform(-4e-4, 4e-4, 500)]
    found = checked(answers)
    assert (found.checked, found.different) == (500, 0)
    assert found.largest_difference == pytest.approx(4e-4, rel=0.05)


def test_memory_stays_bounded_when_every_answer_is_another() -> None:
    random = np.random.default_rng(0)
    counted, low, high = taken([(0, [p, 1 - p]) for p in random.uniform(0, 1, 5000)]).summary()
    assert len(counted["inputs"]) == len(low) == len(high) == 16
    assert sum(counted["counts"]) == 5000
    assert high.max() > 0.99 and low.min() < 0.01


def test_a_wrong_answer_hidden_among_too_many_different_ones_is_found() -> None:
    many = [(0, [0.9 + step * 2e-5, 0.1 - step * 2e-5]) for step in range(0, 200, 6)]
    assert checked([*many, (0, [0.1, 0.9]), *many]).different > 0
    assert checked([*many, (0, [0.1, 0.9]), *many]).largest_difference == pytest.approx(0.8, abs=1e-6)


@pytest.mark.parametrize("wrong", [np.nan, np.inf, 1e30])
def test_an_answer_that_is_no_probability_is_a_wrong_one(wrong: float) -> None:
    found = checked([(0, [0.9, 0.1]), (0, [wrong, 0.1]), (0, [0.9, 0.1])])
    assert (found.different, found.largest_difference) == (1, 1.0)


def test_the_same_bytes_in_another_shape_are_refused() -> None:
    kept = TimedAnswers(lambda given: as_rows(given, 1))
    kept.add(0, np.array([[0.9, 0.1]], np.float32))
    with pytest.raises(Unusable):
        kept.add(0, np.array([[0.9], [0.1]], np.float32))


def test_a_query_of_several_images_is_checked_image_by_image() -> None:
    kept = TimedAnswers(lambda given: as_rows(given, 2))
    kept.add(1, BEFORE[[2, 0]])
    kept.add(0, BEFORE[[0, 2]])
    counted, low, high = kept.summary()
    found = checked_answers(Groups(**counted), low, high, [[0, 1], [2, 0]], BEFORE, 1e-3)
    assert (found.checked, found.different) == (4, 1)


def test_inputs_have_their_turn_once_a_round_each_round_in_another_order() -> None:
    turns = in_random_turns(40)
    rounds = [list(islice(turns, 40)) for _ in range(3)]
    assert all(sorted(one) == list(range(40)) for one in rounds)
    assert len({tuple(one) for one in rounds}) == 3
    assert list(islice(in_random_turns(40), 40)) not in rounds


def test_queries_hold_every_image() -> None:
    assert queries(3, 1) == [[0], [1], [2]]
    batches = queries(64, 8)
    assert len(batches) == 8 and Counter(i for batch in batches for i in batch) == Counter(range(64))
    assert len(queries(12, 8)) == 8 and {i for batch in queries(12, 8) for i in batch} == set(range(12))


@pytest.mark.parametrize(("side", "dtype", "images"), [(32, "float32", 64), (224, "uint8", 64), (2048, "float32", 16)])
def test_large_inputs_are_fewer(side: int, dtype: str, images: int) -> None:
    assert how_many([{"rule": {"width": side, "height": side}, "input_dtype": dtype}]) == images


def test_answers_of_several_processes_are_kept_together() -> None:
    """Equal ones in one group however many processes gave them, and no more than 16 groups for an image."""
    right, wrong = [[float(p) for p in BEFORE[0]], [0.7, 0.3]]
    merged = TimedAnswers(lambda given: as_rows(given, 1))
    for process in range(30):
        merged.add_counted(*taken([(0, right), (0, right), (0, [0.01 * process, 1 - 0.01 * process])]).summary())
    counted, low, high = merged.summary()
    assert sum(counted["counts"]) == 90 and max(counted["counts"]) >= 60 and len(counted["counts"]) <= 16
    found = checked_answers(Groups(**counted), low, high, [[0], [1], [2]], BEFORE, 1e-3)
    assert found.checked == 90 and found.different >= 29
    assert checked([(0, right), (0, wrong)]).different == 1
