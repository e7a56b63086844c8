"""The loops: budgets, warm-up, and stalls that count at a fixed rate."""

import time
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest

from harness.agent.timing.scenarios import Budget, Timed, at_fixed_rate, one_after_another, warm_up

ENDS = Budget(seconds=0.0, fewest=5, most=5, limit_seconds=1)


def nothing(*_: Any) -> None:
    pass


def closed_loop(query: Callable[[int], Any], budget: Budget) -> Timed:
    return one_after_another(query, count(), nothing, budget)


def open_loop(query: Callable[[int], Any], per_second: float, budget: Budget) -> Timed:
    return at_fixed_rate(query, count(), nothing, per_second, budget)


def test_a_loop_goes_on_until_both_time_and_queries_are_enough():
    timed = closed_loop(nothing, Budget(seconds=0.05, fewest=64, most=10**7, limit_seconds=5))
    assert len(timed.latencies) >= 64 and timed.ended - timed.started >= 0.05
    timed = closed_loop(nothing, Budget(seconds=0.0, fewest=64, most=10**7, limit_seconds=5))
    assert len(timed.latencies) == 64


def test_a_loop_ends_at_the_most_queries_and_at_the_limit():
    assert len(closed_loop(nothing, Budget(5, 1, 10, 5)).latencies) == 10
    slow = closed_loop(lambda _: time.sleep(0.02), Budget(0.0, 1000, 10**7, 0.1))
    assert 1 <= len(slow.latencies) < 1000


@pytest.mark.parametrize("rate", [None, 1000])
def test_inputs_come_in_their_turns_and_every_answer_is_kept_with_its_input(rate: float | None):
    kept: list[tuple[int, int]] = []

    def keep(at: int, answer: int) -> None:
        kept.append((at, answer))

    turns = iter([3, 1, 2, 1, 3])
    if rate is None:
        timed = one_after_another(lambda at: at * at, turns, keep, ENDS)
    else:
        timed = at_fixed_rate(lambda at: at * at, turns, keep, rate, ENDS)
    assert kept == [(3, 9), (1, 1), (2, 4), (1, 1), (3, 9)] and len(timed.latencies) == 5


def test_keeping_an_answer_is_not_timed():
    timed = one_after_another(nothing, count(), lambda *_: time.sleep(0.02), ENDS)
    assert max(timed.latencies) < 20e6


def test_a_stall_counts_for_every_query_that_it_delays():
    """One query of 300 ms at 100 a second: about 30 images wait, and their latencies show it."""

    def stalls_once(number: int) -> None:
        if number == 5:
            time.sleep(0.3)

    timed = open_loop(stalls_once, 100, Budget(0.0, 50, 50, 20))
    waited = [ms for ms in timed.latencies[6:] if ms > 50e6]
    assert len(waited) >= 20
    assert timed.missed >= 20
    assert timed.latencies[6] > timed.latencies[16] > timed.latencies[26], "the backlog is worked off"
    closed = closed_loop(stalls_once, Budget(0.0, 50, 50, 20))
    assert sum(ms > 250e6 for ms in closed.latencies) == 1, "one after another the stall is one slow query"


def test_a_fixed_rate_waits_for_the_planned_start():
    timed = open_loop(nothing, 200, Budget(0.0, 20, 20, 10))
    assert timed.ended - timed.started >= 19 / 200


def test_warm_up_lasts_as_long_as_wanted_and_longer_while_it_changes():
    assert warm_up(lambda _: time.sleep(0.001), count(), 0.05).seconds >= 0.05
    calls = []

    def speeds_up(number: int) -> None:
        calls.append(number)
        time.sleep(max(0.04 - 0.002 * number, 0.001))

    warm_up(speeds_up, count(), 0.2)
    assert len(calls) > 8, "two groups of four are not steady yet"
