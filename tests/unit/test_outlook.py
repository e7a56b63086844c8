"""What is predicted for boards, as pages and criteria take it: from real kernels through the real model of time."""

from __future__ import annotations

import pytest

from harness.bench.boards import load, names
from harness.bench.boards.stage import board_predictions, by_memory
from harness.errors import UsageError
from harness.stages.evidence.kernels import Kernel, KernelList

NANO = load("jetson-nano-4gb")


def network(width: int) -> KernelList:
    """A convolution and a dense layer on its 2 x 2 maps that holds most parameters; `width` scales both."""
    convolution = Kernel(
        kind="convolution", name="conv", operations=width * 2 * 27 * 112 * 112, inputs=3 * 224 * 224,
        weights=27 * width, outputs=width * 112 * 112, shape=(width, 3, 3, 3),
    )  # fmt: skip
    dense = Kernel(
        kind="dense", name="head", operations=2 * width * 3000, inputs=4 * width, weights=width * 3000, outputs=750,
        shape=(750, 4 * width),
    )  # fmt: skip
    return KernelList(input=(1, 3, 224, 224), parameters=width * 3027, kernels=(convolution, dense))


def test_each_board_has_a_time_an_interval_and_its_memory():
    boards = by_memory(("jetson-orin-nano", "jetson-nano"))
    found = board_predictions("a", network(64), boards, ("fp16", "int8"))
    assert [(row.board, row.precision) for row in found.boards] == [
        (board.title, precision) for board in boards for precision in ("fp16", "int8")
    ]
    assert [board.name for board in boards] == ["jetson-nano-4gb", "jetson-orin-nano"], "least memory first"
    for row in found.boards:
        low, high = row.interval_90
        assert 0 < low < row.latency_ms < high
        assert row.fits and row.needed_bytes < row.available_bytes
        assert row.rests_on and row.versus_reference is None
    assert [roof.board for roof in found.rooflines] == [board.title for board in boards]
    assert all(len(roof.kernels) == 2 for roof in found.rooflines)


def test_the_layers_are_those_of_the_first_board_and_their_shares_are_of_all():
    found = board_predictions("a", network(64), [NANO])
    assert {layer.name for layer in found.costliest} == {"conv", "head"}
    assert sum(layer.share for layer in found.costliest) == pytest.approx(1)
    assert found.costliest[0].share >= found.costliest[1].share
    assert {layer.name: layer.parameters for layer in found.costliest} == {"conv": 27 * 64, "head": 64 * 3000}
    assert any("The dense layer head holds 99% of the parameters" in sentence for sentence in found.advice)


def test_a_model_is_as_fast_as_itself_and_slower_than_a_tenth_of_it():
    own = board_predictions("a", network(64), [NANO], reference=network(64)).boards[0].versus_reference
    assert own.ratio == pytest.approx(1) and own.band == "as fast"
    larger = board_predictions("a", network(2048), [NANO], reference=network(64)).boards[0]
    ratio = larger.versus_reference
    assert ratio.ratio > 2 and ratio.band in ("much slower", "far slower")
    assert ratio.interval_90[0] < ratio.ratio < ratio.interval_90[1]
    assert ratio.ratio == pytest.approx(larger.latency_ms / ratio.reference_ms, rel=0.05)


def test_the_board_is_as_tight_for_prediction_as_for_the_envelope():
    found = board_predictions("a", network(64), [NANO]).boards[0]
    assert found.available_bytes == NANO.available_bytes()
    huge = network(64).model_copy(update={"kernels": (network(800_000).kernels[1],)})
    assert board_predictions("a", huge, [NANO]).boards[0].fits is False


def test_without_names_every_board_is_meant_and_a_typing_error_is_told():
    assert {board.name for board in by_memory(())} == set(names())
    with pytest.raises(UsageError, match="unknown board 'jetson-nan'"):
        by_memory(("jetson-nan",))
