"""What was handed in: one student's or group's files, unpacked to a folder of ours, described as types."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness.findings import Finding


@dataclass(frozen=True, slots=True)
class Submission:
    """One hand-in. Paths are relative to `root`, which holds only plain files and folders."""

    id: str  # safe as a file name and in a URL; unique in a run
    student: str  # the name as handed in, for people; never used as a path
    root: Path
    notebook: Path | None
    model: Path | None  # the model file
    companions: tuple[Path, ...]  # labels.txt, handin.json, model.py beside the model
    dataset: Path | None  # the folder `dataset/`, or `dataset.zip`
    sha256: str  # of names and contents of all files
    findings: tuple[Finding, ...]
