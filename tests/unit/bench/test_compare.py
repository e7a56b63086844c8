"""Faster, slower, no difference; and what does not compare."""

import json
import math
import os

import numpy as np
import pytest
from bench_examples import measured, results
from scipy.stats import t

from harness.bench.compare import compare, compare_in_turn, uncompared
from harness.bench.results import Host, TimedRound, load
from harness.errors import UsageError


def rounds(*medians: float, void: tuple[int, ...] = ()) -> tuple[TimedRound, ...]:
    """Rounds with these medians, ms; those numbered in `void` do not count."""
    (shown, *_) = measured("a", 10).rounds
    return tuple(
        shown.model_copy(update={"median_ms": median, "void": "the clock moved" if number in void else ""})
        for number, median in enumerate(medians)
    )


@pytest.mark.parametrize(
    ("factor", "verdict"),
    [(1.0, "no difference"), (1.04, "no difference"), (0.96, "no difference"), (1.15, "slower"), (0.85, "faster")],
)
def test_the_verdict(factor, verdict):
    (found,) = compare(results(measured("a", 10 * factor, 1)), results(measured("a", 10, 2)))
    assert found.verdict == verdict
    assert found.ratio == pytest.approx(factor, rel=0.02)
    assert found.ratio_interval[0] <= found.ratio <= found.ratio_interval[1]


@pytest.mark.parametrize(
    ("taken", "factor", "verdict"), [(0.0, 1.3, "slower"), (0.6, 1.3, "no difference"), (0.6, 1.7, "slower")]
)
def test_of_two_runs_a_change_that_other_programs_can_have_made_counts_for_nothing(taken, factor, verdict, monkeypatch):
    """Of two cores they took 0.6 in the new run: 1.05 / 0.7 is 1.5."""
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    new = measured("a", 10 * factor, 1)
    busy = tuple(
        one.model_copy(update={"machine": one.machine.model_copy(update={"other_load": taken})}) for one in new.rounds
    )
    (found,) = compare(results(new.model_copy(update={"rounds": busy})), results(measured("a", 10, 2)))
    assert found.verdict == verdict
    assert found.smallest_change == pytest.approx(1.05 / (1 - max(taken, 0.02) / 2) - 1)


def test_the_interval_of_two_runs_is_welchs_over_rounds():
    """By hand: Satterthwaite's degrees of freedom, on logarithms."""
    new, old = np.array([10.1, 10.4, 9.9, 10.2]), np.array([9.0, 9.3, 9.1, 9.6, 9.2])
    (found,) = compare(results(measured("a", 10, rounds=rounds(*new))), results(measured("a", 9, rounds=rounds(*old))))
    parts = [np.log(one).var(ddof=1) / len(one) for one in (new, old)]
    degrees = sum(parts) ** 2 / sum(part**2 / (len(one) - 1) for part, one in zip(parts, (new, old), strict=True))
    mean, half = np.log(new).mean() - np.log(old).mean(), t.ppf(0.975, degrees) * math.sqrt(sum(parts))
    assert found.ratio_interval == pytest.approx((math.exp(mean - half), math.exp(mean + half)))
    assert found.p_value == pytest.approx(2 * t.sf(mean / math.sqrt(sum(parts)), degrees))


def test_a_change_below_what_matters_counts_for_nothing_however_sure():
    (found,) = compare(results(measured("a", 10.2, 1)), results(measured("a", 10, 2)))
    assert found.p_value < 0.01 and found.verdict == "no difference"


def test_blocks_of_one_process_are_no_replicates():
    """Two processes on each side that differ as starts do: forty blocks make the difference no surer."""
    new, old = (measured("a", level, rounds=rounds(level, level)) for level in (11, 10))
    (found,) = compare(results(new), results(old))
    assert found.verdict == "too few rounds" and found.ratio_interval is None and found.p_value is None
    assert found.ratio == pytest.approx(new.p50_ms / old.p50_ms)


def test_void_rounds_do_not_count():
    new, old = rounds(10, 10.1, 9.9, 20, void=(3,)), rounds(10, 10.1, 9.9, 10)
    (found,) = compare(results(measured("a", 10, rounds=new)), results(measured("a", 10, rounds=old)))
    assert found.ratio == pytest.approx(1, rel=0.01)


