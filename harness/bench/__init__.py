"""Benchmarks models by MLPerf's rules, side by side, and compares them with an earlier run."""

from harness.bench.compare import compare, compare_in_turn, uncompared
from harness.bench.measure import measure
from harness.bench.request import Request, TorchvisionModel
from harness.bench.results import BenchResults, Comparison, load
from harness.bench.rules import EFFORTS, SCENARIOS

__all__ = [
    "EFFORTS",
    "SCENARIOS",
    "BenchResults",
    "Comparison",
    "Request",
    "TorchvisionModel",
    "compare",
    "compare_in_turn",
    "load",
    "measure",
    "uncompared",
]
