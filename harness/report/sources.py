"""What the pages show beside the results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from harness.assignment.sections import Feedback
from harness.evidence.handin import Evidence
from harness.evidence.reference import Reference
from harness.images import HeldOutSet
from harness.store import Store


@dataclass(frozen=True, slots=True)
class Sources:
    """The evidence behind the results, and the files that it names."""

    evidence: Mapping[str, Evidence]  # by the submission's id
    reference: Reference | None
    held_out: HeldOutSet
    store: Store
    feedback: Feedback = field(default_factory=Feedback)
    host_folders: tuple[Path, ...] = ()  # of the grading machine: a page that is given away does not name them
