"""Which archives of a submission belong together, by their names: a download in several zips, an archive in volumes.

Google Drive gives a large folder as several zips, each whole (`TL-20260614T101112Z-1-001.zip`, `-002.zip`), and a file
that is too large for one by itself, with the next number behind its name (`model-003.onnx`). Programs that pack write
volumes (`work.zip.001`, `work.7z.002`; `work.z01`), of which none is an archive by itself.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.inputs.submissions.archives import ARCHIVE_SUFFIXES, FOREIGN_SUFFIXES

_AGAIN = r"(?: ?\(\d+\))?"  # what a browser adds to the second download
_DRIVE = re.compile(rf"(?P<stem>.+-\d{{8}}T\d{{6}}Z(?:-\d{{1,3}})?)-(?P<number>\d{{3}}){_AGAIN}\.zip", re.I | re.DOTALL)
_NUMBERED = re.compile(r"(?P<stem>.+)-(?P<number>\d{3})\.zip", re.IGNORECASE | re.DOTALL)
_ALONE = re.compile(r"(?P<stem>.+)-(?P<number>\d{3})(?P<suffix>\.[^.]{1,12})", re.DOTALL)
_VOLUME = re.compile(
    r"(?P<stem>.+\.(?:zip|7z|tar|tgz|tar\.gz|tar\.xz|tar\.bz2))\.(?P<number>\d{3})", re.IGNORECASE | re.DOTALL
)
_SPANNED = re.compile(r"(?P<stem>.+)\.z\d\d", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Bundle:
    """Archives that are unpacked as one. `name` is that of the whole."""

    name: str
    parts: tuple[Path, ...]  # in order: whole archives, or volumes of one
    is_split: bool = False  # several whole archives, or one with files that came by themselves
    are_volumes: bool = False
    alone: tuple[tuple[Path, str], ...] = ()  # a file that came by itself, and its name without the number
    reason: str = ""  # why it cannot be put together


def drive_stem(name: str) -> str:
    """What the names of all parts of a download from Google Drive begin with; empty for any other name."""
    found = _DRIVE.fullmatch(name)
    return found["stem"] if found else ""


def is_archive(name: str) -> bool:
    """Whether a file of this name should be an archive, or a volume of one."""
    lower = name.lower()
    is_one = lower.endswith((*ARCHIVE_SUFFIXES, *FOREIGN_SUFFIXES))
    return is_one or bool(_VOLUME.fullmatch(name) or _SPANNED.fullmatch(name))


def bundles(archives: Iterable[Path], others: Iterable[Path]) -> list[Bundle]:
    """The archives, those that belong together as one. `others`: the submission's other files."""
    by_folder: dict[Path, list[Path]] = defaultdict(list)
    for archive in sorted(archives):
        by_folder[archive.parent].append(archive)
    beside: dict[Path, list[Path]] = defaultdict(list)
    for other in sorted(others):
        beside[other.parent].append(other)
    return [one for folder, files in by_folder.items() for one in _of_folder(files, beside[folder])]


def _of_folder(archives: list[Path], others: list[Path]) -> list[Bundle]:
    left = list(archives)
    found: list[Bundle] = []
    for volumes, take in ((_VOLUME, _volumes), (_SPANNED, _spanned)):
        for stem, parts in _by_stem(left, volumes).items():
            one = take(stem, [file for _, file in parts], left)
            found.append(one)
            left = [file for file in left if file not in one.parts]
    for stem, parts in _by_stem(left, _DRIVE).items():
        numbers = {number for number, _ in parts}
        alone = _alone(numbers, others)
        others = [file for file in others if file not in {one for one, _ in alone}]
        files = tuple(file for _, file in parts)
        found.append(Bundle(stem, files, is_split=len(files) > 1 or bool(alone), alone=alone))
        left = [file for file in left if file not in files]
    for stem, parts in _by_stem(left, _NUMBERED).items():
        if [number for number, _ in parts] == list(range(1, len(parts) + 1)) and len(parts) > 1:
            files = tuple(file for _, file in parts)
            found.append(Bundle(stem, files, is_split=True))
            left = [file for file in left if file not in files]
    return sorted([*found, *(Bundle(file.name, (file,)) for file in left)], key=lambda one: one.parts[0])


def _by_stem(files: Sequence[Path], name: re.Pattern[str]) -> dict[str, list[tuple[int, Path]]]:
    """Stem -> (number, file), in the order of the numbers."""
    found: dict[str, list[tuple[int, Path]]] = defaultdict(list)
    for file in files:
        if match := name.fullmatch(file.name):
            found[match["stem"]].append((int(match.groupdict().get("number") or 0), file))
    return {stem: sorted(parts) for stem, parts in found.items()}


def _volumes(stem: str, files: list[Path], _: list[Path]) -> Bundle:
    numbers = [int(file.name[-3:]) for file in files]
    missing = next((number for number in range(1, numbers[-1] + 1) if number not in numbers), None)
    why = f"it is in volumes, and {stem}.{missing:03} is missing" if missing else ""
    return Bundle(stem, tuple(files), are_volumes=True, reason=why)


def _spanned(stem: str, files: list[Path], all_of_them: list[Path]) -> Bundle:
    last = [file for file in all_of_them if file.name.lower() == f"{stem.lower()}.zip"]
    why = f"it is in volumes ({', '.join(file.name for file in [*files, *last][:4])}), which cannot be put together"
    return Bundle(f"{stem}.zip", (*files, *last), are_volumes=True, reason=why)


def _alone(numbers: set[int], others: list[Path]) -> tuple[tuple[Path, str], ...]:
    """The files that fill up the numbers of the zips, without a gap."""
    named = [(int(match["number"]), file, match) for file in others if (match := _ALONE.fullmatch(file.name))]
    free = [one for one in named if one[0] not in numbers]
    taken = {number for number, _, _ in free}
    if not free or len(taken) != len(free) or numbers | taken != set(range(1, len(numbers | taken) + 1)):
        return ()
    return tuple((file, match["stem"] + match["suffix"]) for _, file, match in free)
