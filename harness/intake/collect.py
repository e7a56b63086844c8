"""What lies in the submissions folder or download, each hand-in copied once to a folder of ours and described."""

from __future__ import annotations

import hashlib
import os
import shutil
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from anyascii import anyascii

from harness.errors import UsageError
from harness.findings import Finding, finding
from harness.intake.archives import ARCHIVE_SUFFIXES, FOREIGN_SUFFIXES, Refused, UnpackLimits, unpack
from harness.intake.class_lists import ClassLists, read_class_lists
from harness.intake.delivery import Attempt
from harness.intake.groups import one_for_each_group
from harness.intake.name_cell import names_in
from harness.intake.parts import COMPANIONS, DATASET_ARCHIVE, MODEL_SUFFIXES, NOTEBOOK_SUFFIX, SAVED_MODEL
from harness.intake.place import Place
from harness.intake.sorting import Sorted, open_place, sort_out
from harness.intake.unpacking.budget import as_text
from harness.store import file_sha256
from harness.submission import EarlierTry, Origin, Submission

_MOST_NESTED = 5  # archives inside a hand-in that are unpacked


def collect(submissions: Path, workdir: Path, limits: UnpackLimits = UnpackLimits()) -> list[Submission]:  # noqa: B008
    """Every hand-in in the folder or LMS download, in the order of their names, copied below `workdir`.

    A hand-in that cannot be taken is there too, without files and with the finding that says why.
    Raises `UsageError` when the folder is missing or holds no hand-in at all, or a list beside the hand-ins
    (groups.csv, times.csv) is not as it should be.
    """
    place = open_place(submissions)
    found = sort_out(place)
    if not found:
        raise UsageError(
            f"{submissions}: no hand-ins in it",
            "put one folder, archive, notebook or model per student there",
        )
    lists = read_class_lists(place)
    named = _with_ids(one_for_each_group(found, lists))
    with ThreadPoolExecutor(max_workers=len(os.sched_getaffinity(0)), thread_name_prefix="intake") as pool:
        return list(pool.map(lambda pair: _take(pair[0], pair[1], workdir, limits, lists), named))


def _with_ids(found: list[Sorted]) -> list[tuple[str, Sorted]]:
    """Each hand-in with its id; the second of one name gets a number, and a finding."""
    taken: set[str] = set()
    named = []
    for one in found:
        wanted = _identifier(one.delivery.key)
        id, number = wanted, 1
        while id.casefold() in taken:
            number += 1
            id = f"{wanted}-{number}"
        if number > 1:
            one = replace(one, findings=(*one.findings, finding("duplicate-id", name=wanted, id=id)))
        taken.add(id.casefold())
        named.append((id, one))
    return named


def _take(id: str, one: Sorted, workdir: Path, limits: UnpackLimits, lists: ClassLists) -> Submission:
    findings = list(one.findings)
    newest, earlier = _newest(one)
    if earlier:
        others = "; ".join(attempt.label for attempt in earlier)
        findings.append(finding("earlier-tries", count=len(earlier), name=newest.label, others=others))
    root = workdir / id
    root.mkdir(parents=True)
    try:
        findings += _copy(newest, one.place, root, limits)
    except Refused as refused:
        findings.append(refused.finding)
        shutil.rmtree(root)
        root = workdir / f"{id}.refused"
        root.mkdir()
    for path in (root, *root.rglob("*")):  # whatever the umask: the sandbox's own user reads it
        path.chmod(0o755 if path.is_dir() else 0o644)
    described = _describe(id, as_text(one.delivery.student), _inner(root), findings)
    return replace(described, origin=_origin(one, newest, earlier, described, lists))


def _newest(one: Sorted) -> tuple[Attempt, list[Attempt]]:
    """The attempt that counts, the newest that has files, and the others."""
    attempts = one.delivery.newest_first
    counts = next((attempt for attempt in attempts if attempt.pieces), attempts[0])
    return counts, [attempt for attempt in attempts if attempt is not counts]


def _origin(one: Sorted, newest: Attempt, earlier: list[Attempt], described: Submission, lists: ClassLists) -> Origin:
    delivery = one.delivery
    names = (delivery.student, delivery.lms_id, delivery.key, described.id)
    listed = lists.time(names)
    group = lists.group(names)
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
    )


def _copy(attempt: Attempt, place: Place, root: Path, limits: UnpackLimits) -> list[Finding]:
    """Copy the attempt's files, unpacking archives where that is what was handed in. Links are never followed."""
    if len(attempt.pieces) == 1:
        (only,) = attempt.pieces
        on_disk = place.on_disk(only.path)
        if on_disk is not None and not on_disk.is_dir() and not on_disk.is_symlink() and _is_archive(only.path):
            return _unpack_alone(on_disk, root, limits)
    findings, left = [], limits
    for piece in attempt.pieces:
        target = root / as_text(piece.name) if piece.name else root
        findings += place.copy(piece.path, target, left)
        left = _what_is_left(limits, root)
    return [*findings, *_unpack_nested(root, left)]


def _is_archive(name: str) -> bool:
    return name.lower().endswith((*ARCHIVE_SUFFIXES, *FOREIGN_SUFFIXES))


def _unpack_alone(archive: Path, root: Path, limits: UnpackLimits) -> list[Finding]:
    if archive.name.lower().endswith(FOREIGN_SUFFIXES):
        raise Refused(finding("archive-unreadable", name=archive.name, reason=f"it is a {archive.suffix.lower()}"))
    try:
        return unpack(archive, root, limits)
    except OSError as error:
        raise Refused(finding("file-unreadable", name=archive.name, reason=error.strerror or "unreadable")) from error


