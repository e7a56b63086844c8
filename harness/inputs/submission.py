"""What was handed in: one student's or group's files, unpacked to a folder of ours, described as types."""

from __future__ import annotations

import datetime
import json
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from harness.findings import Finding


@dataclass(frozen=True, slots=True)
class EarlierTry:
    """A try that does not count, because a newer one does."""

    label: str  # what it is called for people
    handed_in: datetime.datetime | None


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a submission comes from, when it was handed in, and whose it is.

    A time without a zone is local time where the course is: `[deadline] time_zone` says where that is.
    """

    source: str = "plain"  # the LMS's module in `harness/inputs/submissions/lms`, or `plain`
    why: str = ""  # what it was recognised by, for people
    lms_id: str = ""  # the LMS's own name or number for the student or group
    handed_in: datetime.datetime | None = None
    clock: str = ""  # who says so
    said_late: bool = False  # the LMS says that it was late, perhaps without saying when
    members: tuple[str, ...] = ()  # the people in the group, where they are known
    earlier: tuple[EarlierTry, ...] = ()  # newest first
    exact_name: str = ""  # on the disk, or the LMS's, byte for byte (surrogates stand for bytes that are no UTF-8)


class Companion(NamedTuple):
    """A file that belongs to the model: `labels.txt`, `handin.json` or `model.py`, whatever it is called."""

    role: str
    path: Path


@dataclass(frozen=True, slots=True)
class Submission:
    """One submission. Paths are relative to `root`, which holds only plain files and folders."""

    id: str  # safe as a file name and in a URL; unique in a run
    student: str  # the name as handed in, for people; never used as a path
    root: Path
    notebook: Path | None
    model: Path | None  # the model file, or the folder of a SavedModel
    companions: tuple[Companion, ...]  # of the model
    dataset: Path | None  # the folder `dataset/`, or `dataset.zip`
    sha256: str  # of names and contents of all files
    findings: tuple[Finding, ...]
    origin: Origin = Origin()

    def key(self) -> str:
        """What identifies what was handed in, whoever it is of and wherever it lies."""
        return self.sha256

    @property
    def identity(self) -> str:
        """Who it is of, whatever it is called in this run: [source, LMS id, exact name] as JSON, in ASCII."""
        return json.dumps([self.origin.source, self.origin.lms_id, self.origin.exact_name or self.student])
