"""What the catalogue has of a finding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["info", "warning", "error"]


@dataclass(frozen=True, slots=True)
class Kind:
    """How serious a finding is, and its words."""

    severity: Severity
    wording: str  # for str.format; says what was seen and what to do
    code: str = ""  # where one code has two wordings; else the key
