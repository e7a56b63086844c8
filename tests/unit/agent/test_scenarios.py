"""The loops: budgets, warm-up, and stalls that count at a fixed rate."""

import time

from harness.agent.scenarios import Budget, at_fixed_rate, one_after_another, warm_up


def nothing(_: int) -> None:
    pass


def test_a_loop_goes_on_until_both_time_and_queries_are_enough():
    timed = one_after_another(nothing, Budget(seconds=0.05, fewest=64, most=10**7, limit_seconds=5))
    assert len(timed.latencies) >= 64 and timed.ended - timed.started >= 0.05
    timed = one_after_another(nothing, Budget(seconds=0.0, fewest=64, most=10**7, limit_seconds=5))
    assert len(timed.latencies) == 64


def test_a_loop_ends_at_the_most_queries_and_at_the_limit():
    assert len(one_after_another(nothing, Budget(5, 1, 10, 5)).latencies) == 10
    slow = one_after_another(lambda _: time.sleep(0.02), Budget(0.0, 1000, 10**7, 0.1))
    assert 1 <= len(slow.latencies) < 1000


def test_inputs_are_numbered_in_order():
    seen = []
    one_after_another(seen.append, Budget(0.0, 5, 5, 1))
    assert seen == [0, 1, 2, 3, 4]


def test_a_stall_counts_for_every_query_that_it_delays():
    """One query of 300 ms at 100 a second: about 30 pictures wait, and their latencies show it."""

    def stalls_once(number: int) -> None:
        if number == 5:
            time.sleep(0.3)

    timed = at_fixed_rate(stalls_once, 100, Budget(0.0, 50, 50, 20))
    waited = [ms for ms in timed.latencies[6:] if ms > 50e6]
    assert len(waited) >= 20
    assert timed.missed >= 20
    assert timed.latencies[6] > timed.latencies[16] > timed.latencies[26], "the backlog is worked off"
    closed = one_after_another(stalls_once, Budget(0.0, 50, 50, 20))
    assert sum(ms > 250e6 for ms in closed.latencies) == 1, "one after another the stall is one slow query"


def test_a_fixed_rate_waits_for_the_planned_start():
    timed = at_fixed_rate(nothing, 200, Budget(0.0, 20, 20, 10))
    assert timed.ended - timed.started >= 19 / 200


def test_warm_up_lasts_as_long_as_wanted_and_longer_while_it_changes():
    assert warm_up(lambda _: time.sleep(0.001), 0.05).seconds >= 0.05
    calls = []

    def speeds_up(number: int) -> None:
        calls.append(number)
        time.sleep(max(0.04 - 0.002 * number, 0.001))

    warm_up(speeds_up, 0.2)
    assert len(calls) > 8, "two groups of four are not steady yet"
