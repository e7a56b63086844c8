"""Copies a submission's files to a folder of ours, and unpacks archives, all under one set of limits."""

from __future__ import annotations

import shutil
from pathlib import Path

from harness.apart.submissions.budget import as_text
from harness.findings import Finding, finding
from harness.inputs.submissions.archives import (
    ARCHIVE_SUFFIXES,
    FOREIGN_SUFFIXES,
    Refused,
    Spent,
    Unpacked,
    UnpackLimits,
    unpack,
)
from harness.inputs.submissions.delivery import Attempt
from harness.inputs.submissions.parts import DATASET_ARCHIVE, MODEL_SUFFIXES, NOTEBOOK_SUFFIX
from harness.inputs.submissions.place import Place

_MOST_NESTED = 5  # archives inside a submission that are unpacked


def copy(attempt: Attempt, place: Place, root: Path, limits: UnpackLimits) -> list[Finding]:
    """Copy the attempt's files; unpack archives if those were handed in. Links are never followed.

    All archives of the submission, nested ones included, share the limits. Raises `Refused`.
    """
    if len(attempt.pieces) == 1:
        (only,) = attempt.pieces
        on_disk = place.on_disk(only.path)
        if on_disk is not None and on_disk.is_file() and not on_disk.is_symlink() and _is_archive(only.path):
            done = _unpack_alone(on_disk, root, limits, Spent(), _size(on_disk))
            return [*done.findings, *_unpack_nested(root, limits, done.spent, _size(on_disk))]
    findings: list[Finding] = []
    spent = Spent()
    for piece in attempt.pieces:
        target = root / as_text(piece.name) if piece.name else root
        done = place.copy(piece.path, target, limits, spent)
        findings += done.findings
        spent = done.spent
    return [*findings, *_unpack_nested(root, limits, spent, spent.bytes)]


def _is_archive(name: str) -> bool:
    return name.lower().endswith((*ARCHIVE_SUFFIXES, *FOREIGN_SUFFIXES))


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0


def _unpack_alone(archive: Path, root: Path, limits: UnpackLimits, spent: Spent, packed_bytes: int) -> Unpacked:
    name = as_text(archive.name)
    if name.lower().endswith(FOREIGN_SUFFIXES):
        raise Refused(finding("archive-unreadable", name=name, reason=f"it is a {archive.suffix.lower()}"))
    return unpack(archive, root, limits, spent, packed_bytes)


def _unpack_nested(root: Path, limits: UnpackLimits, spent: Spent, packed_bytes: int) -> list[Finding]:
    """Unpack the archives inside a submission that has no notebook or no model outside of them.

    An archive that cannot be unpacked refuses the submission only when it has nothing else.
    """
    files = [path for path in root.rglob("*") if path.is_file()]
    archives = sorted(path for path in files if _is_archive(path.name) and "dataset" not in path.parts)
    suffixes = {path.suffix.lower() for path in files}
    if suffixes & {NOTEBOOK_SUFFIX, *MODEL_SUFFIXES}:  # a dataset.zip beside these holds the images
        archives = [path for path in archives if path.name.lower() != DATASET_ARCHIVE]
    if not archives or (NOTEBOOK_SUFFIX in suffixes and suffixes & set(MODEL_SUFFIXES)):
        return []
    is_all = len(files) == len(archives) == 1
    findings: list[Finding] = []
    for archive in archives[:_MOST_NESTED]:
        target = archive.with_name(f"{archive.name}.unpacked")
        target.mkdir()
        try:
            done = _unpack_alone(archive, target, limits, spent, packed_bytes)
        except Refused as refused:
            if is_all:
                raise
            shutil.rmtree(target)
            findings.append(refused.finding)
            spent = refused.spent or spent
            continue
        archive.unlink()
        findings += done.findings
        spent = done.spent
    return findings
