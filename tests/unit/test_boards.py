"""Every board's file is whole, with sources; a misspelt one gets the nearest."""

import csv
from pathlib import Path

import pytest

from harness.bench import boards
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


def test_a_board_by_its_other_names():
    assert boards.load("jetson-nano").name == "jetson-nano-4gb"
    assert boards.load("Jetson AGX Orin").name == "jetson-agx-orin-64gb"


def test_a_board_of_ones_own(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text('title = "Mine"\ngpu = "Ampere"\nassumed_like = "jetson-orin-nano"\nsources = ["me"]\n')
    assert boards.load(str(file)).assumed().fp16_tflops == boards.load("jetson-orin-nano").fp16_tflops
    file.write_text('title = "Mine"\nsources = []\n')
    with pytest.raises(UsageError, match="gpu"):
        boards.load(str(tmp_path / "mine.toml").replace("mine", "./mine"))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("fp16_tflop = 1.0", "fp16_tflop: unknown key\n  do: did you mean 'fp16_tflops'"),
        ("colour = 1", "colour: unknown key\n  do: keys: name"),
        ("fp16_tflops = -1", "fp16_tflops: Input should be greater than 0"),
        ("memory_bandwidth_gb_s = 0", "memory_bandwidth_gb_s: Input should be greater than 0"),
        ("fp32_tflops = inf", "fp32_tflops: Input should be a finite number"),
        ('assumed_like = "jetson-nanoo"', "assumed_like: unknown board 'jetson-nanoo'\n  do: did you mean"),
        ('assumed_like = "mine.toml"', "assumed_like: mine.toml is a file"),
    ],
)
def test_a_board_of_ones_own_with_a_mistake(line, said, tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text(f'title = "Mine"\ngpu = "Ampere"\nsources = ["me"]\n{line}\n')
    with pytest.raises(UsageError) as caught:
        boards.load(str(file))
    assert said in str(caught.value)


def test_a_board_of_ones_own_may_be_like_one_by_its_other_name(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text('title = "Mine"\ngpu = "Maxwell"\nassumed_like = "jetson-nano"\nsources = ["me"]\n')
    assert boards.load(str(file)).assumed().fp16_tflops == boards.load("jetson-nano-4gb").fp16_tflops


def test_an_unknown_board():
    with pytest.raises(UsageError) as caught:
        boards.load("jetson-nan-4gb")
    assert "jetson-nano-4gb" in caught.value.do


def test_the_figures_are_those_of_the_table_with_the_sources():
    with (Path(boards.__file__).parent / "specs.csv").open(encoding="utf-8") as table:
        rows = {row["board"]: row for row in csv.DictReader(table)}
    columns = {"mem_gb": "memory_gb", "mem_bw_gbs": "memory_bandwidth_gb_s", "int8_tops_dense_gpu": "int8_tops"}
    columns |= {"fp16_tflops_dense": "fp16_tflops"}
    columns |= {name: name for name in ("cuda_cores", "tensor_cores", "gpu_max_mhz", "fp32_tflops")}
    by_title = {boards.load(name).title: boards.load(name) for name in boards.names()}
    for title, row in rows.items():
        for column, name in columns.items():
            assert getattr(by_title[title], name) == (float(row[column]) if row[column] else None), (title, name)
        assert by_title[title].cpu == (row["cpu"] or None)
    assert set(by_title) - set(rows) == {"Jetson Nano 2GB", "Jetson AGX Orin 32GB"}


def test_every_published_figure_names_its_source_and_unit():
    with (Path(boards.__file__).parent / "published.csv").open(encoding="utf-8") as table:
        rows = list(csv.DictReader(table))
    assert len(rows) > 1700
    assert all(row["source"] and row["unit"] and float(row["value"]) > 0 for row in rows)
