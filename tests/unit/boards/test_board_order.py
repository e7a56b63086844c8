"""Boards obey physics: the same silicon is as fast, a weaker one nowhere faster, none faster than its roofline."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from kernel_examples import graph, transformer

from harness.bench import boards
from harness.bench.boards import prediction, runtimes, silicon
from harness.bench.boards.board import Board
from harness.bench.boards.network import Network
from harness.bench.boards.ordering import Ordering
from harness.bench.boards.prediction import Prediction
from harness.bench.boards.runtimes import Runtime
from harness.stages.evidence.conversion import Precision
from harness.stages.evidence.kernels import KernelList

NETWORKS = (
    "alexnet", "densenet121", "densenet201", "efficientnet_b0", "googlenet", "inception_v3", "mnasnet1_0",
    "mobilenet_v2", "mobilenet_v3_large", "mobilenet_v3_small", "regnet_x_400mf", "resnet18", "resnet50", "resnet152",
    "resnext50_32x4d", "shufflenet_v2_x1_0", "squeezenet1_1", "vgg11", "vgg16", "vit_b_16",
)  # fmt: skip
RUNTIMES = (
    Runtime("tensorrt"), Runtime("pytorch"), Runtime("tensorflow"), Runtime("onnxruntime-cuda"),
    Runtime("ncnn-vulkan"), Runtime("ncnn-cpu"), Runtime("ncnn-cpu", 4), Runtime("onnxruntime-cpu"),
)  # fmt: skip
PRECISIONS: tuple[Precision, ...] = get_args(Precision)
ROUNDING = 1e-9
PAIR = ((1.0, 1.0), (0.5, 1.0))  # the figures of two boards
FIGURES = (
    "fp32_tflops", "fp16_tflops", "int8_tops", "memory_bandwidth_gb_s", "gpu_max_mhz", "cuda_cores", "cpu_cores",
    "cpu_max_ghz",
)  # fmt: skip


def of(name: str) -> KernelList:
    return transformer() if name == "vit_b_16" else graph(name)


def made_up() -> list[Board]:
    """Boards between, below and beyond the known ones: all figures scaled, or one of them."""
    found = []
    for name, scale in itertools.product(("jetson-nano-4gb", "jetson-xavier-nx", "jetson-orin-nano"), (0.5, 0.9, 3.0)):
        board = boards.load(name)
        scaled = {key: getattr(board, key) * scale for key in FIGURES if getattr(board, key) and "cores" not in key}
        found.append(board.model_copy(update={"name": f"{name}-{scale}", **scaled}))
    for key, value in (("memory_bandwidth_gb_s", 40.0), ("cuda_cores", 256), ("gpu_max_mhz", 1100.0), ("cpu_cores", 6)):
        found.append(boards.load("jetson-nano-4gb").model_copy(update={"name": f"nano-{key}", key: value}))
    found.append(Board(name="bare", title="Bare", gpu="Ada", fp32_tflops=0.5, memory_bandwidth_gb_s=30, sources=()))
    return found


@pytest.fixture(scope="module")
def everywhere() -> dict[tuple[str, str, Precision, str], Prediction]:
    """Every network, runtime and precision on every board."""
    every = [boards.load(name) for name in boards.names()] + made_up()
    return {
        (network, row.runtime, row.precision, row.board): row
        for network in NETWORKS
        for row in prediction.predict(of(network), every, RUNTIMES, PRECISIONS)
    }


def nowhere_stronger(one: Board, other: Board) -> bool:
    """By published figures, and no newer cores of the CPU; an unknown figure cannot be compared."""
    pairs = [(getattr(one, key), getattr(other, key)) for key in FIGURES]
    return silicon.cores(one) <= silicon.cores(other) and all(a is None or (b is not None and a <= b) for a, b in pairs)


def test_a_board_that_is_nowhere_stronger_is_nowhere_faster(everywhere) -> None:
    every = {board.name: board.assumed() for board in [*map(boards.load, boards.names()), *made_up()]}
    pairs = [(a, b) for a, b in itertools.permutations(every, 2) if nowhere_stronger(every[a], every[b])]
    assert len(pairs) > 60
    compared = 0
    for (network, runtime, precision, board), row in everywhere.items():
        for weaker, stronger in pairs:
            other = everywhere.get((network, runtime, precision, stronger))
            if board != weaker or other is None:
                continue
            compared += 1
            case = (network, runtime, precision, weaker, stronger)
            assert row.latency_ms >= other.latency_ms * (1 - ROUNDING), case
            assert row.low_ms >= other.low_ms * (1 - ROUNDING), case
            assert row.high_ms >= other.high_ms * (1 - ROUNDING), case
    assert compared > 20_000


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("jetson-nano-2gb", "jetson-nano-4gb"),
        ("jetson-orin-nx-8gb", "jetson-orin-nx-16gb"),
        ("jetson-agx-orin-32gb", "jetson-agx-orin-64gb"),
        ("jetson-tx2-nx", "jetson-tx2"),
    ],
)
def test_the_same_silicon_is_as_fast(everywhere, one: str, other: str) -> None:
    for (network, runtime, precision, board), row in everywhere.items():
        if board == one:
            twin = everywhere[network, runtime, precision, other]
            assert (row.latency_ms, row.low_ms, row.high_ms) == (twin.latency_ms, twin.low_ms, twin.high_ms)
            assert row.rows == twin.rows


def test_no_time_and_no_end_of_an_interval_is_below_the_roofline(everywhere) -> None:
    every = {board.name: board.assumed() for board in [*map(boards.load, boards.names()), *made_up()]}
    networks = {name: Network.of(of(name)) for name in NETWORKS}
    by_text = {str(runtime): runtime for runtime in RUNTIMES}
    for (name, runtime, precision, board), row in everywhere.items():
        network = networks[name]
        peak = runtimes.usable_peak(every[board], by_text[runtime], precision)
        least = np.maximum(network.operations / peak, network.bytes(precision) / every[board].bandwidth())
        bound = float((least * network.count).sum()) * 1e3
        assert bound * (1 - ROUNDING) <= row.low_ms <= row.latency_ms <= row.high_ms, (name, runtime, precision, board)


@pytest.mark.parametrize("name", boards.names())
def test_a_boards_name_does_not_matter(name: str, tmp_path: Path) -> None:
    board = boards.load(name)
    renamed = board.model_copy(update={"name": "mine", "title": "Mine", "aliases": ()})
    for one, other in zip(
        prediction.predict(graph("mobilenet_v2"), [board], RUNTIMES, PRECISIONS),
        prediction.predict(graph("mobilenet_v2"), [renamed], RUNTIMES, PRECISIONS),
        strict=True,
    ):
        assert one.model_copy(update={"board": "", "notes": ()}) == other.model_copy(update={"board": "", "notes": ()})


@pytest.mark.parametrize("name", NETWORKS)
def test_more_layers_are_never_faster(name: str) -> None:
    """Growing from the input, and from the output: every step takes as long or longer."""
    whole = of(name).kernels
    steps = sorted({max(1, round(share * len(whole))) for share in np.linspace(0, 1, 15)})
    asked = [boards.load(board) for board in ("jetson-nano", "jetson-orin-nx-8gb")]
    some = [Runtime("tensorrt"), Runtime("pytorch"), Runtime("ncnn-cpu", 4)]
    for parts in ([whole[:count] for count in steps], [whole[-count:] for count in steps]):
        before: dict[tuple[str, str, str], float] = {}
        for kernels in parts:
            grown = KernelList(input=(1, 3, 224, 224), parameters=sum(k.weights for k in kernels), kernels=kernels)
            for row in prediction.predict(grown, asked, some, ["fp16"]):
                key = (row.board, row.runtime, row.precision)
                assert row.latency_ms >= before.get(key, 0.0) * (1 - ROUNDING), (key, len(kernels))
                before[key] = row.latency_ms


def test_the_page_says_which_layers_were_never_measured_and_the_interval_is_wider() -> None:
    nano, nx = boards.load("jetson-nano-4gb"), boards.load("jetson-xavier-nx")
    said = "there is no measurement of depthwise layers with TensorRT on this board"
    on_nano, on_nx = prediction.predict(graph("mobilenet_v2"), [nano, nx], [Runtime("tensorrt")], ["fp16"])
    assert said in on_nano.notes and "layers" in on_nano.new
    assert said not in on_nx.notes and "layers" not in on_nx.new
    (attention,) = prediction.predict(transformer(), [nano], [Runtime("tensorrt")], ["fp16"])
    assert said.replace("depthwise", "attention") in attention.notes
    (grouped,) = prediction.predict(graph("resnext50_32x4d"), [nano], [Runtime("tensorrt")], ["fp16"])
    assert said.replace("depthwise", "grouped") in grouped.notes
    (plain,) = prediction.predict(graph("resnet18"), [nano], [Runtime("tensorrt")], ["fp16"])
    assert "layers" not in plain.new and not plain.notes
    assert on_nano.high_ms / on_nano.latency_ms > 1.5 * plain.high_ms / plain.latency_ms
    assert on_nano.low_ms < 16.7 < on_nano.high_ms, "about 60 images per second, as published for the Nano"


def test_an_order_that_published_rows_contradict_is_kept_halfway() -> None:
    """The second board is nowhere stronger, yet was measured to be faster: both get the mean of the logarithms."""
    ordering = Ordering.of(PAIR, (0.5, 1.0))
    assert ordering.extended(np.array([2.0, 1.0]), 9.0) == pytest.approx(1.5)
    assert Ordering.of(PAIR, (1.0, 1.0)).extended(np.array([2.0, 1.0]), 9.0) == pytest.approx(1.5)
    obeying = np.array([1.0, 1.3])
    for index, figures in enumerate(PAIR):
        same = Ordering.of(PAIR, figures).extended(obeying, 9.0)
        assert same == pytest.approx(obeying[index]), "times that obey the order stay"
    between = Ordering.of(PAIR, (0.7, 1.0))
    assert between.extended(obeying, 1.1) == pytest.approx(1.1), "its own estimate, where the others allow it"
    assert between.extended(obeying, 9.0) == pytest.approx(1.3) and between.extended(obeying, 0.0) == pytest.approx(1.0)
    assert Ordering.of((), (1.0, 1.0)).extended(np.zeros(0), 3.0) == 3.0
