"""Faster, slower, no difference; and what does not compare."""

import json

import pytest
from bench_examples import measured, results

from harness.bench import compare, load, uncompared
from harness.bench.results import Host
from harness.errors import UsageError


@pytest.mark.parametrize(
    ("factor", "verdict"), [(1.0, "no difference"), (1.01, "no difference"), (1.15, "slower"), (0.85, "faster")]
)
def test_the_verdict(factor, verdict):
    (found,) = compare(results(measured("a", 10 * factor, 1)), results(measured("a", 10, 2)))
    assert found.verdict == verdict
    assert found.ratio == pytest.approx(factor, rel=0.02)
    assert found.ratio_interval[0] <= found.ratio <= found.ratio_interval[1]


def test_a_change_below_what_matters_counts_for_nothing_however_sure():
    (found,) = compare(results(measured("a", 10.2, 1)), results(measured("a", 10, 2)))
    assert found.p_value < 0.01 and found.verdict == "no difference"


def test_too_few_queries_are_not_called_no_difference():
    """Four block medians against four differ at 1 % by no test, be one ten times the other; of five they may."""
    few = {"block_medians_ms": ((10.0,), (10.1,), (10.2,), (10.3,))}
    slow = {"block_medians_ms": ((100.0,), (101.0,), (102.0,), (103.0,))}
    (found,) = compare(results(measured("a", 100, **slow)), results(measured("a", 10, **few)))
    assert found.verdict == "too few queries"
    few["block_medians_ms"] += ((10.4,),)
    slow["block_medians_ms"] += ((104.0,),)
    (found,) = compare(results(measured("a", 100, **slow)), results(measured("a", 10, **few)))
    assert found.verdict == "slower"


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
