"""From what was read of an instructor's data sets with boxes to the sets that detectors are graded on and tried with.

Pure: nothing here starts a sandbox. Every image of a folder belongs to its set, also one without objects, on which only
false alarms can be found, and whatever the lists in ImageSets say: the held-out folder as a whole is held out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.errors import AssignmentError
from harness.files.hashing import file_sha256
from harness.inputs.images import HeldOutSet, ImageObjects, LabelledBox
from harness.stages.evidence.box_reading import AnnotatedImage, BoxReading

KNOWN_IMAGES = 24  # by which is measured what a detector's labels mean
_BACKGROUND = "BACKGROUND"
_MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class ObjectFolder:
    """A data set with boxes: its folder, and what was read in it."""

    folder: Path
    reading: BoxReading

    def file(self, image: AnnotatedImage) -> Path:
        """The image's file."""
        return self.folder / image.name


def listed_classes(reading: BoxReading) -> tuple[str, ...]:
    """The classes of labels.txt, without BACKGROUND; none where there is no such file."""
    return tuple(dict.fromkeys(name for name in reading.labels or () if name.upper() != _BACKGROUND))


def classes_of(reading: BoxReading) -> tuple[str, ...]:
    """The classes in the order of labels.txt if that names all that have objects, else sorted by name."""
    found, listed = reading.objects(), listed_classes(reading)
    return listed if listed and set(found) <= set(listed) else tuple(found)


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why detectors cannot be graded on the sets. `key`: `held_out` or `dataset`, the table that names the folder."""

    key: str
    what: str
    do: str


def checked(held_out: ObjectFolder, training: ObjectFolder | None) -> tuple[str, ...]:
    """The course's classes. Raises `AssignmentError` for sets on which detectors cannot be graded."""
    if found := list(troubles(held_out, training)):
        raise AssignmentError("\n".join(one.what for one in found), "; ".join(dict.fromkeys(one.do for one in found)))
    return classes_of(held_out.reading)


def troubles(held_out: ObjectFolder | None, training: ObjectFolder | None) -> Iterator[Trouble]:
    """What is wrong with the sets that are there, each alone and then together."""
    known = {key: one for key, one in (("held_out", held_out), ("dataset", training)) if one is not None}
    for key, one in known.items():
        yield from _of_one(key, one)
    if held_out is None or training is None or not all(any(one.reading.objects().values()) for one in known.values()):
        return
    ours, theirs = classes_of(held_out.reading), classes_of(training.reading)
    if set(ours) != set(theirs):
        yield Trouble(
            "held_out",
            f"the held-out images have objects of {', '.join(sorted(ours))}; the training images of "
            f"{', '.join(sorted(theirs))}",
            "give a class the same name, also in case, in the annotations and labels.txt of both folders",
        )


def _of_one(key: str, one: ObjectFolder) -> Iterator[Trouble]:
    reading, folder = one.reading, one.folder
    if reading.left_out:
        yield Trouble(key, f"{folder}: {reading.left_out} images more than can be read", "take some out of the folder")
    if key == "held_out" and reading.unreadable:
        yield Trouble(
            key,
            f"{folder}: {len(reading.unreadable)} images cannot be read: {some(reading.unreadable)}",
            "replace these held-out images, or take them out of the folder",
        )
    if key == "held_out" and reading.faults:
        yield Trouble(
            key,
            f"{folder}: annotations cannot be used: {some(reading.faults, '; ')}",
            "correct these files, or take them and their images out of the folder",
        )
    if nameless := [image.name for image in reading.images if any(not box.label for box in image.boxes)]:
        yield Trouble(
            key,
            f"{folder}: boxes without a class on {len(nameless)} images: {some(nameless)}",
            "give each box its class with the tool that drew it",
        )
    if not reading.images:
        yield Trouble(key, f"{folder}: no images that can be read", f"correct {key}.path")
    elif not any(reading.objects().values()):
        yield Trouble(
            key,
            f"{folder}: {len(reading.images)} images, and no boxes; looked for Pascal VOC's XML, COCO's JSON, "
            "YOLO's text files and Open Images' CSV",
            f"put the annotations into the folder, as camera-capture or CVAT write them, or correct {key}.path",
        )
    elif key == "held_out":
        objects = reading.objects()
        if without := [name for name in classes_of(reading) if not objects.get(name)]:
            yield Trouble(
                key,
                f"{folder}: no objects of {some(without)}: nothing can be measured of a class without objects",
                "add held-out images that show them, or take the class out of labels.txt",
            )


