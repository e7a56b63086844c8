"""Pascal VOC: an XML file with boxes for each image, as `camera-capture` and labelImg write them."""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from pathlib import Path

from ..phases.error_text import one_sentence
from .encodings import declares_encoding, is_plain, text_of
from .image import Box, DatasetImage, Reading, Split, main_label, split_named
from .labels import listed
from .walk import Tree, folded

_MOST_BYTES = 2**20  # of one XML file
_MOST_OBJECTS = 1000  # of one image
_MOST_FAULTS = 100
_SIDES = ("xmin", "ymin", "xmax", "ymax")


class _Refused(Exception):
    """The file is not a usable annotation."""


class _Plain(ElementTree.TreeBuilder):
    """Refuses a document type: its entities could expand without end, or name files of this machine.

    Names lose their namespace, which says nothing here.
    """

    def start(self, tag: str, attrs: dict[str, str]) -> ElementTree.Element:
        return super().start(tag.rpartition("}")[2], attrs)

    def end(self, tag: str) -> ElementTree.Element:
        return super().end(tag.rpartition("}")[2])

    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:
        raise _Refused("it declares a document type")


@dataclass(frozen=True, slots=True)
class Annotation:
    """One XML file. `image` is None where no image has its name."""

    file: Path
    image: Path | None
    boxes: tuple[Box, ...]
    stated_size: tuple[int, int] | None  # width and height


def read(files: Tree) -> Reading | None:
    """Read VOC annotations; None when no XML file is one. Images without an annotation have no class."""
    listed_splits = _listed(files)
    first = {stem: "train" if "train" in splits else splits[0] for stem, splits in listed_splits.items()}
    annotated: dict[Path, DatasetImage] = {}
    found, faults = xml_files(files)
    if not found:
        return None
    for one in found:
        if one.image is None:
            faults.append(f"{one.file.name}: there is no image of this name")
            continue
        if one.image in annotated:
            faults.append(f"{one.file.name}: another annotation is of the same image, too; its boxes are not used")
        split = _split(one.image, files.root, first)
        annotated[one.image] = DatasetImage(one.image, main_label(one.boxes), split, one.boxes, one.stated_size)
    images = tuple(
        annotated.get(file) or DatasetImage(file, None, _split(file, files.root, first), annotated=False)
        for file in files.images()
    )
    several = sum(len(listed_splits.get(folded(one.file.stem), ())) > 1 for one in images)
    return Reading("voc", images, tuple(faults[:_MOST_FAULTS]), listed(files), several)


def xml_files(files: Tree) -> tuple[list[Annotation], list[str]]:
    """Every XML file that is an annotation, and why the others cannot be read."""
    by_stem = _by_stem(files)
    found, faults = [], []
    for file in files.ending(".xml"):
        try:
            root = _parsed(file)
        except _Refused as refused:
            faults.append(f"{file.name}: {refused}")
            continue
        if root.tag == "annotation":
            if len(root.findall("object")) > _MOST_OBJECTS:
                faults.append(f"{file.name}: it has more than {_MOST_OBJECTS:,} objects; the first ones count")
            found.append(Annotation(file, _image_of(file, root, by_stem), _boxes(root), _size(root)))
    return found, faults


def _parsed(file: Path) -> ElementTree.Element:
    if file.stat().st_size > _MOST_BYTES:
        raise _Refused(f"it is larger than {_MOST_BYTES // 2**20} MiB")
    parser = ElementTree.XMLParser(target=_Plain())
    try:
        parser.feed(_readable(file.read_bytes()))
        root = parser.close()
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise _Refused(f"it is not XML: {one_sentence(str(error))}") from error
    if not isinstance(root, ElementTree.Element):
        raise _Refused("it is empty")
    return root


def _readable(content: bytes) -> bytes | str:
    """The content as text where the parser would stop: it names no encoding, and is not UTF-8."""
    usual = is_plain(content) or content.startswith((b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf"))
    return content if usual or declares_encoding(content) else text_of(content)


def _boxes(root: ElementTree.Element) -> tuple[Box, ...]:
    boxes = []
    for item in root.findall("object")[:_MOST_OBJECTS]:
        left, top, right, bottom = (_number(item.findtext(f"bndbox/{side}")) for side in _SIDES)
        difficult = (item.findtext("difficult") or "").strip() == "1"
        label = " ".join((item.findtext("name") or "").split())
        boxes.append(Box(label, left, top, right, bottom, difficult))
    return tuple(boxes)


def _number(text: str | None) -> float:
    """The number in the text; NaN when it is not one."""
    try:
        return float(text or "")
    except ValueError:
        return math.nan


def _size(root: ElementTree.Element) -> tuple[int, int] | None:
    sides = [_number(root.findtext(f"size/{side}")) for side in ("width", "height")]
    return (int(sides[0]), int(sides[1])) if all(math.isfinite(s) and 0 < s < 10**6 for s in sides) else None


def _by_stem(files: Tree) -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = {}
    for file in files.images():
        found.setdefault(folded(file.stem), []).append(file)
    return found


def _image_of(annotation: Path, root: ElementTree.Element, by_stem: dict[str, list[Path]]) -> Path | None:
    """The image beside the annotation, else one with the annotation's stem elsewhere, else the one that it names."""
    named = re.split(r"[/\\]", root.findtext("filename") or "")[-1]
    for stem in (folded(annotation.stem), folded(named.rsplit(".", 1)[0])):
        candidates = by_stem.get(stem, [])
        beside = [file for file in candidates if file.parent == annotation.parent]
        if beside or candidates:
            return (beside or candidates)[0]
    return None


def _listed(files: Tree) -> dict[str, list[Split]]:
    """Image's stem -> its splits, of `ImageSets/Main/train.txt` and the like; more than one with Merge Sets."""
    found: dict[str, list[Split]] = {}
    for file in files.ending(".txt"):
        split = split_named(file.stem)
        if split and file.parent.name == "Main" and file.stat().st_size <= _MOST_BYTES:
            for line in text_of(file.read_bytes()).splitlines():
                if line.strip() and split not in (splits := found.setdefault(folded(line.split()[0]), [])):
                    splits.append(split)
    return found


def _split(image: Path, root: Path, listed_splits: dict[str, Split]) -> Split:
    if listed_splits:
        return listed_splits.get(folded(image.stem), "other")
    named = (split_named(part) for part in image.relative_to(root).parts[:-1])
    return next((split for split in named if split), "")
