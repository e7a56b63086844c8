"""Rewrites, in the sandbox, what a rerun may see, and puts it into a folder; no byte is copied from the student's.

Files from the sandbox are written under the names that it sends, within the limits below; none is opened.
"""

from __future__ import annotations

import contextlib
import hmac
import os
import secrets
import shutil
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, RootModel

from harness.findings import Finding, finding, sentence
from harness.inputs.assignment.sections import OwnDataset
from harness.inputs.images.held_out import LONGEST_SIDE
from harness.inputs.submission import Submission
from harness.stages.audit.folders import folder_names
from harness.stages.context import Rejected, StageContext, failed, read_reply
from harness.stages.evidence.audit import DatasetAudit
from harness.stages.evidence.stage_result import Failed

_LARGEST_IMAGE = 4 * 2**20  # bytes: 1024 by 1024 pixels, not compressed, are 3 MiB
_LARGEST_JPEG = 2 * 2**20
_LARGEST_TEXTS = 32 * 2**20  # all annotations and lists together
_LARGEST_ALLOWED = 2**20
_LARGEST_NOTEBOOK = 8 * 2**20
_MOST_AT_ONCE = 200  # images of one job, whose list is far below the limit of a reply
_SHARE_OF_OUTPUT = 0.8
_MOST_IMAGES = 20_000
_LONGEST_PATH = 400  # characters
_LONGEST_OWN = 160  # characters of the path of the notebook or the data set
_LONGEST_PART = 255  # bytes, of most file systems
_JPEG = (".jpg", ".jpeg", ".jpe", ".jfif")
_IMAGES = (*_JPEG, ".png", ".bmp", ".webp", ".gif", ".tif", ".tiff", ".avif")
_TEXTS = (".xml", ".json", ".txt", ".names", ".lst", ".yaml", ".yml", ".csv", ".tsv")

_Path = Annotated[str, Field(max_length=_LONGEST_PATH)]
_Name = Annotated[str, Field(max_length=200)]
_Count = Annotated[int, Field(ge=0, le=2**40)]


class _Carried(BaseModel):
    """An upper bound on data in the notebook's source, bytes; `where` is empty when it is usual."""

    model_config = ConfigDict(extra="forbid")

    information: _Count
    usual: _Count
    where: _Name
    there: _Count


class _Reply(BaseModel):
    """rewritten.json, as `harness/agent/phases/rewrite.py` sends it."""

    model_config = ConfigDict(extra="forbid")

    unreadable: str = Field(max_length=1000)
    images: int = Field(ge=0, le=_MOST_IMAGES)
    names_replaced: bool
    information: _Count
    usual: _Count
    files_left_out: _Count
    examples: tuple[_Name, ...] = Field(max_length=3)
    archive: _Path
    allowed: tuple[Annotated[int, Field(ge=0)], ...] = Field(max_length=100)
    carried: _Carried


class _Images(RootModel[tuple[tuple[int, _Name, _Path, bool], ...]]):
    """images.json: number, name as the audit has it, new path, whether it looks like data."""


class NotRewritten(Exception):
    """The folder could not be written; `result` is the stage result that says why."""

    def __init__(self, result: Failed) -> None:
        super().__init__(result.reason)
        self.result = result


@dataclass(frozen=True, slots=True)
class Rewritten:
    """The rewritten submission. `rerun`: as the rerun sees it; None without a notebook. `unreadable`: why not run."""

    rerun: Submission | None
    findings: tuple[Finding, ...]
    unreadable: Failed | None


def rewrite(
    submission: Submission,
    audit: DatasetAudit,
    asked: OwnDataset,
    place: Path,
    training: Path,
    context: StageContext,
    *,
    by_class: bool = True,
) -> Rewritten:
    """Rewrite the submission to the empty folder `place`, and its training part to the empty folder `training`.

    There it has a folder for each class with `by_class`, else the layout in which it came, with its annotations. Raises
    `NotRewritten`.
    """
    job = _Job(submission, audit, asked, context, by_class)
    try:
        return job.lay_out(place, training)
    except (Rejected, FileExistsError, NotADirectoryError, IsADirectoryError) as error:
        reason = sentence("job-unusable", what="Writing the data set anew", why=error)
        raise NotRewritten(Failed(status="rejected", reason=reason)) from error