def held_out_set(
    one: ObjectFolder, classes: Sequence[str], chosen: Sequence[AnnotatedImage] | None = None
) -> HeldOutSet:
    """The images with their objects; all of the folder, or those `chosen`. Objects of other classes are left out."""
    images = one.reading.images if chosen is None else chosen
    labels = {name: index for index, name in enumerate(classes)}
    objects = tuple(_objects(image, labels) for image in images)
    files = tuple(one.file(image) for image in images)
    digest = hashlib.sha256(f"{list(classes)}\n".encode())
    contents = tuple(map(file_sha256, files))
    for content, on_it in zip(contents, objects, strict=True):
        digest.update(f"{content} {on_it}\n".encode())
    return HeldOutSet(tuple(classes), files, (), digest.hexdigest(), (), objects, contents)


def _objects(image: AnnotatedImage, labels: dict[str, int]) -> ImageObjects:
    boxes = tuple(
        LabelledBox(labels[box.label], box.left, box.top, box.right, box.bottom, box.ignored)
        for box in image.boxes
        if box.label in labels
    )
    return ImageObjects(image.width, image.height, boxes)


def known_set(
    one: ObjectFolder, classes: Sequence[str], usable: Callable[[Path], bool], most: int = KNOWN_IMAGES
) -> HeldOutSet:
    """At most `most` training images with their objects, balanced over the classes and chosen by their content.

    `usable`: whether a file decodes.
    """
    chosen: list[AnnotatedImage] = []
    for image in in_turn(one, classes):
        if len(chosen) == most:
            break
        if usable(one.file(image)):
            chosen.append(image)
    return held_out_set(one, classes, chosen)


def in_turn(one: ObjectFolder, classes: Sequence[str]) -> Iterator[AnnotatedImage]:
    """The images with objects, each once: next is always one that shows the class seen least so far.

    Among equals the order follows from the files' contents, not their names.
    """
    waiting = {
        name: [image for _, image in sorted(members, key=lambda pair: pair[0])]
        for name, members in _by_class(one, classes).items()
    }
    seen = dict.fromkeys(waiting, 0)
    met: set[str] = set()
    while waiting:
        name = min(waiting, key=lambda label: seen[label])
        image = next((image for image in waiting[name] if image.name not in met), None)
        if image is None:
            del waiting[name]
            continue
        met.add(image.name)
        for box in image.boxes:
            if box.label in seen and not box.ignored:
                seen[box.label] += 1
        yield image


def _by_class(one: ObjectFolder, classes: Sequence[str]) -> dict[str, list[tuple[str, AnnotatedImage]]]:
    """Class -> (hash of the file, image) for each image with an object of it that counts."""
    found: dict[str, list[tuple[str, AnnotatedImage]]] = {name: [] for name in classes}
    for image in one.reading.images:
        shown = {box.label for box in image.boxes if not box.ignored} & set(classes)
        if shown:
            content = file_sha256(one.file(image))
            for name in shown:
                found[name].append((content, image))
    return {name: members for name, members in found.items() if members}


def by_class(one: ObjectFolder, classes: Sequence[str]) -> dict[str, list[Path]]:
    """Class -> the images that show an object of it, in the order of their names."""
    return {
        name: [one.file(image) for image in one.reading.images if any(box.label == name for box in image.boxes)]
        for name in classes
    }


def some(names: Sequence[str], between: str = ", ") -> str:
    """The names, at most five, and how many more."""
    more = len(names) - _MOST_NAMED
    return between.join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
