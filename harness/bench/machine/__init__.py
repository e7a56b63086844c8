"""The machine that times: what makes it unfair, how it fares meanwhile, and, on a Jetson, its power."""

from harness.bench.machine.fairness import Check, checks
from harness.bench.machine.monitor import MachineState, Monitor, Window

__all__ = ["Check", "MachineState", "Monitor", "Window", "checks"]
