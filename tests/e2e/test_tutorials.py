"""The tutorials' own commands, as their pages have them."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from harness.bench.rules import EFFORTS, Effort
from harness.cli.main import cli

TUTORIALS = Path(__file__).parents[2] / "docs" / "tutorials"


def test_the_benchmarkers_first_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two models of torchvision, from their names to a page; only the rounds are shorter than a reader's."""
    monkeypatch.setitem(EFFORTS, "quick", Effort("quick", 0.2, 2, 2, 0.1))
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    page = (TUTORIALS / "benchmarker.md").read_text(encoding="utf-8")
    command = next(line for line in page.splitlines() if line.startswith("harness bench"))
    done = CliRunner().invoke(cli, shlex.split(command)[1:], catch_exceptions=False, standalone_mode=False)
    assert done.return_value == 0, done.output
    found = json.loads((tmp_path / "bench" / "bench.json").read_text(encoding="utf-8"))
    assert [one["model"] for one in found["measurements"]] == ["squeezenet1_1", "shufflenet_v2_x0_5"]
    assert "Models and boards" in (tmp_path / "bench" / "index.html").read_text(encoding="utf-8")
    table = (tmp_path / "bench.md").read_text(encoding="utf-8")
    assert "squeezenet1\\_1" in table and "Jetson Nano" in table
    assert "their rounds do not tell" in done.output or "their intervals overlap" in done.output  # of two rounds
