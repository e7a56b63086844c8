"""Rebuilds annotations whose boxes are shares of the image's sides: YOLO's, Open Images', Custom Vision's."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from ..dataset import custom_vision, open_images, yolo
from ..dataset.image import Box
from ..dataset.walk import Tree
from .boxes import moved
from .pixels import Frame
from .plan import Plan

_DIGITS = 4  # of a share: a tenth of a pixel of 1024


def yolo_files(files: Tree, plan: Plan) -> Iterator[tuple[Path, PurePosixPath, str]]:
    """(file, path of its replacement, its content) for the annotation of each image, and for the YAML file."""
    kept = {one.image.file: one for one in plan.kept}
    names = yolo.names(files)
    found, _ = yolo.text_files(files, names)
    for annotation in found:
        one = kept.get(annotation.image)
        if one is None:
            continue
        beside = annotation.file.parent == annotation.image.parent
        folder = one.path.parent if beside else _labels_of(one.path.parent)
        lines = [
            " ".join([str(index), *_centred(sides, one.frame)])
            for index, box in zip(annotation.indices, annotation.boxes, strict=True)
            for _, sides in moved(one.frame, (box,))
        ]
        yield annotation.file, folder / f"{one.path.stem}.txt", "".join(f"{line}\n" for line in lines[:_MOST_LINES])
    if found and names.file is not None:
        own = PurePosixPath(names.file.relative_to(plan.root).as_posix())
        yield names.file, own, _yaml(names, names.file.parent, plan)


_MOST_LINES = 100  # of one image


def _labels_of(folder: PurePosixPath) -> PurePosixPath:
    """The same folder below `labels` instead of the last `images`."""
    parts = list(folder.parts)
    for at in reversed(range(len(parts))):
        if parts[at].lower() == "images":
            return PurePosixPath(*parts[:at], "labels", *parts[at + 1 :])
    return folder


def _yaml(names: yolo.Names, beside: Path, plan: Plan) -> str:
    """The classes that images or boxes have, by their indices, and where the parts lie."""
    import yaml

    known = {index: name for index, name in enumerate(names.of) if name in plan.classes}
    found: dict[str, object] = {}
    for part, said in names.folders.items():
        words = [word for word in re.split(r"[\\/]+", said) if word not in ("", ".", "..")]
        for start in range(len(words)):
            folder = beside.joinpath(*words[start:])
            if folder.is_dir():
                found[part] = folder.relative_to(beside).as_posix()
                break
    text: str = yaml.safe_dump({**found, "nc": len(names.of), "names": known}, sort_keys=True)
    return text


def csv_files(files: Tree, plan: Plan) -> Iterator[tuple[Path, str]]:
    """(file, the content of its replacement) for each table of boxes: columns of image, sides and class alone."""
    for table in open_images.tables(files):
        columns = [name for name in table.columns if _is_known(name)]
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(columns)
        for one in plan.kept:
            for box, sides in moved(one.frame, table.boxes.get(one.image.file, ())):
                writer.writerow([_cell(name.lower(), one.path.stem, box, sides, one.frame) for name in columns])
        yield table.file, out.getvalue()


def custom_vision_files(files: Tree, plan: Plan) -> Iterator[tuple[Path, str]]:
    """(file, the JSON of its replacement) for each file of Custom Vision's: image, class and sides alone."""
    for document in custom_vision.documents(files):
        entries = []
        for one in plan.kept:  # in no order of the student's
            if (boxes := document.boxes.get(one.image.file)) is None:
                continue
            tags = [{"tag": box.label, **_tag(sides, one.frame)} for box, sides in moved(one.frame, boxes)]
            entries.append({"filename": one.path.name, "tags": tags})
        if entries:
            yield document.file, json.dumps({"files": entries})


def _tag(sides: tuple[int, int, int, int], frame: Frame) -> dict[str, float]:
    left, top, right, bottom = sides
    pixels = (left, top, right - left, bottom - top)
    within = (frame.width, frame.height) * 2
    named = zip(custom_vision.SIDES, pixels, within, strict=True)
    return {name: round(pixel / side, _DIGITS) for name, pixel, side in named}


def _is_known(column: str) -> bool:
    return column.lower() in (open_images.IMAGE, *open_images.SIDES, *open_images.CLASSES)


def _cell(column: str, stem: str, box: Box, sides: tuple[int, int, int, int], frame: Frame) -> str:
    if column == open_images.IMAGE:
        return stem
    if column in open_images.CLASSES:
        return box.label
    at = open_images.SIDES.index(column)
    return _share(sides[at], (frame.width, frame.height)[at % 2])


def _centred(sides: tuple[int, int, int, int], frame: Frame) -> list[str]:
    left, top, right, bottom = sides
    across, down = frame.width, frame.height
    return [_share((left + right) / 2, across), _share((top + bottom) / 2, down), _share(right - left, across),
            _share(bottom - top, down)]  # fmt: skip


def _share(pixels: float, side: int) -> str:
    return f"{pixels / side:.{_DIGITS}f}"
