"""A submission as types: one student's or group's files, unpacked to a folder of ours."""

from __future__ import annotations

import datetime
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from harness.findings import Finding

MembersFrom = Literal["", "list", "lms", "notebook"]  # who says who is in a group: groups.csv, the LMS, the students


@dataclass(frozen=True, slots=True)
class EarlierTry:
    """An earlier try, which a newer one replaces."""

    label: str  # its name for people
    handed_in: datetime.datetime | None


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a submission comes from, when it was handed in, and who sent it.

    A time without a zone is in the course's `[deadline] time_zone`.
    """

    source: str = "plain"  # the LMS's module in `harness/inputs/submissions/lms`, or `plain`
    why: str = ""  # how it was recognised, for people
    lms_id: str = ""  # the LMS's own name or number for the student or group
    handed_in: datetime.datetime | None = None
    clock: str = ""  # the source of the time
    said_late: bool = False  # the LMS marks it late, perhaps without a time
    members: tuple[str, ...] = ()  # the people in the group, where they are known
    earlier: tuple[EarlierTry, ...] = ()  # newest first
    members_from: MembersFrom = ""
    entry: str = ""  # what it is called in the LMS's download: the first of its files or folders there
    exact_name: str = ""  # on the disk or from the LMS, byte for byte (surrogates represent bytes that are not UTF-8)


class SubmittedFile(NamedTuple):
    """A file, and what its content says it is: a key of `FILE_KINDS` in `harness/findings/file_kinds.py`."""

    path: Path
    kind: str


class Companion(NamedTuple):
    """A file that belongs to the model: `labels.txt`, `handin.json` or `model.py`, whatever it is called, or weights.

    The role of a file with an ONNX model's external data is made by `harness/inputs/submissions/external_data.py`.
    """

    role: str
    path: Path


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A file, or the folder of a SavedModel or of an unpacked file, that may be the model."""

    path: Path
    kind: str  # a key of `FILE_KINDS`
    companions: tuple[Companion, ...] = ()
    findings: tuple[Finding, ...] = ()  # about the companions, and why it was taken of several checkpoints


@dataclass(frozen=True, slots=True)
class Submission:
    """One submission. Paths are relative to `root`, which holds only plain files and folders."""

    id: str  # safe as a file name and in a URL; unique in a run
    student: str  # the name as handed in, for people; never used as a path
    root: Path
    notebook: Path | None
    models: tuple[ModelFile, ...]  # the one that should be graded first
    files: tuple[SubmittedFile, ...]  # all of them
    dataset: Path | None  # the folder `dataset/`, or `dataset.zip`
    sha256: str  # of names and contents of all files
    findings: tuple[Finding, ...]
    origin: Origin = Origin()

    @property
    def model(self) -> Path | None:
        """The model that is tried first."""
        return self.models[0].path if self.models else None

    def key(self) -> str:
        """The identity of the content, independent of sender and path."""
        return self.sha256

    @property
    def identity(self) -> str:
        """The sender's identity, independent of the id in this run: [source, LMS id, exact name] as ASCII JSON."""
        return json.dumps([self.origin.source, self.origin.lms_id, self.origin.exact_name or self.student])
