"""A student's data set, whatever its layout: one module for each, tried in order.

    archive         a zip, unpacked first
    coco            a JSON file with `images`, `annotations` and `categories`
    custom_vision   a JSON file with `files`, each with `tags`
    voc             an XML file for each image, beside it or in `Annotations/`
    open_images     a CSV with a row for each box
    yolo            a text file for each image, beside it or in `labels/`
    split_folders   train/, val/ and test/, each with a folder for each class
    class_folders   a folder for each class

A student made all of it: links are not followed, names are not trusted, and every file is read within limits.
The images are sorted, whatever the order on disk, because an image is identified by its index.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from . import archive, class_folders, coco, custom_vision, open_images, split_folders, voc, yolo
from .image import Box, DatasetImage, Reading, Unreadable
from .walk import Tree, tree

__all__ = ["Box", "DatasetImage", "Reading", "Unreadable", "open_tree", "read"]

_WITH_BOXES = (coco, custom_vision, voc, open_images, yolo)
_OF_FOLDERS = (split_folders, class_folders)
_MOST_FAULTS = 100


def open_tree(place: Path, scratch: Path) -> Tree:
    """The files at `place`: a folder, a zip, or a folder with nothing but a zip, unpacked to `scratch`.

    Raises `Unreadable` for an archive that cannot be read or is larger than allowed.
    """
    if place.is_file():
        return archive.unpacked(place, scratch)
    found = tree(place)
    archives = [file for file in found.files if file.suffix.lower() == ".zip"]
    if len(archives) == 1 and not found.images():
        return archive.unpacked(archives[0], scratch)
    return found


def read(files: Tree) -> Reading:
    """The images with their classes, splits and boxes.

    Folders' names count where no annotation can be used; what looks like one and cannot be read is a fault then, too.
    """
    for layout in _WITH_BOXES:
        reading: Reading | None = layout.read(files)
        if reading is not None:
            return reading
    faults = (*coco.unread(files), *voc.xml_files(files)[1], *yolo.unread(files))[:_MOST_FAULTS]
    for folders in _OF_FOLDERS:
        plain: Reading | None = folders.read(files)
        if plain is not None:
            return replace(plain, faults=(*plain.faults, *faults))
    return Reading("class-folders", (), faults)
