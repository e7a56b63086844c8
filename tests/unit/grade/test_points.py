"""Points are rounded and added as decimals: against rational numbers, over whole grids."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.grading.rubric.criterion import linear
from harness.inputs.assignment.points import rounded, total


def half_even(exact: Fraction) -> Fraction:
    """To two decimals, a tie to the even digit: Python's own rounding of rational numbers."""
    return Fraction(round(exact * 100), 100)


@pytest.mark.parametrize("whole", [1, 3, 7, 15, 20, 33, 40, 45, 100])
@pytest.mark.parametrize("parts", [8, 40, 150, 200, 400, 600, 800, 1000])
def test_every_share_of_the_points_is_rounded_as_a_fraction_is(whole: int, parts: int):
    for part in range(parts + 1):
        exact = Fraction(whole * part, parts)
        for computed in (whole * part / parts, whole * (part / parts), part / parts * whole):
            assert Fraction(str(rounded(computed))) == half_even(exact), (whole, part, parts)


@pytest.mark.parametrize(("zero_at", "full_at"), [("-0.40", "-0.03"), ("0.5", "0.05"), ("10", "1.5"), ("0", "1")])
def test_so_is_every_place_on_the_line_between_two_anchors(zero_at: str, full_at: str):
    zero, full = Fraction(zero_at), Fraction(full_at)
    for points in (5, 15, 40):
        for images in (40, 143, 200):
            for right in range(-images, images + 1):
                value = Fraction(right, images)
                exact = points * min(Fraction(1), max(Fraction(0), (value - zero) / (full - zero)))
                computed = linear(right / images, float(zero), float(full), points)
                assert Fraction(str(rounded(computed))) == half_even(exact), (points, right, images)


@pytest.mark.parametrize(
    ("points", "shown"),
    [(15 * 1 / 200, 0.08), (0.075, 0.08), (0.145, 0.14), (2.675, 2.68), (15 * 0.145 / 5, 0.44), (-0.125, -0.12)],
)
def test_ties_go_to_the_even_digit(points: float, shown: float):
    assert rounded(points) == shown


def test_what_rounds_to_nothing_has_no_sign():
    assert str(rounded(-0.001)) == str(rounded(-0.0)) == str(total([])) == "0.0"


@given(st.lists(st.decimals(-1000, 1000, places=2).map(float), max_size=30))
def test_a_sum_is_that_of_the_decimals(marks: list[float]):
    assert Fraction(str(total(marks))) == sum((Fraction(str(mark)) for mark in marks), Fraction(0))
