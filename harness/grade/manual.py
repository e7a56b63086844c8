"""A mark that a person gave."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ManualMark:
    points: float
    reason: str
    marker: str
