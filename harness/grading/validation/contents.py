"""What the pixels of the image sets tell: images that do not decode or are tiny, leaks, one image with two labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from harness.grading.similarity.course_images import ComparedImages, CourseImage
from harness.grading.validation.folders import ImageFolder
from harness.grading.validation.leaks import Leaks, of_leaks
from harness.grading.validation.verdicts import Verdict, below, doubt, error, images, some

_TINY = 64  # pixels of the shorter side


def listed(sets: Mapping[str, ImageFolder]) -> tuple[CourseImage, ...]:
    """Every image of the sets, the held-out ones first."""
    found = []
    for key in ("held_out", "dataset", "unseen"):
        if key in sets:
            labelled = [(name, file) for name, files in sets[key].classes.items() for file in files]
            found += [CourseImage(key, name, file) for name, file in labelled]
            if not labelled:  # those with boxes may all show one scene; those of no class show none of a training image
                label = None if key == "unseen" else ""
                found += [CourseImage(key, label, file) for file in sets[key].files]
    return tuple(found)


def of_contents(
    compared: ComparedImages,
    all_images: Sequence[CourseImage],
    places: Mapping[str, str],
    base: Path,
    leaks: Leaks | None = None,
) -> list[Verdict]:
    """The verdicts. `all_images`: those that were compared, in their order; `places`: of each set, by its key.

    `leaks`: those of the held-out set; None where there is no such set.
    """
    found = _each(compared, all_images, places, base)
    if leaks is not None:
        found += of_leaks(leaks, places["held_out"], base)
    found += _two_labels(compared, all_images, places, base)
    if not compared.complete:
        what = "very many images resemble each other: only the likeliest pairs were compared"
        found.append(doubt(next(iter(places.values())), what))
    return found


def _each(
    compared: ComparedImages, all_images: Sequence[CourseImage], places: Mapping[str, str], base: Path
) -> list[Verdict]:
    found = []
    for key, where in places.items():
        sizes = {
            below(one.file, base): size for one, size in zip(all_images, compared.sizes, strict=True) if one.key == key
        }
        if unreadable := [name for name, size in sizes.items() if size is None]:
            level = doubt if key == "dataset" else error
            what = f"{images(len(unreadable))} cannot be decoded: {some(unreadable)}"
            found.append(level(where, what, "replace these images, or take them out of the folder"))
        tiny = [f"{name} ({size[0]} x {size[1]})" for name, size in sizes.items() if size and min(size) < _TINY]
        if tiny:
            what = f"{images(len(tiny))} of less than {_TINY} pixels: {some(tiny)}"
            found.append(doubt(where, what, "use the original photographs, not thumbnails"))
    return found


def _two_labels(
    compared: ComparedImages, all_images: Sequence[CourseImage], places: Mapping[str, str], base: Path
) -> list[Verdict]:
    """Copies of one photograph in two classes of one set."""
    found = []
    for key, where in places.items():
        both = [(all_images[i], all_images[j]) for i, j in compared.copies]
        twice = [f"{below(a.file, base)} and {below(b.file, base)}" for a, b in both if a.key == b.key == key]
        if twice:
            level = error if key == "held_out" else doubt
            what = f"{len(twice)} photograph{'' if len(twice) == 1 else 's'} in two classes: {some(twice)}"
            found.append(level(where, what, "keep each image in the class that it shows"))
    return found
