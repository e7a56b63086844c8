"""The machine that runs a benchmark: what makes its timing unfair, its state meanwhile, and a Jetson's power."""

from harness.bench.machine.fairness import Check, checks
from harness.bench.machine.monitor import MachineState, Monitor, Window

__all__ = ["Check", "MachineState", "Monitor", "Window", "checks"]
