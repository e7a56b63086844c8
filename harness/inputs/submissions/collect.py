"""Collects the submissions in a folder or download: copies each once to a folder of ours and describes it."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from harness.apart.submissions.budget import as_text
from harness.errors import UsageError
from harness.files.hashing import file_sha256, sparse_sha256
from harness.files.system import usable_cores
from harness.findings import Finding, finding
from harness.findings.file_kinds import FILE_KINDS
from harness.inputs.submission import EarlierTry, ModelFile, Origin, Submission, SubmittedFile
from harness.inputs.submissions.archives import ARCHIVE_SUFFIXES, Refused, UnpackLimits
from harness.inputs.submissions.candidates import Aged, models, notebooks
from harness.inputs.submissions.child import Children
from harness.inputs.submissions.class_lists import ClassLists, Who, read_class_lists
from harness.inputs.submissions.copying import copy
from harness.inputs.submissions.delivery import Attempt
from harness.inputs.submissions.external_data import external_data
from harness.inputs.submissions.file_kinds import broken, recognised, some
from harness.inputs.submissions.groups import for_these, one_for_each_group
from harness.inputs.submissions.ids import with_claims_noted, with_ids
from harness.inputs.submissions.manifest import judged
from harness.inputs.submissions.name_cell import names_in
from harness.inputs.submissions.one_entry import kept_apart
from harness.inputs.submissions.parts import DATASET_ARCHIVE
from harness.inputs.submissions.place import Place
from harness.inputs.submissions.sorting import Sorted, open_place, sort_out

_REFUSED_BYTES = 4 << 30  # of a refused archive that are hashed
_MOST_LISTED = 5  # files that a finding names


def collect(submissions: Path, workdir: Path, limits: UnpackLimits = UnpackLimits()) -> list[Submission]:  # noqa: B008
    """Every submission in the folder or LMS download, in the order of their names, copied below `workdir`.

    A refused submission is included, without files and with a finding that says why. No entry affects the others.
    Raises `UsageError` when the folder is missing or holds no submission, or a list beside them (groups.csv,
    times.csv) is not valid.
    """
    with Children() as children:
        place = open_place(submissions, children)
        found = sort_out(place, children)
        if not found:
            raise UsageError(
                f"{submissions}: no submissions in it",
                "put one folder, archive, notebook or model per student there",
            )
        lists = for_these(read_class_lists(place), found)
        named = with_ids(with_claims_noted(one_for_each_group(found, lists)))
        with ThreadPoolExecutor(max_workers=len(usable_cores()), thread_name_prefix="intake") as pool:
            return list(pool.map(lambda pair: _take(pair[0], pair[1], workdir, limits, lists), named))


def _take(id: str, one: Sorted, workdir: Path, limits: UnpackLimits, lists: ClassLists) -> Submission:
    """The submission, copied and described; if that fails, with a finding in place of its files."""
    return kept_apart(
        f"intake of {id}",
        lambda: _taken(id, one, workdir, limits, lists),
        lambda why: _not_taken(id, one, workdir, why),
    )


def _taken(id: str, one: Sorted, workdir: Path, limits: UnpackLimits, lists: ClassLists) -> Submission:
    findings = list(one.findings)
    newest, earlier = _newest(one)
    if earlier:
        others = "; ".join(attempt.label for attempt in earlier)
        findings.append(finding("earlier-tries", count=len(earlier), name=newest.label, others=others))
    root = workdir / id
    root.mkdir(parents=True)
    of_files: list[Finding] = []
    refused_content = ""
    try:
        of_files += copy(newest, one.place, root, limits)
    except Refused as refused:
        of_files.append(refused.finding)
        refused_content = _refused_hash(newest, one.place, root)
        shutil.rmtree(root)
        root = workdir / f"{id}.refused"
        root.mkdir()
    for path in (root, *root.rglob("*")):  # regardless of the umask, since the sandbox's user reads it
        path.chmod(0o755 if path.is_dir() else 0o644)
    described = _describe(id, as_text(one.delivery.student), _inner(root), findings, of_files)
    if refused_content:  # a person's mark is for this archive, not for any that cannot be unpacked
        described = replace(described, sha256=refused_content)
    return replace(described, origin=_origin(one, newest, earlier, described, lists))


def _not_taken(id: str, one: Sorted, workdir: Path, why: Finding) -> Submission:
    """A submission without files, after a defect of ours, for a person to look at; uses nothing that may fail."""
    shutil.rmtree(workdir / id, ignore_errors=True)
    root = workdir / f"{id}.not-taken"
    root.mkdir(parents=True, exist_ok=True)
    root.chmod(0o755)
    delivery = one.delivery
    return Submission(
        id=id,
        student=id,
        root=root,
        notebook=None,
        models=(),
        files=(),
        dataset=None,
        sha256=hashlib.sha256().hexdigest(),
        findings=(*one.findings, why),
        origin=Origin(source=one.source, lms_id=delivery.lms_id, exact_name=delivery.exact or delivery.student),
    )


def _newest(one: Sorted) -> tuple[Attempt, list[Attempt]]:
    """The attempt that counts (the newest with files), and the others."""
    attempts = one.delivery.newest_first
    counts = next((attempt for attempt in attempts if attempt.pieces), attempts[0])
    return counts, [attempt for attempt in attempts if attempt is not counts]


def _origin(one: Sorted, newest: Attempt, earlier: list[Attempt], described: Submission, lists: ClassLists) -> Origin:
    delivery = one.delivery
    who = Who(delivery.lms_id, (delivery.student, delivery.key, described.id))
    listed = lists.time(who)
    group = lists.group(who)
    members = lists.members.get(group, ()) if group else delivery.members
    if not members and described.notebook:
        members = names_in(described.root / described.notebook)
    return Origin(
        source=one.source,
        why=delivery.why,
        lms_id=delivery.lms_id,
        handed_in=listed or newest.at,
        clock="times.csv" if listed else delivery.clock,
        said_late=newest.said_late,
        members=members,
        earlier=tuple(EarlierTry(as_text(attempt.label), attempt.at) for attempt in earlier),
        exact_name=delivery.exact or delivery.student,
    )


def _inner(root: Path) -> Path:
    """The folder with the files: skips a single top folder, as archives have."""
    for _ in range(4):
        entries = list(root.iterdir())
        if len(entries) != 1 or not entries[0].is_dir() or entries[0].name.lower() == "dataset":
            return root
        root = entries[0]
    return root


def _describe(id: str, student: str, root: Path, findings: list[Finding], of_files: list[Finding]) -> Submission:
    paths = sorted(path.relative_to(root) for path in root.rglob("*") if path.is_file())
    files = recognised(root, paths)
    outside_data = [file for file in files if file.path.parts[0].lower() != "dataset"]
    found = notebooks(outside_data)
    candidates = _models(root, outside_data)
    hashes = {path: file_sha256(root / path) for path in paths}
    manifest = judged(root, {path.as_posix(): digest for path, digest in hashes.items()}, ARCHIVE_SUFFIXES)
    findings = [*findings, *of_files, *manifest, *broken(files)]
    if len(found) > 1:
        findings.append(finding("several-notebooks", name=str(found[0]), others=some(found[1:])))
    if not found:
        findings += _exported(files)
    if not found and not candidates and not any(why.severity == "error" for why in of_files):
        findings.append(finding("nothing-handed-in", there=_listed(files)))
    return Submission(
        id=id,
        student=student,
        root=root,
        notebook=found[0] if found else None,
        models=candidates,
        files=files,
        dataset=_dataset(root),
        sha256=_content_hash(hashes),
        findings=tuple(findings),
    )


def _models(root: Path, files: list[SubmittedFile]) -> tuple[ModelFile, ...]:
    """The files that may be the model, the best first, each with all that belongs to it."""
    found = models([Aged(file, (root / file.path).stat().st_mtime) for file in files])
    paths = [file.path for file in files]
    return tuple(
        replace(one, companions=(*one.companions, *external_data(root, one.path, paths))) if one.kind == "onnx" else one
        for one in found
    )


def _exported(files: tuple[SubmittedFile, ...]) -> list[Finding]:
    """Findings about notebooks that were exported as something else."""
    as_else = [
        (file.path, FILE_KINDS[file.kind]) for file in files if file.kind in ("notebook-as-code", "notebook-page")
    ]
    return [
        finding("notebook-exported", name=str(path), what=kind.title, way_out=kind.way_out)
        for path, kind in as_else[:_MOST_LISTED]
    ]


def _listed(files: tuple[SubmittedFile, ...]) -> str:
    """What there is, for somebody who misses something: `report.docx (a document), and 3 more`."""
    named = [f"{file.path} ({FILE_KINDS[file.kind].title})" for file in files[:_MOST_LISTED]]
    more = [f"{len(files) - _MOST_LISTED} more"] if len(files) > _MOST_LISTED else []
    return ", ".join([*named, *more]) or "nothing"


def _dataset(root: Path) -> Path | None:
    """The folder `dataset/`, else `dataset.zip`, ignoring case."""
    named = {entry.name.lower(): entry for entry in sorted(root.iterdir(), reverse=True)}
    folder, archive = named.get("dataset"), named.get(DATASET_ARCHIVE)
    if folder is not None and folder.is_dir():
        return Path(folder.name)
    return Path(archive.name) if archive is not None and archive.is_file() else None


def _refused_hash(attempt: Attempt, place: Place, root: Path) -> str:
    """The hash of a refused archive's bytes: at its place or, from a folder or zip, of the copy in `root`."""
    lie = [place.on_disk(piece.path) for piece in attempt.pieces]
    files = [file for file in lie if file is not None and not file.is_dir()]
    copied = [] if files else [path for path in root.rglob("*") if path.is_file()]
    files += sorted(path for path in copied if ".unpacked" not in {parent.suffix for parent in path.parents})
    digest = hashlib.sha256(b"refused")
    for file in files:
        digest.update(os.fsencode(f" {len(file.name)}:{file.name}:"))
        with contextlib.suppress(OSError):
            if file.is_file() and not file.is_symlink():
                digest.update(bytes.fromhex(sparse_sha256(file, _REFUSED_BYTES)))
    return digest.hexdigest()


def _content_hash(hashes: Mapping[Path, str]) -> str:
    """The identity of all files together, whatever system they are on. `hashes`: path -> SHA-256."""
    digest = hashlib.sha256()
    for file, sha256 in hashes.items():
        name = file.as_posix()
        digest.update(os.fsencode(f"{len(name)}:{name}:"))
        digest.update(bytes.fromhex(sha256))
    return digest.hexdigest()