class _Job:
    """The rewriting of one submission."""

    def __init__(
        self, submission: Submission, audit: DatasetAudit, asked: OwnDataset, context: StageContext, by_class: bool
    ) -> None:
        assert submission.dataset is not None
        self._audit, self._context, self._by_class = audit, context, by_class
        self._withheld = {one.picture for one in audit.withheld}
        self._use = {name: label for name, label in audit.labels.items() if name not in self._withheld}
        self._allowed = _allowed(asked.allowed_files, submission.root)
        self._inputs: dict[str, Path] = {"dataset": submission.root / submission.dataset}
        self._is_zip = self._inputs["dataset"].is_file()
        self._inputs |= {f"allowed-{n}": submission.root / name for n, name in enumerate(self._allowed)}
        if submission.notebook is not None:
            self._inputs["notebook"] = submission.root / submission.notebook
        self._submission = replace(
            submission,
            notebook=submission.notebook and _short(submission.notebook, "notebook.ipynb"),
            dataset=_short(submission.dataset, "dataset.zip" if self._is_zip else "dataset"),
        )
        self._secret = hmac.new(_key(context), submission.sha256.encode(), "sha256").hexdigest()

    def lay_out(self, place: Path, training: Path) -> Rewritten:
        """Fill the folders. Raises `Rejected` and `NotRewritten`."""
        submission = self._submission
        assert submission.dataset is not None
        dataset = place / (submission.dataset.with_suffix("") if self._is_zip else submission.dataset)
        dataset.mkdir(parents=True)
        with tempfile.TemporaryDirectory(prefix="harness-rewrite-") as folder:
            outputs = Path(folder)
            self._run(outputs, None)
            reply = read_reply(outputs, "rewritten.json", _Reply)
            _put_texts(outputs / "texts", dataset)
            if not self._by_class:
                _put_texts(outputs / "texts", training)
            for number in (number for number in reply.allowed if number < len(self._allowed)):
                _put(outputs / f"allowed-{number}", place / self._allowed[number], _LARGEST_ALLOWED)
            if submission.notebook is not None and not reply.unreadable:
                _put(outputs / "notebook.ipynb", place / submission.notebook, _LARGEST_NOTEBOOK)
        like_data = self._images(reply.images, dataset, training)
        self._empty_classes(dataset)
        if self._is_zip:
            _pack(dataset, place / submission.dataset)
        elif reply.archive:
            _pack(dataset, _within(dataset, reply.archive, (".zip",)))
        for part in (place, training, *place.rglob("*"), *training.rglob("*")):
            part.chmod(0o755 if part.is_dir() else 0o644)
        rerun = replace(submission, root=place, models=(), files=(), findings=())
        findings = self._findings(reply, like_data)
        if submission.notebook is None:
            return Rewritten(None, findings, None)
        unreadable = _unreadable(submission.notebook, reply.unreadable) if reply.unreadable else None
        return Rewritten(rerun, findings, unreadable)

    def _run(self, outputs: Path, part: tuple[int, int] | None) -> None:
        request = {
            "use": list(self._use),
            "withheld": sorted(self._withheld),
            "secret": self._secret,
            "longest_side": LONGEST_SIDE,
            "allowed": self._allowed,
            "part": part,
        }
        outcome = self._context.run("rewrite", request, self._inputs, outputs)
        if outcome.status != "ok":
            raise NotRewritten(failed(outcome, "Writing the data set anew", self._context.limits))

    def _images(self, count: int, dataset: Path, training: Path) -> list[str]:
        """Put every image into its place, and into `training`; return the names of images that look like data.

        Images of the student's own test split are not learnt from.
        """
        folders = folder_names(tuple(self._audit.classes)) if self._by_class else {}
        for name in folders.values():
            (training / name).mkdir(parents=True)
        own_test, like_data = set(self._audit.own_test), []
        at_once = _at_once(self._use, self._context.limits.output)
        for first in range(0, count, at_once):
            with tempfile.TemporaryDirectory(prefix="harness-rewrite-") as folder:
                outputs = Path(folder)
                self._run(outputs, (first, at_once))
                for number, name, path, is_like_data in read_reply(outputs, "images.json", _Images).root:
                    if name not in self._use or not first <= number < first + at_once:
                        raise Rejected(sentence("reply-not-asked-for", name=name))
                    target = _within(dataset, path, _IMAGES)
                    _put(outputs / f"image-{number}", target, _LARGEST_IMAGE)
                    if name not in own_test:
                        by_class = f"{number:05}{target.suffix.lower()}"
                        learnt = training / (Path(folders[self._use[name]], by_class) if self._by_class else path)
                        learnt.parent.mkdir(parents=True, exist_ok=True)
                        _link(target, learnt)
                    like_data += [path] if is_like_data else []
        return like_data

    def _empty_classes(self, dataset: Path) -> None:
        """Create class folders whose images were all withheld from a split, because class indices depend on them."""
        for name in self._withheld:
            folder = PurePosixPath(name).parent
            leads_out = folder.is_absolute() or ".." in folder.parts
            if not leads_out and folder.name in self._audit.classes and (dataset / folder.parent).is_dir():
                (dataset / folder).mkdir(exist_ok=True)

    def _findings(self, reply: _Reply, like_data: list[str]) -> tuple[Finding, ...]:
        found = []
        carried = reply.carried
        if carried.where:
            particulars = carried.model_dump(include={"information", "usual", "where", "there"})
            found.append(finding("embedded-data", **particulars))
        if reply.information > reply.usual:
            found.append(finding("embedded-in-dataset", information=reply.information, usual=reply.usual))
        if like_data:
            found.append(finding("embedded-in-images", count=len(like_data), example=", ".join(like_data[:3])))
        if reply.names_replaced:
            found.append(finding("rerun-names-replaced"))
        others = [name for number, name in enumerate(self._allowed) if number not in reply.allowed]
        if left_out := reply.files_left_out + len(others):
            example = ", ".join([*others, *reply.examples][:3])
            found.append(finding("rerun-files-left-out", count=left_out, example=example))
        return tuple(found)


