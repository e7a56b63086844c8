"""Says what each file of a submission is, by its content, as a process with limits reads it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from harness.findings import Finding, finding
from harness.findings.file_kinds import FILE_KINDS
from harness.inputs.submission import SubmittedFile
from harness.inputs.submissions.child import Children, Unreadable, path_text
from harness.inputs.submissions.parts import MODEL_SUFFIXES, NOTEBOOK_SUFFIX

_AT_A_TIME = 500  # files of one request, so that the answer stays far below its limit
_MOST_NAMED = 3
_SECONDS = 60.0  # of one submission; 20,000 honest files take two or three
_IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".heic", ".avif", ".jfif")
_ALWAYS_NAMED = ("lfs-pointer", "conflict")  # of no use whatever they are called
_NAMED_BY_SUFFIX = ("web-page", "link", "cut-off", "empty")  # where the name promises something else


def recognised(root: Path, files: Sequence[Path]) -> tuple[SubmittedFile, ...]:
    """Each file, relative to `root`, with its kind (a key of `FILE_KINDS`), in the same order.

    After a minute, which only files take that were made for it, the rest is `unrecognised`.
    """
    until = time.monotonic() + _SECONDS
    with Children() as children:
        return tuple(
            SubmittedFile(path, kind)
            for at in range(0, len(files), _AT_A_TIME)
            for path, kind in _some(children, root, files[at : at + _AT_A_TIME], until)
        )


def _some(children: Children, root: Path, files: Sequence[Path], until: float) -> Iterator[tuple[Path, str]]:
    """The files with their kinds. One on which the reading process fails is `unrecognised`; others are asked again."""
    if time.monotonic() > until:
        yield from ((file, "unrecognised") for file in files)
        return
    try:
        told = children.ask("kinds", folder=path_text(root.absolute()), files=[path_text(file) for file in files])
    except Unreadable:
        if len(files) == 1:
            yield files[0], "unrecognised"
            return
        middle = len(files) // 2
        yield from _some(children, root, files[:middle], until)
        yield from _some(children, root, files[middle:], until)
        return
    kinds = told if isinstance(told, list) and len(told) == len(files) else ["unrecognised"] * len(files)
    for file, kind in zip(files, kinds, strict=True):
        yield file, kind if isinstance(kind, str) and kind in FILE_KINDS else "unrecognised"


def broken(files: Sequence[SubmittedFile]) -> tuple[Finding, ...]:
    """A finding for each kind of file that stands in place of another: a Git LFS pointer, a saved web page."""
    by_kind: dict[str, list[Path]] = {}
    for file in files:
        if file.kind in _ALWAYS_NAMED or (file.kind in _NAMED_BY_SUFFIX and _promises_more(file.path)):
            by_kind.setdefault(file.kind, []).append(file.path)
    return tuple(
        finding(
            "file-in-place-of-another",
            names=some(paths),
            what=FILE_KINDS[kind].title if len(paths) == 1 else f"each {FILE_KINDS[kind].title}",
            way_out=FILE_KINDS[kind].way_out,
        )
        for kind, paths in by_kind.items()
    )


def some(paths: Sequence[Path]) -> str:
    """`a, b, c and 7 more`."""
    named = ", ".join(str(path) for path in paths[:_MOST_NAMED])
    return f"{named} and {len(paths) - _MOST_NAMED} more" if len(paths) > _MOST_NAMED else named


def _promises_more(path: Path) -> bool:
    return path.suffix.lower() in (NOTEBOOK_SUFFIX, *MODEL_SUFFIXES, *_IMAGE_SUFFIXES)
