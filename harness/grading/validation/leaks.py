"""Held-out images that repeat what submissions train on, and which of them the instructor accepts."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.grading.similarity.course_images import ComparedImages, CourseImage
from harness.grading.validation.verdicts import Verdict, below, doubt, error, fine, images, some

_FROM = ("dataset", "unseen")  # what held-out images must not repeat
_KEY = "accept_repeated"


@dataclass(frozen=True, slots=True)
class Leaks:
    """What held-out images repeat; names are paths below the held-out folder, with `/`.

    `copies`: name -> the held-out image and the one that it repeats. `scenes`: pairs of one scene. `accepted`: the
    names that assignment.toml accepts. `unknown`: those of them that are no held-out image.
    """

    copies: Mapping[str, tuple[Path, Path]]
    scenes: Mapping[Path, Path]
    accepted: frozenset[str] = frozenset()
    unknown: tuple[str, ...] = ()

    @property
    def accepted_copies(self) -> tuple[str, ...]:
        """The images that are graded on although they repeat another."""
        return tuple(name for name in self.copies if name in self.accepted)


def accepted_names(accept: Sequence[str]) -> frozenset[str]:
    """The names in `held_out.accept_repeated`, to be compared with those of `name_of`."""
    return frozenset(unicodedata.normalize("NFC", name) for name in accept)


def name_of(file: Path, held_out: Path) -> str:
    """What the list calls a held-out image."""
    return unicodedata.normalize("NFC", file.relative_to(held_out).as_posix())


def leaks_of(
    compared: ComparedImages, all_images: Sequence[CourseImage], held_out: Path, accept: Sequence[str]
) -> Leaks:
    """The leaks into the folder `held_out`; `accept` is `held_out.accept_repeated`."""

    def leaking(pairs: Sequence[tuple[int, int]]) -> dict[Path, Path]:
        both = [(all_images[i], all_images[j]) for i, j in pairs]
        return {one.file: other.file for one, other in both if one.key == "held_out" and other.key in _FROM}

    names = {one.file: name_of(one.file, held_out) for one in all_images if one.key == "held_out"}
    accepted = accepted_names(accept)
    return Leaks(
        copies={names[one]: (one, other) for one, other in leaking(compared.copies).items()},
        scenes=leaking(compared.scenes),
        accepted=accepted,
        unknown=tuple(sorted(accepted - set(names.values()))),
    )


def of_leaks(leaks: Leaks, where: str, base: Path) -> list[Verdict]:
    """The verdicts. `where`: the place of the held-out set in assignment.toml."""
    found = []
    new = [pair for name, pair in leaks.copies.items() if name not in leaks.accepted]
    if new:
        what = f"{_repeat(len(new))}, perhaps mirrored or altered: "
        do = (
            "take each of them out of one of the two folders. Or grade with them, which every grade then says: write "
            f"below [held_out]: {_line(tuple(leaks.copies))}"
        )
        found.append(error(where, what + _named(new, "is", base), do))
    if accepted := [leaks.copies[name] for name in leaks.accepted_copies]:
        what = f"{_repeat(len(accepted))}, which {_KEY} accepts and each grade says"
        found.append(doubt(where, f"{what}: {_named(accepted, 'is', base)}"))
    if leaks.unknown:
        what = f"{_KEY} names what is no held-out image: {some(leaks.unknown)}"
        found.append(doubt(where, what, "give paths below held_out.path, as in mug/1.jpg"))
    if needless := sorted(leaks.accepted - set(leaks.copies) - set(leaks.unknown)):
        what = f"{_KEY} names images that repeat nothing: {some(needless)}"
        found.append(doubt(where, what, "take them off the list"))
    if leaks.scenes:
        shown = _named(list(leaks.scenes.items()), "and", base)
        what = f"{images(len(leaks.scenes))} show a scene that the training images show, too: {shown}"
        do = "photograph held-out images on another occasion, or move whole scenes to one side"
        found.append(doubt(where, what, do))
    return found or [fine(where, "no held-out image repeats a training image, mirrored or altered ones included")]


def _repeat(count: int) -> str:
    return f"{images(count)} repeat{'s' if count == 1 else ''} what submissions may train on"


def _named(pairs: Sequence[tuple[Path, Path]], word: str, base: Path) -> str:
    return some([f"{below(one, base)} {word} {below(other, base)}" for one, other in pairs])


def _line(names: Sequence[str]) -> str:
    """The line of TOML that accepts these."""
    return f"{_KEY} = {json.dumps(sorted(names), ensure_ascii=False)}"
