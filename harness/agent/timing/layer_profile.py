"""Sums ONNX Runtime's profile by layer. Pure.

The profile is a list of events in Chrome's trace format, with `ts` and `dur` in microseconds. An event of the category
`Node` whose name ends in `_kernel_time` is one run of one operator; `model_run` is one whole query.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

SHOWN = 40  # layers and operators that are sent by name, the costliest
_KERNEL = "_kernel_time"
_NAME, _OPERATOR = 120, 60  # characters


class NoProfile(Exception):
    """The profile has no query or no operator in it."""


def summed(events: Sequence[dict[str, Any]], warm_up: int) -> dict[str, Any]:
    """The mean time of each layer and operator in one query, ms, the costliest first, without `warm_up` queries.

    An operator that runs inside another (in the branch of an `If`) is a part of that one's time, and not counted again.
    Raises `NoProfile`.
    """
    runs = sorted((one["ts"], one["dur"]) for one in events if one.get("name") == "model_run")[warm_up:]
    if not runs:
        raise NoProfile("it has no query in it")
    kernels = sorted(
        (one["ts"], -one["dur"], one["name"].removesuffix(_KERNEL), one["args"].get("op_name", ""))
        for one in events
        if one.get("cat") == "Node" and one["name"].endswith(_KERNEL) and one["ts"] >= runs[0][0]
    )
    by_layer: dict[tuple[str, str], float] = defaultdict(float)
    by_operator: dict[tuple[str, str], float] = defaultdict(float)
    layers_of: dict[str, set[str]] = defaultdict(set)
    ended = 0
    for started, negative, name, operator in kernels:
        if started < ended:
            continue
        ended = started - negative
        by_layer[name, operator] -= negative
        by_operator[operator, operator] -= negative
        layers_of[operator].add(name)
    if not by_layer:
        raise NoProfile("it has no operator in it")
    per_query = 1000 * len(runs)
    return {
        "queries": len(runs),
        "query_ms": sum(length for _, length in runs) / per_query,
        "sum_ms": sum(by_layer.values()) / per_query,
        "count": len(by_layer),
        "layers": [
            {"name": name[:_NAME], "operator": operator[:_OPERATOR], "ms": total / per_query}
            for (name, operator), total in _costliest(by_layer)
        ],
        "operators": [
            {"operator": name[:_OPERATOR], "layers": len(layers_of[name]), "ms": total / per_query}
            for (name, _), total in _costliest(by_operator)
        ],
    }


def _costliest(totals: dict[tuple[str, str], float]) -> list[tuple[tuple[str, str], float]]:
    return sorted(totals.items(), key=lambda item: (-item[1], item[0]))[:SHOWN]
