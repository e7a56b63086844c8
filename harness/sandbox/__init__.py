"""The boundary: engines that run the agent's phases on students' material."""

from harness.inputs.engine_names import EngineName
from harness.sandbox import environments
from harness.sandbox.choose import Chosen, EngineReport, choose, diagnose
from harness.sandbox.engine import Job, Limits, Outcome, Sandbox
from harness.sandbox.software import KERAS, TORCH, Software, course, named
from harness.sandbox.staging import open_to_all, readable_by_all

__all__ = [
    "KERAS",
    "TORCH",
    "Chosen",
    "EngineName",
    "EngineReport",
    "Job",
    "Limits",
    "Outcome",
    "Sandbox",
    "Software",
    "choose",
    "course",
    "diagnose",
    "environments",
    "named",
    "open_to_all",
    "readable_by_all",
]
