"""What the pages show besides the results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from harness.inputs.assignment.sections import Feedback
from harness.inputs.images import HeldOutSet
from harness.stages.evidence.detector_reference import DetectorReference
from harness.stages.evidence.reference import Reference
from harness.stages.evidence.submission import Evidence
from harness.stages.store import Store


@dataclass(frozen=True, slots=True)
class Sources:
    """The evidence behind the results, and the files that it names."""

    evidence: Mapping[str, Evidence]  # by the submission's id
    reference: Reference | None
    held_out: HeldOutSet
    store: Store
    feedback: Feedback = field(default_factory=Feedback)
    host_folders: tuple[Path, ...] = ()  # of the grading machine, removed from students' pages
    detector_reference: DetectorReference | None = None  # in place of `reference` where the task is detection
