"""The benchmark's page: what it shows, what it hides, and that a model's name cannot harm it."""

import pytest
from bench_examples import accuracy, board_predictions, layer_times, measured, results

from harness.bench.compare import compare
from harness.bench.results import Unmeasured
from harness.report.bench import view, write_bench
from harness.report.charts import Point
from harness.report.roofline import front, roofline
from harness.report.units import count
from harness.stages.evidence.boards import RooflineKernel


def page(found, *, to):
    write_bench(found, to)
    return (to / "index.html").read_text(encoding="utf-8")


def test_the_parts_of_a_full_page(tmp_path):
    reference = measured("reference", 12, 1, is_reference=True, accuracy=accuracy(0.86))
    found = results(
        reference, measured("vgg16", 80, 2, accuracy=accuracy(0.9)), measured("small", 5, 3, accuracy=accuracy(0.7)),
        outlooks=(board_predictions("vgg16"),),
    )  # fmt: skip
    compared = compare(found, results(measured("vgg16", 60, 4)))
    text = page(found.model_copy(update={"compared": compared}), to=tmp_path)
    for title in (
        "Against the earlier run", "Latency", "Distribution", "Accuracy against latency",
        "vgg16 on a board", "Roofline", "The costliest layers", "What would make it faster",
        "Does it fit?", "Rounds", "How it was measured",
    ):  # fmt: skip
        assert f">{title}<" in text, title
    assert "small is the fastest: " in text and (
        "No difference in accuracy is shown between vgg16 (90.0%) and reference (86.0%)" in text
    )
    assert '<span class="chip error">Slower</span>' in text


def test_a_latency_that_is_not_believed_is_neither_drawn_nor_the_fastest(tmp_path):
    doubted = measured("cheat", 1, 3, accuracy=accuracy(0.99), believed=False, valid=False)
    found = results(
        measured("vgg16", 80, 2, accuracy=accuracy(0.9)), measured("small", 5, accuracy=accuracy(0.7)), doubted
    )
    shown, text = view(found), page(found, to=tmp_path)
    assert len(shown["tradeoff"].points) == len(shown["tradeoff_items"]) == 2
    assert "small is the fastest: " in text and "Left out is 1 model whose latency is not believed" in text


def test_what_is_not_known_is_not_shown(tmp_path):
    text = page(results(measured("a", 10)), to=tmp_path)
    for title in (
        "Against the earlier run",
        "Accuracy against latency",
        "on a board",
        "Roofline",
        "Energy",
        "Quick run",
    ):
        assert title not in text


def test_a_quick_run_and_what_failed_are_said(tmp_path):
    lost = Unmeasured(model="b", engine="cpu", precision="int8", reason="It ended.")
    text = page(results(measured("a", 10), effort="quick", unmeasured=(lost,)), to=tmp_path)
    assert "Quick run" in text and "b (cpu, int8): It ended." in text


def test_a_models_name_cannot_harm_the_page(tmp_path):
    text = page(results(measured("<script>alert(1)</script>\u202e", 10)), to=tmp_path)
    assert "<script>alert" not in text and "\u202e" not in text


@pytest.mark.parametrize("scenario", ["multi-stream", "offline", "fixed-rate"])
def test_every_scenario_has_a_page(scenario, tmp_path):
    one = measured("a", 10, early_stopping=None if scenario == "offline" else measured("a", 10).early_stopping)
    assert "<h1>" in page(results(one, scenario=scenario), to=tmp_path)


def test_the_front_joins_what_none_beats():
    """Further left is faster; a smaller y is higher up, and so more often right."""
    fast, good, beaten = Point(10, 200, 0, 0), Point(60, 50, 0, 0), Point(70, 100, 0, 0)
    lines = front([beaten, good, fast])
    assert [(line.x1, line.y1, line.x2, line.y2) for line in lines] == [(10, 200, 60, 200), (60, 200, 60, 50)]
    assert front([fast]) == ()


def test_kernels_stand_where_they_are_predicted_or_on_the_roof():
    (given,) = board_predictions("a").rooflines
    plot = roofline(given)
    slope, flat = plot.roof
    assert flat.y1 == flat.y2 and slope.y1 > slope.y2
    convolution, depthwise = plot.kernels
    assert plot.names == ("conv1", "depthwise")
    assert depthwise.x < convolution.x < slope.x2, "fewer operations for each byte"
    on_the_roof = slope.y1 + (convolution.x - slope.x1) / (slope.x2 - slope.x1) * (slope.y2 - slope.y1)
    assert convolution.y > on_the_roof + 5, "110 of 269 possible"


def test_layers_are_shown_with_their_sum_and_a_strangers_name_has_no_effect(tmp_path):
    text = page(results(measured("a", 10, p50_ms=9.5, layers=layer_times())), to=tmp_path)
    assert "The times of 2 layers add up to 9 ms, 90% of a query's 10 ms" in text.replace("&#39;", "'")
    assert "Conv takes 67%" in text and "&lt;b&gt;conv" in text and "<b>conv" not in text


def test_the_histogram_says_how_many_queries_it_shows(tmp_path):
    """bench.json keeps at most 10,000 latencies of what may be hundreds of thousands."""
    one = measured("a", 10)
    text = page(results(one), to=tmp_path)
    assert "1,000 queries</small>" in text and "taken evenly" not in text
    text = page(results(one.model_copy(update={"queries": 300_000})), to=tmp_path)
    assert f"1,000 of {count(300_000)} queries, taken evenly</small>" in text
    assert "the latency of 1000 queries" in text


def test_a_kernel_that_takes_next_to_no_time_does_not_stretch_the_plot(tmp_path):
    """A softmax over five classes reaches a fraction of a convolution's speed, and takes a hundredth of its time."""
    full = board_predictions("a")
    (given,) = full.rooflines
    softmax = RooflineKernel(name="softmax", operations=5, bytes=4, reached_per_s=3e6)
    with_it = given.model_copy(update={"kernels": (*given.kernels, softmax)})
    before, plot = roofline(given), roofline(with_it)
    assert plot.left_out == 1 and before.left_out == 0
    assert (plot.names, plot.kernels, plot.y_ticks) == (before.names, before.kernels, before.y_ticks)
    shown = full.model_copy(update={"rooflines": (with_it,)})
    text = page(results(measured("a", 10), outlooks=(shown,)), to=tmp_path)
    assert "not drawn: 1 that take" in text and "above it" not in text


def test_a_kernel_above_the_roof_is_explained(tmp_path):
    full = board_predictions("a")
    (given,) = full.rooflines
    fast = RooflineKernel(name="3x3", operations=10**9, bytes=10**6, reached_per_s=1.3 * given.peak_operations_per_s)
    with_it = given.model_copy(update={"kernels": (*given.kernels, fast)})
    assert roofline(with_it).above == 1 and roofline(given).above == 0
    shown = full.model_copy(update={"rooflines": (with_it,)})
    assert "above it: 1, by a method with fewer operations" in page(
        results(measured("a", 10), outlooks=(shown,)), to=tmp_path
    )
