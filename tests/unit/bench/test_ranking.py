"""Which model leads is said only where intervals tell it, on the page, in the terminal and in Markdown alike."""

from __future__ import annotations

import re

import pytest
from bench_examples import accuracy, board_predictions, measured, results

from harness.bench.matrix import matrix
from harness.bench.ranking import fastest, leaders, throughput_interval
from harness.bench.rules import EFFORTS
from harness.bench.sentences import title, verdicts
from harness.boundary.screen import Screen
from harness.cli.bench_tables import print_results
from harness.report.bench import view
from harness.report.export.bench_markdown import markdown
from harness.report.rendering import Renderer


def timed(model: str, ms: float, low: float, high: float, **changes):
    return measured(model, ms, p50_ms=ms, p50_interval=(low, high), **changes)


def everywhere(found) -> list[str]:
    """The page, the terminal's text and the Markdown, each without mark-up."""
    page = re.sub(r"<[^>]+>", " ", Renderer().render("bench.html.j2", **view(found)))
    screen = Screen(width=200)
    with screen.capture() as printed:
        print_results(found, screen)
    return [page, printed.get(), markdown(found)]


def test_one_that_is_smaller_leads_alone_and_overlapping_ones_lead_together():
    assert leaders([(9, 11), (4, 6), (7, 8)], [10, 5, 7.5]) == (1,)
    assert leaders([(9, 11), (4, 6), (5.5, 8)], [10, 5, 7]) == (1, 2)
    assert leaders([], []) == ()


@pytest.mark.parametrize("count", [2, 3, 7])
def test_where_intervals_overlap_no_model_is_called_faster(count):
    found = results(*(timed(f"net{number}", 10 + number / 10, 9, 12) for number in range(count)))
    for text in everywhere(found):
        assert "No difference is shown between" in text
        assert not re.search(r"is the fastest|\*\*1", text)
    assert matrix(found).rows[0].fastest is None


@pytest.mark.parametrize("rounds", [1, 2])
def test_two_rounds_do_not_tell_even_where_intervals_lie_apart(rounds):
    """One model, timed twice on a machine that others used, gave intervals of 15.9 to 19 and 21.5 to 32.1 ms."""
    one, again = timed("one", 18.1, 15.9, 19), timed("again", 25.2, 21.5, 32.1)
    found = results(*(each.model_copy(update={"rounds": each.rounds[:rounds]}) for each in (one, again)))
    for text in everywhere(found):
        assert "their rounds do not tell, either of the two may be the fastest" in text
    assert matrix(found).rows[0].fastest is None


def test_one_that_is_surely_faster_is_said_to_be():
    found = results(timed("small", 5, 4.9, 5.1), timed("vgg16", 80, 79, 81))
    for text in everywhere(found):
        assert "small is the fastest: median 5 ms, 95 % interval 4.9 to 5.1" in text
    assert matrix(found).rows[0].fastest == 0
    assert "**5 (4.9–5.1)**" in markdown(found)


def test_a_tie_says_how_many_are_slower_in_singular_and_plural():
    tied = [timed("a", 5, 4.8, 5.3), timed("b", 5.1, 4.9, 5.4)]
    slower = [timed("c", 80, 79, 81), timed("d", 90, 89, 91)]
    one, two = (" ".join(verdicts(results(*tied, *slower[:count]))) for count in (1, 2))
    assert "either of the two may be the fastest, but 1 other is slower than a." in one
    assert "but 2 others are slower than a." in two


def test_a_single_model_is_compared_with_nothing():
    (said,) = verdicts(results(timed("a", 5, 4.8, 5.3)))
    assert said == "a: median 5 ms, 95 % interval 4.8 to 5.3."


def test_of_many_that_tie_some_are_named():
    (said,) = verdicts(results(*(timed(f"n{number}", 5, 4.8, 5.3) for number in range(9))))
    assert "and 5 others" in said and "n8" not in said


def test_accuracies_within_each_others_intervals_are_a_tie():
    near = results(measured("a", 5, accuracy=accuracy(0.80)), measured("b", 50, accuracy=accuracy(0.82)))
    far = results(measured("a", 5, accuracy=accuracy(0.50)), measured("b", 50, accuracy=accuracy(0.90)))
    assert "No difference in accuracy is shown between b (82.0%) and a (80.0%)" in " ".join(verdicts(near))
    assert "b (90.0%) is most often right." in " ".join(verdicts(far))


def test_throughput_ranks_where_it_counts_and_batches_are_not_ranked_against_each_other():
    a = measured("a", 20, throughput_per_s=50.0, throughput_interval=(49.0, 51.0))
    b = measured("b", 10, throughput_per_s=90.0, throughput_interval=(88.0, 92.0))
    assert [one.model for one in fastest([a, b], by_throughput=True)] == ["b"]
    tied = b.model_copy(update={"throughput_interval": (50.0, 130.0)})
    assert [one.model for one in fastest([a, tied], by_throughput=True)] == ["b", "a"]
    eight = a.model_copy(update={"batch": 8, "p50_ms": 1.0, "p50_interval": (0.9, 1.1)})
    one = b.model_copy(update={"batch": 1})
    assert fastest([eight, one], by_throughput=False) == (one,)
    assert title(eight, [eight, one]) == "a, batch 8" and title(one, [one]) == "b"


def test_an_interval_of_throughput_that_an_earlier_version_did_not_write_follows_from_the_medians():
    one = timed("a", 10, 8, 12.5, throughput_per_s=100.0)
    assert throughput_interval(one) == pytest.approx((80, 125))


def test_a_quick_run_says_what_it_leaves_out():
    for text in everywhere(results(measured("a", 10), effort="quick")):
        assert "It leaves out the rounds that make an interval narrower than 3 %, and the time of each layer." in text
    quick = EFFORTS["quick"]
    assert (quick.rounds, quick.most_rounds, quick.round_seconds) == (4, 4, 1.0) and not quick.layers


def test_the_matrix_has_each_machine_once_and_a_gap_where_a_figure_is_missing():
    found = results(measured("a", 10), measured("b", 20, believed=False), outlooks=(board_predictions("a"),))
    rows = matrix(found).rows
    assert [(row.machine, row.how, row.measured) for row in rows] == [
        ("this machine", "cpu, fp32", True),
        ("Jetson Nano 4GB", "TensorRT, fp16", False),
    ]
    assert [cell is None for row in rows for cell in row.cells] == [False, True, False, True]


def test_a_name_has_no_effect_in_markdown():
    name = "a|b\n# x @everyone #1 [l](http://evil.example) www.evil.example <img src=x> **b** `c` \u202e"
    text = markdown(results(measured(name, 10), measured("b", 500)))
    for meant in ("\n# ", "@every", " #1", "[l]", "http://", "www.e", "<img", "**b**", " `c`", "\u202e", "a|b"):
        assert meant not in text
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert {line.count(" | ") for line in rows if "cpu, fp32" in line} == {2}
