"""The boundary: engines that run the agent's phases on students' material."""

from harness.sandbox.base import Job, Limits, Outcome, Sandbox
from harness.sandbox.choose import Chosen, EngineName, EngineReport, choose, diagnose
from harness.sandbox.image import build_image
from harness.sandbox.staging import open_to_all, readable_by_all

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
    "open_to_all",
    "readable_by_all",
]
