"""The text files of a rerun's data set: the annotations, lists and tables that could be parsed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ..dataset.walk import Tree
from . import boxes, lists, naming, relative_boxes
from .embedded import bound
from .plan import Plan

# Measured on 290 photographs of cards with 1.8 boxes each: 19 bytes of information per image, 36 where a table repeats
# the boxes.
_BYTES, _BYTES_PER_IMAGE, _BYTES_PER_BOXED_IMAGE = 1536, 8, 40
_MOST_FILES = 200  # lists and tables
_MOST_CHARACTERS = 4 * 2**20  # of all files together: the boxes of 10,000 images
_LIST_SUFFIXES, _TABLE_SUFFIXES = (".txt", ".names", ".lst"), (".csv", ".tsv")
_MOST_JSON = 2**20  # bytes of a JSON file other than COCO's


@dataclass(frozen=True, slots=True)
class Text:
    path: PurePosixPath  # in the new data set
    content: str


@dataclass(frozen=True, slots=True)
class Texts:
    """The rebuilt files. `left_out`: the other files, also images that are neither used nor withheld."""

    rebuilt: tuple[Text, ...]
    left_out: tuple[Path, ...]
    information: int  # upper bound, bytes, in names, annotations and lists together
    usual: int  # bytes that a data set of this kind and size usually has


def texts(files: Tree, plan: Plan) -> Texts:
    """Parse and rewrite every file other than images, or leave it out."""
    boxed = [(file, Text(path, content)) for file, path, content in boxes.voc_files(files, plan)]
    boxed += [(file, Text(_own(file, plan), content)) for file, content in boxes.coco_files(files, plan)]
    boxed += [(file, Text(path, content)) for file, path, content in relative_boxes.yolo_files(files, plan)]
    boxed += [(file, Text(_own(file, plan), content)) for file, content in relative_boxes.csv_files(files, plan)]
    tagged = relative_boxes.custom_vision_files(files, plan)
    boxed += [(file, Text(_own(file, plan), content)) for file, content in tagged]
    stems = {file.stem for file in plan.withheld}  # their annotations are dropped with them
    of_withheld = {file for file in files.ending(".xml", ".txt") if file.stem in stems}
    listed = list(_listed(files, plan, {file for file, _ in boxed} | of_withheld))
    taken, left = dict[Path, Text](), _MOST_CHARACTERS
    for file, text in (*boxed, *listed[:_MOST_FILES]):
        if naming.is_plain(text.path) and len(text.content) <= left:
            taken[file] = text
            left -= len(text.content)
    rebuilt = sorted(taken.values(), key=lambda text: text.path)
    content = [f"{text.path}\n{text.content}" for text in rebuilt]
    information = bound([naming.information(one.path for one in plan.kept), *content])
    each = _BYTES_PER_BOXED_IMAGE if boxed else _BYTES_PER_IMAGE
    known = {one.image.file for one in plan.kept} | plan.withheld | taken.keys()
    return Texts(
        tuple(rebuilt),
        tuple(file for file in files.files if file not in known and file not in of_withheld),
        information,
        _BYTES + each * len(plan.kept),
    )


def _listed(files: Tree, plan: Plan, done: set[Path]) -> Iterator[tuple[Path, Text]]:
    references = lists.References(plan)
    for file in files.files:
        suffix, content = file.suffix.lower(), ""
        if file in done:
            continue
        if suffix in _LIST_SUFFIXES:
            content = lists.text_list(file, plan, references)
        elif suffix in _TABLE_SUFFIXES:
            content = lists.table(file, plan, references)
        elif suffix == ".json" and file.stat().st_size <= _MOST_JSON:
            content = lists.class_map(file.read_bytes(), plan)
        if content:
            yield file, Text(_own(file, plan), content)


def _own(file: Path, plan: Plan) -> PurePosixPath:
    return PurePosixPath(file.relative_to(plan.root).as_posix())
