"""What `tox -e boards` fails on."""

from __future__ import annotations

from harness.bench.boards.evaluation import Evaluated, as_markdown, worse
from harness.bench.boards.scoring import BoardScore, LikeForLike


def evaluated(**changes: float | str | None) -> Evaluated:
    plain = {
        "board": "jetson-nano-4gb", "runtime": "tensorrt", "rows": 14,
        "family_factor": 1.2, "family_covered": 0.93, "source_factor": 1.6, "source_covered": 1.0,
        "network_factor": 1.07, "naive_factor": 1.7, "roofline_factor": 1.5,
    }  # fmt: skip
    against = (LikeForLike(runtime="tensorrt", rows=14, family_factor=1.2, three_factor=1.4),)
    return Evaluated(used=14, unused=(), scores=(BoardScore(**(plain | changes)),), against_three=against)


BEFORE = as_markdown(evaluated())


def test_the_same_figures_are_not_worse_and_better_ones_neither() -> None:
    assert worse(evaluated(), BEFORE) == []
    assert worse(evaluated(family_factor=1.1, source_covered=0.95), BEFORE) == []


def test_a_factor_that_grew_is_named_with_both_figures() -> None:
    (said,) = worse(evaluated(source_factor=1.9), BEFORE)
    assert "jetson-nano-4gb, tensorrt" in said and "1.600 -> 1.900" in said


def test_a_coverage_that_fell_below_90_percent_is_named() -> None:
    (said,) = worse(evaluated(family_covered=0.8), BEFORE)
    assert "93% -> 80%" in said


def test_a_board_whose_rows_are_gone_is_named() -> None:
    (said,) = worse(evaluated(runtime="pytorch"), BEFORE)
    assert said == "jetson-nano-4gb, tensorrt: no row is used any more"
