"""Copies a submission's files to a folder of ours, and unpacks archives, all under one set of limits."""

from __future__ import annotations

import shutil
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from harness.apart.submissions.budget import as_text
from harness.findings import Finding, finding
from harness.inputs.submissions.archives import FOREIGN_SUFFIXES, Refused, Spent, UnpackLimits, content, unpack
from harness.inputs.submissions.companions import is_called
from harness.inputs.submissions.delivery import Attempt
from harness.inputs.submissions.merging import merge, one_form, only_folder
from harness.inputs.submissions.parts import COMPANIONS, DATASET_ARCHIVE, LABELS, MODEL_SUFFIXES, NOTEBOOK_SUFFIX
from harness.inputs.submissions.place import Place
from harness.inputs.submissions.split_archives import Bundle, bundles, is_archive

_MOST_NESTED = 5  # archives inside a submission that are unpacked
_MOST_LOOKED = 20  # into which is looked, to see whether they are
_MOST_PARTS = 50  # of one that is split
_NAME = 200  # bytes of the name of a folder that we make


def copy(attempt: Attempt, place: Place, root: Path, limits: UnpackLimits) -> list[Finding]:
    """Copy the attempt's files; unpack archives if those were handed in. Links are never followed.

    All archives of the submission, nested ones included, share the limits. Raises `Refused`.
    """
    if len(attempt.pieces) == 1:
        (only,) = attempt.pieces
        on_disk = place.on_disk(only.path)
        is_file = on_disk is not None and on_disk.is_file() and not on_disk.is_symlink()
        if on_disk is not None and is_file and is_archive(only.path) and content(on_disk).is_archive:
            size = _size(on_disk)
            findings, spent = _unpack(on_disk, root, _Means(limits, Spent(), size))
            return [*findings, *_unpack_nested(root, _Means(limits, spent, size))]
    findings = []
    spent, seen = Spent(), set[str]()
    for piece in attempt.pieces:
        name = unicodedata.normalize("NFC", as_text(piece.name))
        if name and one_form(name) in seen:
            findings.append(finding("duplicate-name", name=name))
            continue
        seen.add(one_form(name))
        done = place.copy(piece.path, root / name if name else root, limits, spent)
        findings += done.findings
        spent = done.spent
    return [*findings, *_unpack_nested(root, _Means(limits, spent, spent.bytes))]


@dataclass(slots=True)
class _Means:
    """What a submission may use, and has used."""

    limits: UnpackLimits
    spent: Spent
    packed_bytes: int  # of the submission as it was handed in
    failed: list[Finding] = field(default_factory=list)


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0


def _unpack(archive: Path, target: Path, means: _Means) -> tuple[list[Finding], Spent]:
    name = as_text(archive.name)
    if name.lower().endswith(FOREIGN_SUFFIXES):
        raise Refused(finding("archive-unreadable", name=name, reason=f"it is a {archive.suffix.lower()}"))
    done = unpack(archive, target, means.limits, means.spent, means.packed_bytes)
    return list(done.findings), done.spent


def _unpack_nested(root: Path, means: _Means) -> list[Finding]:
    """Unpack the archives inside a submission that lacks something without them, or came as a split download.

    An archive that cannot be unpacked refuses the submission only when it has nothing else.
    """
    files = [path for path in root.rglob("*") if path.is_file()]
    archives = [path for path in files if is_archive(path.name) and "dataset" not in path.relative_to(root).parts]
    others = [path for path in files if not is_archive(path.name)]
    suffixes = {path.suffix.lower() for path in files}
    if suffixes & {NOTEBOOK_SUFFIX, *MODEL_SUFFIXES}:  # a dataset.zip beside these holds the images
        archives = [path for path in archives if path.name.lower() != DATASET_ARCHIVE]
    looked = bundles(archives, others)[:_MOST_LOOKED]
    chosen = [one for one in looked if _is_wanted(one, suffixes, others)]
    is_all = len(chosen) == 1 and len(files) == len(chosen[0].parts)
    findings: list[Finding] = []
    for bundle in chosen[:_MOST_NESTED]:
        target = _free(bundle.parts[0].parent, f"{bundle.name}.unpacked")
        target.mkdir()
        before = len(means.failed)
        findings += _unpack_bundle(bundle, target, means)
        new = means.failed[before:]
        if len(new) >= (1 if bundle.are_volumes else len(bundle.parts)):
            if is_all:
                raise Refused(new[0], means.spent)
            shutil.rmtree(target)
        findings += new
        _place_alone(bundle, target)
    return findings


def _is_wanted(bundle: Bundle, suffixes: set[str], others: list[Path]) -> bool:
    """Whether the archive may hold what the submission lacks without it; a model that is a zip is no archive."""
    if bundle.are_volumes:
        return True
    held = content(bundle.parts[0])
    if not held.is_archive:
        return False
    if bundle.is_split or NOTEBOOK_SUFFIX not in suffixes or not suffixes & set(MODEL_SUFFIXES):
        return True
    return any(is_called(name, role) for role in _missing(others) for name in held.names)


def _missing(others: Iterable[Path]) -> list[str]:
    """What belongs to a model and does not lie outside of all archives; a declaration names the classes, too."""
    there = [role for role in COMPANIONS if any(is_called(path.name, role) for path in others)]
    declared = [LABELS] if "handin.json" in there else []
    return [role for role in COMPANIONS if role not in there and role not in declared]


def _unpack_bundle(bundle: Bundle, target: Path, means: _Means) -> list[Finding]:
    """Unpack the parts over each other into the empty folder `target`; what fails is noted in `means`."""
    if bundle.reason:
        means.failed.append(finding("archive-unreadable", name=bundle.name, reason=bundle.reason))
        return []
    parts = (_joined(bundle),) if bundle.are_volumes else bundle.parts[:_MOST_PARTS]
    findings: list[Finding] = []
    for part in parts:
        folder = target if len(parts) == 1 else _free(target.parent, f"{part.name}.part")
        folder.mkdir(exist_ok=len(parts) == 1)
        try:
            noticed, means.spent = _unpack(part, folder, means)
        except Refused as refused:
            means.failed.append(refused.finding)
            means.spent = refused.spent or means.spent
            shutil.rmtree(folder)
            target.mkdir(exist_ok=True)
            if bundle.are_volumes:
                part.unlink()
            continue
        part.unlink()
        findings += noticed
        if folder != target:
            findings += [finding("duplicate-name", name=name) for name in merge(folder, target)]
    return findings


def _joined(bundle: Bundle) -> Path:
    """The archive that the volumes are, in place of them."""
    whole = _free(bundle.parts[0].parent, bundle.name)
    with whole.open("xb") as out:
        for part in bundle.parts:
            with part.open("rb") as stream:
                shutil.copyfileobj(stream, out, 1 << 20)
            part.unlink()
    return whole


def _free(folder: Path, name: str) -> Path:
    """A path in the folder that nothing has, called `name` as far as that is possible."""
    stem, suffix = Path(name).stem.encode()[:_NAME].decode("utf-8", "ignore"), Path(name).suffix
    path = folder / f"{stem}{suffix}"
    number = 1
    while path.exists():
        number += 1
        path = folder / f"{stem}-{number}{suffix}"
    return path


def _place_alone(bundle: Bundle, target: Path) -> None:
    """Move files that a download gave by themselves to where the rest of it lies, under their own names."""
    if not target.is_dir():
        return
    folder = only_folder(target)
    for file, name in bundle.alone:
        if not (folder / name).exists():
            file.rename(folder / name)
