"""What lies in the submissions folder, each entry copied once to a folder of ours and described."""

from __future__ import annotations

import hashlib
import os
import stat
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path

from harness.errors import UsageError
from harness.findings import Finding, finding
from harness.intake.archives import (
    ARCHIVE_SUFFIXES,
    FOREIGN_SUFFIXES,
    Budget,
    Refused,
    UnpackLimits,
    unpack,
)
from harness.store import file_sha256
from harness.submission import Submission

# In the order in which they are preferred when a hand-in holds several.
MODEL_SUFFIXES = (".onnx", ".keras", ".h5", ".hdf5", ".pt2", ".pt", ".pth", ".safetensors", ".pkl", ".tflite")
COMPANIONS = ("labels.txt", "handin.json", "model.py")


def collect(submissions: Path, workdir: Path, limits: UnpackLimits = UnpackLimits()) -> list[Submission]:  # noqa: B008
    """Every hand-in in the folder, in the order of their names, copied below `workdir`.

    A hand-in that cannot be taken is there too, without files and with the finding that says why.
    Raises `UsageError` when the folder is missing or holds no hand-in at all.
    """
    if not submissions.is_dir():
        raise UsageError(f"{submissions}: no such folder", "give the folder that holds the hand-ins")
    entries = [entry for entry in sorted(submissions.iterdir()) if _is_hand_in(entry)]
    if not entries:
        raise UsageError(
            f"{submissions}: no hand-ins in it",
            "put one folder, archive, notebook or model per student there",
        )
    taken: set[str] = set()
    return [_take(entry, workdir, taken, limits) for entry in entries]


def _is_hand_in(entry: Path) -> bool:
    name = entry.name.lower()
    if name.startswith(".") or name == "__macosx":
        return False
    loose = (*ARCHIVE_SUFFIXES, *FOREIGN_SUFFIXES, ".ipynb", *MODEL_SUFFIXES)
    return entry.is_symlink() or entry.is_dir() or name.endswith(loose)


def _take(entry: Path, workdir: Path, taken: set[str], limits: UnpackLimits) -> Submission:
    student = _student_name(entry)
    wanted = _identifier(student)
    id = wanted
    number = 1
    while id.casefold() in taken:
        number += 1
        id = f"{wanted}-{number}"
    taken.add(id.casefold())
    findings = [finding("duplicate-id", name=wanted, id=id)] if number > 1 else []
    root = workdir / id
    root.mkdir(parents=True)
    try:
        findings += _copy(entry, root, limits)
    except Refused as refused:
        findings.append(refused.finding)
        root = workdir / f"{id}.refused"
        root.mkdir()
    for path in (root, *root.rglob("*")):  # whatever the umask: the sandbox's own user reads it
        path.chmod(0o755 if path.is_dir() else 0o644)
    return _describe(id, student, _inner(root), findings)


def _copy(entry: Path, root: Path, limits: UnpackLimits) -> list[Finding]:
    """Copy a folder or loose file, or unpack an archive. Links are never followed."""
    if entry.is_symlink():
        raise Refused(finding("unsafe-member", name=entry.name, kind="link"))
    name = entry.name.lower()
    if entry.is_dir():
        return _copy_folder(entry, root, limits)
    if name.endswith(FOREIGN_SUFFIXES):
        raise Refused(finding("archive-unreadable", name=entry.name, reason=f"{Path(name).suffix} is not supported"))
    if name.endswith(ARCHIVE_SUFFIXES):
        return unpack(entry, root, limits)
    _copy_file(entry, root / entry.name, Budget(limits))
    return []


def _copy_folder(folder: Path, root: Path, limits: UnpackLimits) -> list[Finding]:
    budget, findings = Budget(limits), list[Finding]()

    def unreadable(error: OSError) -> None:
        name = Path(error.filename or folder).name
        findings.append(finding("file-unreadable", name=name, reason=error.strerror or "unreadable"))

    for name in _walk(folder, unreadable):
        path = budget.path(name)
        if path is None:
            continue
        if budget.twin(path):
            findings.append(finding("duplicate-name", name=str(path)))
            continue
        try:
            _copy_file(folder / name, root / path, budget)
        except OSError as error:
            findings.append(finding("file-unreadable", name=str(path), reason=error.strerror or type(error).__name__))
    return findings


def _walk(folder: Path, unreadable: Callable[[OSError], None]) -> Iterator[str]:
    """Names of all entries but folders, relative, sorted; hidden folders (.git, checkpoints) left out."""
    for parent, folders, files in os.walk(folder, onerror=unreadable):
        links = [name for name in folders if Path(parent, name).is_symlink()]
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in links)
        for name in sorted([*files, *links]):
            yield Path(parent, name).relative_to(folder).as_posix()


def _copy_file(source: Path, target: Path, budget: Budget) -> None:
    """Copy one plain file. Raises `Refused` for a link, device, FIFO or socket."""
    handle = None
    try:
        kind = source.lstat().st_mode
        if not stat.S_ISREG(kind):
            raise Refused(finding("unsafe-member", name=source.name, kind=_kind(kind)))
        handle = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(handle, "rb", closefd=False) as stream:
            budget.write(stream, target)
    finally:
        if handle is not None:
            os.close(handle)


def _kind(mode: int) -> str:
    if stat.S_ISLNK(mode):
        return "link"
    return "FIFO" if stat.S_ISFIFO(mode) else "socket" if stat.S_ISSOCK(mode) else "device"


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
    folder, archive = named.get("dataset"), named.get("dataset.zip")
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


def _student_name(entry: Path) -> str:
    """The entry's name as text, without an archive's or a loose file's suffix."""
    name = os.fsencode(entry.name).decode("utf-8", "replace")
    if entry.is_symlink() or entry.is_dir():
        return name
    for suffix in sorted((*ARCHIVE_SUFFIXES, *FOREIGN_SUFFIXES, ".ipynb", *MODEL_SUFFIXES), key=len)[::-1]:
        if name.lower().endswith(suffix) and len(name) > len(suffix):
            return name[: -len(suffix)]
    return name


def _identifier(student: str) -> str:
    """At most 64 ASCII letters, digits, `-` and `_`; a hash is added where letters got lost."""
    plain = unicodedata.normalize("NFKD", student)
    stripped = "".join(c for c in plain if not unicodedata.combining(c))
    kept = "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "-" for c in stripped)
    slug = "-".join(part for part in kept.split("-") if part)[:64].strip("-_")
    lost = any(not c.isascii() for c in stripped) or len(slug) < 1 or len(kept) > 64
    if lost or slug.upper() in _RESERVED:
        slug = f"{slug or 'submission'}-{hashlib.sha256(student.encode('utf-8', 'replace')).hexdigest()[:6]}"
    return slug


_RESERVED = {"CON", "PRN", "AUX", "NUL", "COM1", "LPT1"}  # no file names on Windows, where reports are read
