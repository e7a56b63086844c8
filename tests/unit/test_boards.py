"""Every board's file is whole, with sources; a misspelt one gets the nearest."""

import pytest

from harness import boards
from harness.errors import UsageError


def test_every_board_has_figures_with_sources():
    assert len(boards.names()) >= 10
    for name in boards.names():
        board = boards.load(name)
        assert board.sources and board.title.startswith("Jetson")
        assert board.memory_bandwidth_gb_s is None or 10 < board.memory_bandwidth_gb_s < 1000


def test_half_precision_peaks_are_never_below_single():
    for name in boards.names():
        board = boards.load(name)
        if board.fp16_tflops and board.fp32_tflops:
            assert board.fp16_tflops >= 2 * board.fp32_tflops * 0.99


def test_an_unknown_board():
    with pytest.raises(UsageError) as caught:
        boards.load("jetson-nan-4gb")
    assert "jetson-nano-4gb" in caught.value.do