def in_turn(new, old, **changes):
    found = results(measured("new", 10, rounds=new), measured("old", 10, rounds=old), **changes)
    (said,) = compare_in_turn(found, "old")
    return said


def test_models_in_turn_are_compared_by_pairs_of_rounds():
    """The machine becomes twice as slow meanwhile; the pairs all say 10 %."""
    drifting = np.array([10, 12, 15, 18, 20])
    found = in_turn(rounds(*(drifting * [1.1, 1.11, 1.1, 1.09, 1.1])), rounds(*drifting))
    assert (found.model, found.verdict) == ("new", "slower")
    assert found.ratio == pytest.approx(1.1, rel=1e-2)
    assert in_turn(rounds(*drifting), rounds(*drifting * 1.1)).verdict == "faster"
    assert in_turn(rounds(*drifting * 1.02), rounds(*drifting)).verdict == "no difference"


def test_a_round_that_is_void_takes_its_pair_along():
    old = rounds(10, 12, 15, 18, 99, void=(4,))
    found = in_turn(rounds(11, 13.2, 99, 19.8, 99, void=(2,)), old)
    assert found.ratio == pytest.approx(1.1, rel=1e-6)
    assert in_turn(rounds(11, 13, 16, void=(0,)), old).verdict == "too few rounds"


def test_in_turn_the_reference_is_not_compared():
    found = results(measured("reference", 5, is_reference=True), measured("new", 10), measured("old", 10))
    assert [one.model for one in compare_in_turn(found, "old")] == ["new"]


def test_what_only_one_run_has_is_said():
    """A model that is no longer measured must not pass unseen."""
    new, old = results(measured("a", 10), measured("b", 10)), results(measured("a", 10), measured("c", 10))
    assert len(compare(new, old)) == 1
    assert uncompared(new, old) == [
        "b (cpu, fp32): not compared: the earlier run does not have it.",
        "c (cpu, fp32): not compared: only the earlier run has it.",
    ]


def test_the_same_machine_seldom_differs_from_itself():
    """False alarms at most as often as the test's level, with rounds that differ by 0.3 %."""
    seeds = range(40)
    alarms = [compare(results(measured("a", 10, s)), results(measured("a", 10, s + 100)))[0].verdict for s in seeds]
    assert alarms.count("no difference") == len(seeds)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"scenario": "offline"}, "scenario was offline"),
        ({"mode": "end-to-end"}, "mode was end-to-end"),
        ({"host": Host(processor="Cortex-A57", cores=(0, 1), system="Linux")}, "processor was Cortex-A57"),
        ({"host": Host(processor="Xeon", cores=(0,), system="Linux")}, "number of cores was 1"),
        ({"host": Host(processor="Xeon", cores=(0, 1), system="Linux", power_mode="MAXN")}, "power mode was MAXN"),
        ({"measurements": (measured("b", 10),)}, r"it has b \(cpu, fp32\)"),
        ({"measurements": (measured("a", 10, precision="int8"),)}, "same engine and precision"),
    ],
)
def test_runs_that_do_not_compare(change, said):
    with pytest.raises(UsageError, match=said):
        compare(results(measured("a", 10)), results(measured("a", 10)).model_copy(update=change))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no bench.json"),
        ("{}", "no bench.json: harness"),
        ('{"schema": 2}', "schema 2, and this version reads schema 1"),
        ('{"schema": 1, "assignment": {}}', "no bench.json"),
        ("[1, 2]", "no bench.json"),
    ],
)
def test_what_is_no_bench_json(text, said, tmp_path):
    (tmp_path / "old.json").write_text(text)
    with pytest.raises(UsageError, match=said):
        load(tmp_path / "old.json")
    with pytest.raises(UsageError, match="cannot be read"):
        load(tmp_path / "none.json")


def test_bench_json_comes_back_as_it_was(tmp_path):
    kept = results(measured("a", 10))
    (tmp_path / "bench.json").write_text(kept.model_dump_json(by_alias=True))
    assert json.loads((tmp_path / "bench.json").read_text())["schema"] == 1
    assert load(tmp_path / "bench.json") == kept
