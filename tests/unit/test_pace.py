"""How much of a run's time goes into what is only shown meanwhile."""

from __future__ import annotations

from harness.grading.pace import Pace


def test_the_first_begins_at_once_and_the_next_when_a_tenth_is_not_used_up() -> None:
    pace = Pace(1000.0)
    assert pace.allows(1000.0)
    pace.took(2.0)
    assert not pace.allows(1019.0)
    assert pace.allows(1020.0)


def test_at_most_a_tenth_and_one_piece_of_any_run_is_spent() -> None:
    """Pieces of 3 s, whenever they are allowed."""
    pace, now, spent = Pace(0.0), 0.0, 0.0
    while now < 500:
        if pace.allows(now):
            pace.took(3.0)
            spent += 3.0
            now += 3.0
        else:
            now += 0.5
        assert spent <= 0.1 * now + 3.0
    assert spent > 45
