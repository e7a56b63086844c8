"""The machine that times: what makes it unfair, how it fares meanwhile, and, on a Jetson, its power."""

from harness.machine.fairness import Check, checks
from harness.machine.monitor import MachineState, Monitor, Window

__all__ = ["Check", "MachineState", "Monitor", "Window", "checks"]