def _unreadable(notebook: Path, reason: str) -> Failed:
    found = finding("notebook-unreadable", name=notebook.name, reason=reason)
    return Failed(status="rejected", reason=found.message, findings=(found,))


def _short(path: Path, other: str) -> Path:
    """The path if it is short and plain, else `other`."""
    return path if len(str(path)) <= _LONGEST_OWN else Path(other)


def _allowed(names: tuple[str, ...], root: Path) -> list[str]:
    """The assignment's allowed files that were handed in, as plain files below `root`."""
    inside = [PurePosixPath(name) for name in names]
    inside = [path for path in inside if not path.is_absolute() and ".." not in path.parts]
    return [str(path) for path in inside if (root / path).is_file() and not (root / path).is_symlink()]


def _at_once(use: Mapping[str, str], output: int) -> int:
    """How many images one job sends at once."""
    largest = _LARGEST_JPEG if all(name.lower().endswith(_JPEG) for name in use) else _LARGEST_IMAGE
    return max(1, min(_MOST_AT_ONCE, int(_SHARE_OF_OUTPUT * output / largest)))


def _key(context: StageContext) -> bytes:
    """The store's secret, made once, so that rewriting a submission is repeatable but not predictable."""
    file = context.store.folder / "rewriting-key"
    with tempfile.NamedTemporaryFile(dir=context.store.folder, prefix="writing-") as new:
        new.write(secrets.token_bytes(32))
        new.flush()
        with contextlib.suppress(FileExistsError):
            os.link(new.name, file)  # whole or not at all, and never replacing an existing file
    return file.read_bytes()


def _within(folder: Path, path: str, suffixes: tuple[str, ...]) -> Path:
    """The path of a new file. Raises `Rejected` for a path that leads out, or is not plain, or has another suffix."""
    relative = PurePosixPath(path)
    plain = path.isprintable() and not relative.is_absolute() and ".." not in relative.parts
    plain = plain and all(len(part.encode()) <= _LONGEST_PART for part in relative.parts)
    if not plain or not relative.parts or relative.suffix.lower() not in suffixes or "\\" in path:
        raise Rejected(sentence("reply-no-name", path=path[:100]))
    return folder / relative


def _put_texts(sent: Path, dataset: Path) -> None:
    """Write lists and annotations, each sent as a line with its path, its content and a zero byte."""
    if not sent.is_file() or sent.stat().st_size > _LARGEST_TEXTS:
        raise Rejected(sentence("reply-not-sent-or-too-large", name=sent.name, most=_LARGEST_TEXTS))
    for record in sent.read_bytes().split(b"\0")[:-1]:
        path, _, content = record.partition(b"\n")
        target = _within(dataset, path.decode("utf-8", "replace"), _TEXTS)
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("xb") as copy:
            copy.write(content)


def _put(sent: Path, target: Path, largest: int) -> None:
    """Put a sent file at `target`. Raises `Rejected` if it is missing or too large, and `FileExistsError`."""
    if not sent.is_file():
        raise Rejected(sentence("reply-not-sent", name=sent.name))
    if sent.stat().st_size > largest:
        raise Rejected(sentence("reply-too-large", name=sent.name, most=largest))
    target.parent.mkdir(parents=True, exist_ok=True)
    with sent.open("rb") as source, target.open("xb") as copy:
        shutil.copyfileobj(source, copy)


def _link(file: Path, target: Path) -> None:
    try:
        os.link(file, target)
    except OSError:  # a file system without links
        shutil.copyfile(file, target)


def _pack(folder: Path, target: Path) -> None:
    """Write the folder's content as a zip, with relative paths."""
    files = [file for file in sorted(folder.rglob("*")) if file.is_file()]
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for file in files:
            member = zipfile.ZipInfo(file.relative_to(folder).as_posix())  # dated 1980, without attributes
            archive.writestr(member, file.read_bytes())
