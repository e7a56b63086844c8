"""Layers of ONNX Runtime's profile add up to a query, each counted once."""

from __future__ import annotations

import json

import pytest

from harness.agent.timing.layer_profile import SHOWN, NoProfile, summed
from harness.stages.layers import _Reply


def event(name: str, start: int, length: int, operator: str = "") -> dict:
    kind = {"cat": "Node", "args": {"op_name": operator}} if operator else {"cat": "Session", "args": {}}
    return {"name": name, "ts": start, "dur": length, **kind}


def query(start: int) -> list[dict]:
    """1,000 µs, 900 of them in layers; the `If` holds a convolution."""
    return [
        event("a_kernel_time", start + 10, 600, "Conv"),
        event("b_kernel_time", start + 620, 300, "If"),
        event("inside_kernel_time", start + 700, 200, "Conv"),
        event("model_run", start, 1000),
    ]


def test_the_mean_over_queries_without_the_warm_up_and_without_what_runs_inside_another():
    warm = [event("a_kernel_time", 0, 90_000, "Conv"), event("model_run", 0, 99_000)]
    found = summed([event("session_initialization", 0, 5), *warm, *query(100_000), *query(102_000)], warm_up=1)
    assert found["queries"] == 2 and found["query_ms"] == 1.0
    assert found["sum_ms"] == pytest.approx(0.9) and found["count"] == 2
    assert found["layers"][0] == {"name": "a", "operator": "Conv", "ms": 0.6}
    assert found["operators"][1] == {"operator": "If", "layers": 1, "ms": 0.3}


def test_long_names_and_many_layers_stay_within_what_is_read_outside():
    """The bounds of the reply hold for whatever a graph is called and however many layers it has."""
    many = [event(f"{'n' * 300}{number}_kernel_time", 10 * number, 9, f"Op{number}{'x' * 99}") for number in range(500)]
    found = summed([*many, event("model_run", 0, 6000)], warm_up=0)
    assert len(found["layers"]) == len(found["operators"]) == SHOWN and found["count"] == 500
    _Reply.model_validate_json(json.dumps(found))


@pytest.mark.parametrize("events", [[], [event("model_run", 0, 9)], query(0)[:2]])
def test_a_profile_without_queries_or_operators_is_none(events):
    with pytest.raises(NoProfile):
        summed(events, warm_up=0)
