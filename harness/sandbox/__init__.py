"""The boundary: engines that run the agent's phases on students' material."""

from harness.sandbox.base import Job, Limits, Outcome, Sandbox
from harness.sandbox.choose import Chosen, EngineName, EngineReport, choose, diagnose
from harness.sandbox.image import build_image

__all__ = [
    "Chosen",
    "EngineName",
    "EngineReport",
    "Job",
    "Limits",
    "Outcome",
    "Sandbox",
    "build_image",
    "choose",
    "diagnose",
]
