"""Names the images of a rerun: as handed in if the names carry little data, else by numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

from ..dataset.image import DatasetImage, split_named
from .embedded import bound

# Measured, sorted and compressed: names by cameras, phones and messengers take 1.7 to 4.1 bytes each, a labelling
# service's SHA-1 suffix 20, a UUID 22.
_BYTES, _BYTES_PER_IMAGE = 512, 5
_MOST_BYTES = 4096
_LONGEST = 80  # characters of a part of a path
_ODD = re.compile(r"[^\w .,()\[\]{}@#&+=~'!-]", re.UNICODE)
_USUAL = ("images", "jpegimages")  # folders by whose names libraries find annotations
_SPOKEN_OF = 8  # characters; a stem at least this long counts as named in the source without its suffix, too


def paths(images: Sequence[DatasetImage], root: Path, source: str) -> tuple[list[PurePosixPath], bool]:
    """A path in the rerun's data set for each image, in order; and whether names were replaced.

    `source`: the notebook's. A name that it contains is always kept, because it adds no information.
    """
    own = [PurePosixPath(image.file.relative_to(root).as_posix()) for image in images]
    said = _information(own)
    if said <= min(_MOST_BYTES, _BYTES + _BYTES_PER_IMAGE * len(own)) and all(map(is_plain, own)):
        return own, False
    labels = {image.label for image in images}
    taken: set[str] = set()
    count: dict[PurePosixPath, int] = {}
    folders: dict[PurePosixPath, PurePosixPath] = {PurePosixPath(): PurePosixPath()}
    new = []
    for path in own:
        folder = _folder(path.parent, folders, labels)
        count[folder] = count.get(folder, 0) + 1
        spoken_of = path.name in source or (len(path.stem) >= _SPOKEN_OF and path.stem in source)
        name = path.name if spoken_of and is_plain(path) else f"{count[folder]:05}{path.suffix}"
        while str(folder / name).casefold() in taken:
            count[folder] += 1
            name = f"{count[folder]:05}{path.suffix}"
        taken.add(str(folder / name).casefold())
        new.append(folder / name)
    return new, True


def information(paths: Iterable[PurePosixPath]) -> str:
    """The names as one sorted text, so that their order carries no data."""
    return "\n".join(sorted(str(path) for path in paths))


def _information(paths: Iterable[PurePosixPath]) -> int:
    return bound([information(paths)])


def is_plain(path: PurePosixPath) -> bool:
    """Whether every part of the path is of ordinary length and characters."""
    return all(len(part) <= _LONGEST and not _ODD.search(part) for part in path.parts)


def _folder(
    folder: PurePosixPath, folders: dict[PurePosixPath, PurePosixPath], labels: set[str | None]
) -> PurePosixPath:
    """The folder's new name. Classes and splits keep theirs, which notebook and grading use; others get numbers."""
    if folder not in folders:
        parent = _folder(folder.parent, folders, labels)
        is_known = folder.name in labels or split_named(folder.name) or folder.name.lower() in _USUAL
        plain = folder.name if len(folder.name) <= _LONGEST else folder.name[:_LONGEST]
        name = _ODD.sub("_", plain) if is_known else f"folder{len(folders):03}"
        while parent / name in folders.values():
            name += "_"
        folders[folder] = parent / name
    return folders[folder]
