"""The environments in which submissions run, by name."""

from __future__ import annotations

from typing import Literal

# `torch` and `keras` come with the harness; `course` is an instructor's requirements.txt.
EnvironmentName = Literal["torch", "keras", "course"]
