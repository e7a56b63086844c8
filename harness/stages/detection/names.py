"""Matches the names in labels.txt, or in a detector's metadata, to the course's classes. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from harness.stages.evaluate.labels import FORMS

_BACKGROUND = ("background", "__background__")
NameFault = Literal[
    "background-missing",  # the model counts one as its label 0, and the names do not begin with it: all are shifted
    "background-extra",  # the names begin with one, and the model counts none
    "background-elsewhere",  # it is not the first name
    "wrong-count",  # there are not as many names as labels
    "other-form",  # a name is a class's but for case, spaces, hyphens, or a plural s
    "unknown-name",  # a name is no class's
    "class-missing",  # a class has no name
    "class-twice",  # a class has two
]


@dataclass(frozen=True, slots=True)
class NamedLabels:
    """What each label of a model means: an index of the course's classes, -1 for none and for the background."""

    as_shown: tuple[int, ...]  # line by line, as a board reads labels.txt
    intended: tuple[int, ...]  # with the background put where it belongs, or taken out where there is none
    faults: frozenset[NameFault]


def named(names: Sequence[str], classes: Sequence[str], labels: int | None, background_first: bool) -> NamedLabels:
    """What a model's labels mean by their names.

    `labels`: how many the model counts, a background included; None where it does not say, then as many as are named.
    `background_first`: whether its label 0 is the background.
    """
    lines = [name.strip() for name in names]
    while lines and not lines[-1]:
        lines.pop()
    begins = bool(lines) and is_background(lines[0])
    faults: set[NameFault] = set()
    if any(is_background(line) for line in lines[1:]):
        faults.add("background-elsewhere")
    elif begins != background_first and lines:
        faults.add("background-missing" if background_first else "background-extra")
    objects = lines[1:] if begins else lines
    meant = [_class_of(line, classes, faults) for line in objects]
    counted = Counter(index for index in meant if index >= 0)
    if len(counted) < len(classes):
        faults.add("class-missing")
    if any(times > 1 for times in counted.values()):
        faults.add("class-twice")
    first = int(background_first)
    in_order = [one for one, line in zip(meant, objects, strict=True) if not (first and is_background(line))]
    many = first + len(in_order) if labels is None else labels
    if many != first + len(in_order):
        faults.add("wrong-count")
    return NamedLabels(
        _long([-1, *meant] if begins else meant, many), _long([-1] * first + in_order, many), frozenset(faults)
    )


def objects_named(names: Sequence[str]) -> int:
    """How many names there are beside the background's."""
    return sum(bool(name.strip()) and not is_background(name.strip()) for name in names)


def is_background(name: str) -> bool:
    """Whether this is what tools call the label of no object."""
    return name.casefold() in _BACKGROUND


def _class_of(name: str, classes: Sequence[str], faults: set[NameFault]) -> int:
    """The class of this name: with the same letters, else the only one alike, as names of a classifier are matched."""
    if name in classes:
        return classes.index(name)
    for form in FORMS:
        alike = [index for index, known in enumerate(classes) if form(known) == form(name)]
        if len(alike) == 1:
            faults.add("other-form")
            return alike[0]
        if alike:
            break
    if not is_background(name):
        faults.add("unknown-name")
    return -1


def _long(meant: Sequence[int], many: int) -> tuple[int, ...]:
    """The meanings of `many` labels: cut, or with none for those that have no name."""
    return (*meant, *[-1] * many)[:many]
