"""What a rerun may see: the notebook, the data set without the withheld pictures, and files that the assignment names.

Everything is taken by name from what the audit read, never by leaving out: weights, archives, caches and
pictures that the audit does not know stay behind, and so does what the notebook itself carries along.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from harness.dataset.folders import folder_names
from harness.evidence.audit import DatasetAudit
from harness.submission import Submission

_LISTS = (".txt", ".csv", ".names", ".yaml", ".yml")
# Room for boxes and names, and for no pictures: 32 by 32 pixels as text take 10 KB.
_LIST_BYTES_PER_PICTURE, _LIST_BYTES = 2048, 64 * 1024
_NAME = 200  # characters of a name that the audit keeps


def reduced_hand_in(submission: Submission, audit: DatasetAudit, allowed: tuple[str, ...], target: Path) -> Submission:
    """The hand-in as the rerun sees it, written to `target`; its layout is as handed in."""
    assert submission.notebook is not None and submission.dataset is not None
    _write_notebook(submission.root / submission.notebook, target / submission.notebook)
    files = [PurePosixPath(name) for name in allowed if ".." not in PurePosixPath(name).parts]
    for name in (file for file in files if not file.is_absolute() and (submission.root / file).is_file()):
        _put(submission.root / name, target / name)
    source, place = submission.root / submission.dataset, target / submission.dataset
    kept = _Kept(audit)
    if source.is_file():
        _reduce_zip(source, place, kept)
    else:
        _reduce_folder(source, place, kept)
    for part in (target, *target.rglob("*")):
        if part.is_dir():
            part.chmod(0o755)
    return replace(submission, root=target, model=None, companions=(), findings=())


def training_folders(source: Path, audit: DatasetAudit, target: Path) -> None:
    """The pictures that may be trained on, in a folder for each class, as the reference and many notebooks want them.

    The student's own test part is left out: nobody may train on it. A folder's name is the class's, without what no
    path may hold.
    """
    kept, own_test = _Kept(audit), set(audit.own_test)
    folders = folder_names(tuple(audit.classes))
    for folder in folders.values():
        (target / folder).mkdir(parents=True)
    with _files(source) as files:
        for number, (name, file) in enumerate(files):
            label = audit.labels.get(name)
            if label is not None and kept.has(name) and name not in own_test:
                _put(file, target / folders[label] / f"{number:05}{Path(name).suffix.lower()}")
    for part in (target, *target.rglob("*")):
        part.chmod(0o755 if part.is_dir() else 0o644)


class _Kept:
    """Which files of a data set stay."""

    def __init__(self, audit: DatasetAudit) -> None:
        withheld = {one.picture for one in audit.withheld}
        self._pictures = set(audit.pixels) - withheld
        self._gone = {PurePosixPath(name).name.lower() for name in withheld}
        self._gone -= {PurePosixPath(name).name.lower() for name in self._pictures}
        self._gone_stems = {PurePosixPath(name).with_suffix("").as_posix().lower() for name in withheld}
        self._stems = {PurePosixPath(name).stem.lower() for name in withheld}
        self._stems -= {PurePosixPath(name).stem.lower() for name in self._pictures}
        self.most = _LIST_BYTES + _LIST_BYTES_PER_PICTURE * len(self._pictures)

    def has(self, name: str) -> bool:
        """Whether the picture of this name may be seen."""
        return name in self._pictures

    def rest(self, name: str, content: bytes) -> bytes | None:
        """What stays of a file that is no picture: annotations, and lists without the withheld; None for nothing."""
        path = PurePosixPath(name)
        suffix = path.suffix.lower()
        if len(content) > self.most:
            return None
        if suffix == ".xml":
            gone = path.stem.lower() in self._stems or path.with_suffix("").as_posix().lower() in self._gone_stems
            return None if gone else content
        if suffix in _LISTS:
            lines = content.decode("utf-8", "replace").splitlines(keepends=True)
            return "".join(line for line in lines if not self._names_a_withheld(line)).encode()
        return self._coco(content) if suffix == ".json" else None

    def _names_a_withheld(self, line: str) -> bool:
        words = {PurePosixPath(word.replace("\\", "/")).name.lower() for word in re.split(r"[,;\s\"']+", line)}
        return bool(words & (self._gone | self._stems))

    def _coco(self, content: bytes) -> bytes | None:
        try:
            document = json.loads(content)
        except (ValueError, RecursionError):
            return None
        if not isinstance(document, dict) or not isinstance(document.get("images"), list):
            return None
        images = [image for image in document["images"] if isinstance(image, dict) and not self._is_gone(image)]
        ids = {str(image.get("id")) for image in images}
        boxes = document.get("annotations")
        mine = (
            [b for b in boxes if isinstance(b, dict) and str(b.get("image_id")) in ids]
            if isinstance(boxes, list)
            else []
        )
        return json.dumps(document | {"images": images, "annotations": mine}).encode()

    def _is_gone(self, image: dict[str, Any]) -> bool:
        name = str(image.get("file_name", "")).replace("\\", "/")
        return PurePosixPath(name).name.lower() in self._gone


@contextlib.contextmanager
def _files(source: Path) -> Iterator[Iterator[tuple[str, Path | Callable[[], bytes]]]]:
    """(name as the audit has it, file or what reads it) for each plain file of a folder or zip."""
    if source.is_file():
        with zipfile.ZipFile(source) as archive:
            yield ((_text(name), partial(archive.read, m)) for name, m in _members(archive).items())
    else:
        paths = (path for path in sorted(source.rglob("*")) if path.is_file() and not path.is_symlink())
        yield ((_text(path.relative_to(source).as_posix()), path) for path in paths)


def _reduce_folder(source: Path, place: Path, kept: _Kept) -> None:
    for folder in (path for path in source.rglob("*") if path.is_dir() and not path.is_symlink()):
        (place / folder.relative_to(source)).mkdir(parents=True, exist_ok=True)
    with _files(source) as files:
        for name, file in files:
            assert isinstance(file, Path)
            target = place / file.relative_to(source)
            if kept.has(name):
                _put(file, target)
            elif (rest := kept.rest(name, _head(file))) is not None:
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(rest)


def _reduce_zip(source: Path, place: Path, kept: _Kept) -> None:
    """The zip without the withheld pictures, and beside it what it unpacks to."""
    place.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(source) as archive, zipfile.ZipFile(place, "w", zipfile.ZIP_STORED) as reduced:
        for written, member in _members(archive).items():
            name = _text(written)
            if ".." in PurePosixPath(name).parts or PurePosixPath(name).is_absolute():
                continue
            if kept.has(name):
                reduced.writestr(written, archive.read(member))
            elif member.file_size <= kept.most and (rest := kept.rest(name, archive.read(member))) is not None:
                reduced.writestr(written, rest)
    with zipfile.ZipFile(place) as reduced:
        reduced.extractall(place.with_suffix(""))


def _members(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """Path -> file in the archive. Of two with one path the first, as in the audit: the other one nobody has seen."""
    members: dict[str, zipfile.ZipInfo] = {}
    for member in archive.infolist():
        if not member.is_dir():
            members.setdefault(PurePosixPath(member.filename.replace("\\", "/")).as_posix(), member)
    return members


def _text(name: str) -> str:
    """A name as the audit writes it (`harness/agent/audit.py`)."""
    return name.encode("utf-8", "replace").decode()[:_NAME]


def _head(file: Path) -> bytes:
    with file.open("rb") as stream:
        return stream.read(64 * 2**20)


def _put(file: Path | Callable[[], bytes], target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if not isinstance(file, Path):
        target.write_bytes(file())
        return
    try:
        os.link(file, target)
    except OSError:  # another disk
        shutil.copyfile(file, target)


def _write_notebook(source: Path, target: Path) -> None:
    """The notebook without what its outputs and attachments carry along; as it is when it is no notebook."""
    target.parent.mkdir(parents=True, exist_ok=True)
    content = source.read_bytes()
    with contextlib.suppress(ValueError, RecursionError, AttributeError, TypeError):
        notebook = json.loads(content)
        sheets = [notebook, *notebook.get("worksheets", [])]
        for cell in (cell for sheet in sheets for cell in sheet.get("cells", [])):
            cell.pop("attachments", None)
            if "outputs" in cell:
                cell["outputs"] = []
        content = json.dumps(notebook).encode()
    target.write_bytes(content)
