"""What the phases `layers` and `torchvision_model` send is bounded and checked, as everything from a sandbox is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hostile import context, conversion, staged

from harness.errors import MachineError, UsageError
from harness.stages.evidence.stage_result import Done, Failed
from harness.stages.layers import layer_times
from harness.stages.torchvision_model import export_torchvision

SENT: dict[str, Any] = {
    "queries": 10,
    "query_ms": 5.0,
    "sum_ms": 4.0,
    "count": 2,
    "layers": [{"name": "conv", "operator": "Conv", "ms": 3.0}],
    "operators": [{"operator": "Conv", "layers": 1, "ms": 3.0}],
}


def timed(folder: Path, files: dict[str, bytes], status: str = "ok") -> Any:
    place = context(folder, files, status)
    return layer_times(conversion(place.store, folder), staged(folder), 1.0, (0,), place)


def test_layers_as_agreed(tmp_path: Path) -> None:
    result = timed(tmp_path, {"layers.json": json.dumps(SENT).encode()})
    assert isinstance(result, Done)
    assert result.value.share(3.0) == 0.75 and result.value.share_of_query == 0.8


@pytest.mark.parametrize(
    "changes",
    [
        {"layers": []},
        {"layers": SENT["layers"] * 41},
        {"layers": [{"name": "n" * 121, "operator": "Conv", "ms": 3.0}]},
        {"layers": [{"name": "n", "operator": "Conv", "ms": -1.0}]},
        {"operators": [{"operator": "o" * 61, "layers": 1, "ms": 3.0}]},
        {"sum_ms": float("nan")},
        {"queries": 0},
        {"more": 1},
    ],
)
def test_layers_that_are_not_as_agreed(changes: dict[str, Any], tmp_path: Path) -> None:
    result = timed(tmp_path, {"layers.json": json.dumps(SENT | changes).encode()})
    assert isinstance(result, Failed) and "layers could not be timed" in result.reason


@pytest.mark.parametrize("files", [{}, {"refused.json": b'{"reason": "no"}'}])
def test_layers_that_were_not_sent(files: dict[str, bytes], tmp_path: Path) -> None:
    assert isinstance(timed(tmp_path, files), Failed)
    assert isinstance(timed(tmp_path, files, "timeout"), Failed)


@pytest.mark.parametrize(
    ("files", "status", "error", "said"),
    [
        (
            {"refused.json": b'{"reason": "torch is not installed here", "not_here": true}'},
            "ok",
            MachineError,
            "torch]",
        ),
        ({"refused.json": b'{"reason": "no such name", "not_here": false}'}, "ok", UsageError, "no such name"),
        ({"refused.json": b"[]"}, "ok", MachineError, "resnet18"),
        ({}, "ok", MachineError, "sent no model"),
        ({}, "timeout", MachineError, "Exporting torchvision:resnet18"),
    ],
)
def test_an_export_that_gave_no_model(
    files: dict[str, bytes], status: str, error: type[Exception], said: str, tmp_path: Path
) -> None:
    with pytest.raises(error) as raised:
        export_torchvision("resnet18", 224, None, "", context(tmp_path, files, status))
    assert said in f"{raised.value} {getattr(raised.value, 'do', '')}"