def _unpack_nested(root: Path, limits: UnpackLimits) -> list[Finding]:
    """Unpack the archives of a hand-in that lacks a notebook or a model without them.

    One that cannot be unpacked refuses the hand-in only when nothing else is there.
    """
    files = [path for path in root.rglob("*") if path.is_file()]
    archives = sorted(path for path in files if _is_archive(path.name) and "dataset" not in path.parts)
    suffixes = {path.suffix.lower() for path in files}
    if suffixes & {NOTEBOOK_SUFFIX, *MODEL_SUFFIXES}:  # then a dataset.zip is the pictures, not the work
        archives = [path for path in archives if path.name.lower() != DATASET_ARCHIVE]
    if not archives or (NOTEBOOK_SUFFIX in suffixes and suffixes & set(MODEL_SUFFIXES)):
        return []
    is_all = len(files) == len(archives) == 1
    findings = []
    for archive in archives[:_MOST_NESTED]:
        target = archive.with_name(f"{archive.name}.unpacked")
        target.mkdir()
        try:
            findings += _unpack_alone(archive, target, limits)
        except Refused as refused:
            if is_all:
                raise
            shutil.rmtree(target)
            findings.append(refused.finding)
            continue
        archive.unlink()
        limits = _what_is_left(limits, target)
    return findings


def _what_is_left(limits: UnpackLimits, folder: Path) -> UnpackLimits:
    sizes = [path.lstat().st_size for path in folder.rglob("*") if not path.is_dir()]
    return replace(limits, total_bytes=max(0, limits.total_bytes - sum(sizes)), files=max(0, limits.files - len(sizes)))


def _inner(root: Path) -> Path:
    """The folder that holds the files: steps into a single top folder, as archives have one."""
    for _ in range(4):
        entries = list(root.iterdir())
        if len(entries) != 1 or not entries[0].is_dir() or entries[0].name.lower() == "dataset":
            return root
        root = entries[0]
    return root


def _describe(id: str, student: str, root: Path, findings: list[Finding]) -> Submission:
    files = sorted(path.relative_to(root) for path in root.rglob("*") if path.is_file())
    outside_data = [path for path in files if path.parts[0].lower() != "dataset"]
    notebooks = _preferred([p for p in outside_data if p.suffix.lower() == ".ipynb"], "notebook")
    models = _preferred([p for p in outside_data if p.suffix.lower() in MODEL_SUFFIXES], "model")
    models = models or sorted((p.parent for p in outside_data if p.name == SAVED_MODEL), key=lambda p: len(p.parts))
    for code, found in (("several-notebooks", notebooks), ("several-models", models)):
        if len(found) > 1:
            others = ", ".join(map(str, found[1:]))
            findings.append(finding(code, name=str(found[0]), others=others))
    if not notebooks and not models and not any(f.severity == "error" for f in findings):
        findings.append(finding("nothing-handed-in"))
    beside = models[0].parent if models else Path()
    return Submission(
        id=id,
        student=student,
        root=root,
        notebook=notebooks[0] if notebooks else None,
        model=models[0] if models else None,
        companions=tuple(beside / name for name in COMPANIONS if (root / beside / name).is_file()),
        dataset=_dataset(root),
        sha256=_content_hash(root, files),
        findings=tuple(findings),
    )


def _dataset(root: Path) -> Path | None:
    """The folder `dataset/`, else `dataset.zip`, in whatever case."""
    named = {entry.name.lower(): entry for entry in sorted(root.iterdir(), reverse=True)}
    folder, archive = named.get("dataset"), named.get(DATASET_ARCHIVE)
    if folder is not None and folder.is_dir():
        return Path(folder.name)
    return Path(archive.name) if archive is not None and archive.is_file() else None


def _preferred(files: list[Path], stem: str) -> list[Path]:
    """The files, best first: the expected name, then nearest to the top, then by kind and name."""

    def rank(file: Path) -> tuple[bool, int, int, str]:
        suffix = file.suffix.lower()
        kind = MODEL_SUFFIXES.index(suffix) if suffix in MODEL_SUFFIXES else 0
        return (file.stem.lower() != stem, len(file.parts), kind, str(file))

    return sorted(files, key=rank)


def _content_hash(root: Path, files: list[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        digest.update(os.fsencode(f"{len(str(file))}:{file}:"))
        digest.update(bytes.fromhex(file_sha256(root / file)))
    return digest.hexdigest()


def _identifier(student: str) -> str:
    """At most 64 ASCII letters, digits, `-` and `_`; a hash is added where others were written in ASCII."""
    plain = unicodedata.normalize("NFKD", student)
    stripped = "".join(c for c in plain if not unicodedata.combining(c))
    kept = "".join(c if c.isalnum() or c in "-_" else "-" for c in anyascii(stripped))
    slug = "-".join(part for part in kept.split("-") if part)[:64].strip("-_")
    lost = any(not c.isascii() for c in stripped) or len(slug) < 1 or len(kept) > 64
    if lost or slug.upper() in _RESERVED:
        slug = f"{slug or 'submission'}-{hashlib.sha256(student.encode('utf-8', 'replace')).hexdigest()[:6]}"
    return slug


_PORTS = {f"{port}{number}" for port in ("COM", "LPT") for number in range(1, 10)}
_RESERVED = {"CON", "PRN", "AUX", "NUL", *_PORTS}  # no file names on Windows, where reports are read
