"""Archives of every kind, and what intake makes of a folder of them."""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path

from harness.inputs.submission import Submission
from harness.inputs.submissions import collect
from harness.inputs.submissions.archives import UnpackLimits


def taken(incoming: Path, **limits: int) -> dict[str, Submission]:
    work = incoming.parent / "work"
    work.mkdir(exist_ok=True)
    return {one.id: one for one in collect(incoming, work, UnpackLimits(**limits))}


def codes(one: Submission) -> list[str]:
    return [finding.code for finding in one.findings]


def files(one: Submission) -> list[str]:
    return sorted(str(path.relative_to(one.root)) for path in one.root.rglob("*") if not path.is_dir())


def tar_info(name: str, kind: bytes = tarfile.REGTYPE, link: str = "", mode: int = 0o644) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.mode = kind, link, mode
    return info


def write_tar(file: Path, *members: tuple[tarfile.TarInfo, bytes]) -> None:
    with tarfile.open(file, "w:gz") as archive:
        for info, content in members:
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))


def write_zip(file: Path, members: dict[str, bytes]) -> None:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def write_7z(file: Path, members: dict[str, bytes], password: str | None = None) -> None:
    import py7zr

    with py7zr.SevenZipFile(file, "w", password=password) as archive:
        archive.set_encoded_header_mode(password is not None)  # plain, so that a test can change it
        for name, content in members.items():
            archive.writestr(content, name)
