"""Writes public images with boxes anew, whatever layout they had: Pascal VOC's, as `camera-capture` writes it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

from harness.errors import AssignmentError
from harness.grading.detection.object_sets import ObjectFolder, checked
from harness.grading.release.images import save_anew
from harness.inputs.images.decoding import UNDECODABLE
from harness.stages.evidence.box_reading import AnnotatedImage, ReadBox

_LISTS = ("train", "val", "test", "trainval")  # of ImageSets/Main
_SIDES = ("xmin", "ymin", "xmax", "ymax")


def write_annotated(one: ObjectFolder, target: Path) -> int:
    """Write the images, their boxes, labels.txt and the lists to `target`; return how many images there are.

    An image keeps its place in train, val and test; one that no list names is trained on. Raises `AssignmentError` for
    images that do not decode, and as `checked` does.
    """
    classes = checked(one, None)
    for folder in ("Annotations", "ImageSets/Main", "JPEGImages"):
        (target / folder).mkdir(parents=True)
    (target / "labels.txt").write_text("".join(f"{name}\n" for name in classes), encoding="utf-8")
    lists: dict[str, list[str]] = {name: [] for name in _LISTS}
    unreadable = []
    for number, image in enumerate(one.reading.images, 1):
        name = f"{number:04}"
        try:
            file = save_anew(one.file(image), target / "JPEGImages" / name)
        except UNDECODABLE as error:
            unreadable.append(f"{one.file(image)}: does not decode: {error}")
            continue
        (target / "Annotations" / f"{name}.xml").write_text(_annotation(file.name, image, classes), encoding="utf-8")
        split = image.split if image.split in ("val", "test") else "train"
        for part in (split, *(["trainval"] if split != "test" else [])):
            lists[part].append(name)
    if unreadable:
        raise AssignmentError("\n".join(unreadable), "replace these images, or take them out of the folder")
    for name, ids in lists.items():
        text = "".join(f"{one}\n" for one in ids)
        (target / "ImageSets" / "Main" / f"{name}.txt").write_text(text, encoding="utf-8")
    return len(one.reading.images)


def _annotation(file: str, image: AnnotatedImage, classes: Sequence[str]) -> str:
    """The XML of one image. Pixels count from 1, as in Pascal VOC."""
    root = ElementTree.Element("annotation")
    _put(root, "filename", file)
    size = ElementTree.SubElement(root, "size")
    for name, value in (("width", image.width), ("height", image.height), ("depth", 3)):
        _put(size, name, value)
    for box in image.boxes:
        if box.label in classes:
            item = ElementTree.SubElement(root, "object")
            _put(item, "name", box.label)
            _put(item, "difficult", int(box.ignored))
            place = ElementTree.SubElement(item, "bndbox")
            for name, value in zip(_SIDES, _pixels(box, image), strict=True):
                _put(place, name, value)
    ElementTree.indent(root)
    return ElementTree.tostring(root, "unicode") + "\n"


def _pixels(box: ReadBox, image: AnnotatedImage) -> tuple[int, int, int, int]:
    shares, sides = (box.left, box.top, box.right, box.bottom), (image.width, image.height) * 2
    left, top, right, bottom = (1 + round(share * side) for share, side in zip(shares, sides, strict=True))
    return left, top, right, bottom


def _put(parent: ElementTree.Element, name: str, value: object) -> None:
    ElementTree.SubElement(parent, name).text = "".join(c for c in str(value) if c.isprintable())
