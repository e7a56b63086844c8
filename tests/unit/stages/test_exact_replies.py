"""What comes out of a sandbox, exactly at its limits; and the verdicts on timings and answers at theirs."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hostile import npy

from harness.boundary.bounded_json import Unbounded, check, read_bounded
from harness.inputs.assignment.limits import ResourceLimits
from harness.inputs.assignment.sections import BenchmarkRules, Robustness
from harness.sandbox.engine import Outcome
from harness.stages.benchmark import unsteady
from harness.stages.context import Rejected, failed, read_array, read_bytes_array, usage
from harness.stages.evidence.benchmark import Benchmark, Latency
from harness.stages.predict import checked
from harness.stages.repeatability import are_different
from harness.stages.robustness import affordable
from harness.stages.timed_answers import Groups, checked_answers

MIB = 2**20


def is_bounded(content: bytes) -> bool:
    try:
        check(content)
    except Unbounded:
        return False
    return True


def padded(size: int) -> bytes:
    return b'{"a": 1}' + b" " * (size - 8)


@pytest.mark.parametrize(("size", "read"), [(MIB, True), (MIB + 1, False)])
def test_a_reply_has_a_mebibyte(size: int, read: bool, tmp_path: Path):
    assert is_bounded(padded(size)) == read
    (tmp_path / "a.json").write_bytes(padded(size))
    if read:
        assert json.loads(read_bounded(tmp_path / "a.json")) == {"a": 1}
    else:
        with pytest.raises(Unbounded, match="larger than 1048576 bytes"):
            read_bounded(tmp_path / "a.json")


@pytest.mark.parametrize(("commas", "read"), [(50_000, True), (50_001, False)])
def test_a_reply_has_50_000_values(commas: int, read: bool):
    assert is_bounded(b"[" + b"1," * commas + b"1]") == read
    keys = b"{" + b",".join(b'"%d":1' % n for n in range(25_000)) + b"}"
    assert keys.count(b":") + keys.count(b",") == 49_999 and is_bounded(keys)
    assert is_bounded(b'["' + b"," * 100_000 + b'"]'), "what a text holds is none of its values"


@pytest.mark.parametrize(("brackets", "read"), [(100_000, True), (100_002, False)])
def test_empty_lists_count_too(brackets: int, read: bool):
    assert is_bounded(b"[]" * (brackets // 2)) == read


@pytest.mark.parametrize(("depth", "read"), [(32, True), (33, False)])
@pytest.mark.parametrize("pair", [(b"[", b"]"), (b'{"a":', b"}")])
def test_a_reply_has_32_levels(depth: int, read: bool, pair: tuple[bytes, bytes]):
    assert is_bounded(pair[0] * depth + b"1" + pair[1] * depth) == read


@pytest.mark.parametrize(("digits", "read"), [(399, True), (400, False)])
def test_a_number_has_less_than_400_characters(digits: int, read: bool):
    assert is_bounded(b"[" + b"7" * digits + b"]") == read


# --- arrays -------------------------------------------------------------------------------------


@pytest.mark.parametrize("by_columns", [False, True])
def test_an_array_is_read_whole_however_it_lies(by_columns: bool, tmp_path: Path):
    rows = np.arange(12, dtype=np.float32).reshape(4, 3)
    (tmp_path / "a.npy").write_bytes(npy(np.asfortranarray(rows) if by_columns else rows))
    assert np.array_equal(read_array(tmp_path, "a.npy", (4, 3)), rows)
    (tmp_path / "b.npy").write_bytes(npy(rows.astype(np.uint8)))
    assert np.array_equal(read_bytes_array(tmp_path, "b.npy", (4, 3)), rows)
    (tmp_path / "none.npy").write_bytes(npy(rows[:0]))
    assert read_array(tmp_path, "none.npy", (0, 3)).shape == (0, 3)


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((3, 4), np.float32),
        np.zeros((4, 4), np.float32),
        np.zeros(12, np.float32),
        np.zeros((4, 3), np.float64),
        np.zeros((4, 3), ">f4"),
        np.zeros((4, 3), np.int32),
    ],
)
def test_an_array_of_another_kind_is_rejected(array: Any, tmp_path: Path):
    (tmp_path / "a.npy").write_bytes(npy(array))
    with pytest.raises(Rejected):
        read_array(tmp_path, "a.npy", (4, 3))


@pytest.mark.parametrize(("extra", "taken"), [(4096 - 128, True), (4096 - 127, False)])
def test_an_arrays_file_has_a_page_more_than_its_numbers(extra: int, taken: bool, tmp_path: Path):
    content = npy(np.zeros(12, np.float32))
    assert len(content) == 48 + 128
    (tmp_path / "a.npy").write_bytes(content + bytes(extra))
    with pytest.raises(Rejected) as caught:
        read_array(tmp_path, "a.npy", (12,))
    assert ("is larger than" in str(caught.value)) != taken


# --- answers ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "taken"),
    [
        ([0.5, 0.5], True),
        ([0.5, 0.5009], True),
        ([0.5, 0.4991], True),
        ([0.5, 0.505], False),
        ([0.5, 0.495], False),
        ([1.0009, -0.0009], True),
        ([1.002, -0.002], False),
        ([0.5, float("nan")], False),
    ],
)
def test_probabilities_sum_to_one_within_a_thousandth(row: list[float], taken: bool):
    rows = np.asarray([[0.2, 0.8], row], np.float32)
    if taken:
        assert checked(rows).min() >= 0 and checked(rows).max() <= 1
    else:
        with pytest.raises(Rejected):
            checked(rows)
    assert checked(rows[:0]).shape == (0, 2)


@pytest.mark.parametrize(("moved", "differs"), [(0.0009, False), (0.0011, True)])
def test_answers_that_move_by_more_than_a_thousandth_are_different(moved: float, differs: bool):
    rows = np.asarray([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]], np.float32)
    other = rows + np.asarray([[moved, -moved]] * 3, np.float32)
    assert are_different(rows, other, rows) == differs


def test_another_label_is_another_answer_however_near():
    rows = np.asarray([[0.50002, 0.49998], [0.2, 0.8]], np.float32)
    other = np.asarray([[0.49998, 0.50002], [0.2, 0.8]], np.float32)
    assert are_different(rows, other, rows)
    assert not are_different(rows, rows, rows)


def test_of_timed_answers_the_end_that_is_farther_off_counts():
    before = np.asarray([[0.5, 0.5], [0.9, 0.1], [0.3, 0.7]], np.float32)
    groups = Groups(inputs=(0, 1, 1), counts=(5, 3, 2))
    low, high = before[[2, 0, 0]].copy(), before[[2, 0, 0]].copy()
    high[1, 0] += 0.002
    low[2, 1] -= 0.0005
    found = checked_answers(groups, low, high, [[2], [0]], before, 1e-3)
    assert (found.checked, found.different) == (10, 3)
    assert found.largest_difference == pytest.approx(0.002, rel=1e-3)


# --- timings ------------------------------------------------------------------------------------

LATENCY = Latency(p50_ms=1, p90_ms=1, p99_ms=1, throughput_per_s=1, queries=64, peak_memory_bytes=1)


def benchmark_example() -> Benchmark:
    return Benchmark(
        engine="x", model=LATENCY, reference=None, ratio=None, ratio_interval=None, cpus=1, threads=1,
        warm_up_seconds=1, outputs_agree=True,
    )  # fmt: skip


@pytest.mark.parametrize("cores", [1, 4, 10])
def test_a_fifth_of_all_cores_may_be_taken(cores: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    value, rules = benchmark_example(), BenchmarkRules()
    assert unsteady(value, rules, 0.81 * cores) == "" == unsteady(value, rules, None)
    assert f"{0.21 * cores:.1f} of {cores} cores" in unsteady(value, rules, 0.79 * cores)


def test_fewer_queries_than_asked_for_are_said():
    assert unsteady(benchmark_example(), BenchmarkRules(queries=64), None) == ""
    assert "64 queries only, not 65" in unsteady(benchmark_example(), BenchmarkRules(queries=65), None)


@pytest.mark.parametrize(
    ("multiply_adds", "images"),
    [(None, 20), (0, 20), (1, 40), (10**10, 35), (10**13, 20), (8_928_571_428, 40), (9_200_000_000, 38)],
)
def test_fewer_images_are_made_worse_for_a_large_model(multiply_adds: int | None, images: int):
    """10^13 multiply-adds for 28 versions of each: as they are, and nine corruptions of three severities."""
    assert affordable(Robustness(), multiply_adds) == images
    assert affordable(Robustness(images=5), multiply_adds) == 5


# --- ends ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "told", "reason"),
    [
        ("timeout", "timeout", "It did not end within 7 s"),
        ("memory", "memory", "It used more than 4.0 GB of memory"),
        ("killed", "killed", "It was killed from inside the sandbox"),
        ("output", "rejected", "It sent results that are too large or malformed"),
        ("failed", "failed", "It failed"),
    ],
)
def test_how_a_job_that_failed_is_told(status: Any, told: str, reason: str):
    outcome = Outcome(status, 1, "first\nlast\n \n", 2.5, 1.0, 99, False, 0.5)
    found = failed(outcome, "It", ResourceLimits(wall_seconds=7, cell_seconds=7))
    assert (found.status, found.reason, found.detail) == (told, reason, "last" if status == "failed" else "")
    cost = usage(outcome)
    assert (cost.seconds, cost.peak_memory_bytes, cost.cores_left, cost.log) == (2.5, 99, 0.5, outcome.log)
