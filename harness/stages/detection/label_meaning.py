"""Decides what a detector's labels mean, and says what is wrong with their names. Pure.

What labels.txt or handin.json declares counts, as a board would show it; where training images surely show something
else, that is the remedy. What is not declared is assumed, and what training images surely show is taken.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

from harness.findings import Finding, finding, one_line, sentence
from harness.stages.detection.label_measurement import Meaning, Measured, Objects, measured
from harness.stages.detection.names import NamedLabels, is_background, named
from harness.stages.detection.reply import Rows
from harness.stages.evidence.detections import DetectorDescription, LabelMeaning

# Families that jetson-inference's detectNet runs, which reads labels.txt line by line. The tools of all others have
# their own place for a background, so that their lists of classes need none.
_VOID = "void"
_ON_THE_BOARD = ("ssd_onnx", "ssd_checkpoint")
_OWN_CODE = "own_code"
_AS_NAMED, _INTENDED = "as-named", "intended"
_MOST_NAMED = 10  # names in one finding
Source = Literal["declared", "data-set", "model", "alphabet"]
_ASSUMED = {"data-set": "labels-by-data-set", "model": "labels-by-model", "alphabet": "labels-by-alphabet"}


@dataclass(frozen=True, slots=True)
class GivenNames:
    """The names of a detector's labels, in order, and who says so."""

    source: Source
    names: tuple[str, ...]
    file: str = ""  # labels.txt or handin.json, where they are declared


@dataclass(frozen=True, slots=True)
class Found:
    """What a detector found on images with known objects; nothing where there are none."""

    rows: Rows
    objects: Objects


def names_of(
    declared: Sequence[str], file: str, of_data_set: Sequence[str], of_model: Sequence[str], classes: Sequence[str]
) -> GivenNames:
    """The names that count: declared, else those inside the model, else the data set's, else sorted classes."""
    if declared:
        return GivenNames("declared", tuple(declared), file)
    known = {index for index in named(of_model, classes, None, False).intended if index >= 0}
    if len(known) == len(classes):
        return GivenNames("model", tuple(of_model))
    if of_data_set:
        return GivenNames("data-set", tuple(of_data_set))
    return GivenNames("alphabet", tuple(sorted(classes)))


def meant(
    given: GivenNames, classes: Sequence[str], description: DetectorDescription, labels: int, found: Found
) -> tuple[LabelMeaning, tuple[Finding, ...]]:
    """What each label means, and the findings about it.

    `labels`: at least so many are covered, so that each label of an answer has a meaning.
    """
    said = _named(given, classes, description)
    by_the_line = given.source == "declared" and description.family in _ON_THE_BOARD
    many = max(labels, len(said.intended))
    as_named = _long(said.as_shown if by_the_line else said.intended, many)
    ways = {_AS_NAMED: as_named, _INTENDED: _long(said.intended, many)}
    measurement = measured(found.rows, found.objects, ways, len(classes))
    verdict = measurement.decision.verdict if measurement else "kept"
    best = measurement.meaning if measurement and verdict == "taken" else None
    declared = given.source == "declared"
    meaning = LabelMeaning(
        as_named=as_named,
        taken=best if best and not declared else as_named,
        measured=best,
        seen=measurement.seen if measurement else 0,
        unsettled=verdict == "unclear" and not declared,
    )
    faults = tuple(_of_names(given, said, classes, description, by_the_line))
    return meaning, (*faults, *_of_measurement(given, meaning, classes, measurement))


def void_labels(names: Sequence[str], description: DetectorDescription) -> tuple[int, ...]:
    """The labels that are called `void`, of which jetson-inference's detectNet shows no box."""
    by_the_line = description.family in (*_ON_THE_BOARD, _OWN_CODE)
    begins = bool(names) and is_background(names[0].strip())
    shift = 0 if by_the_line else description.background_first - begins
    return tuple(line + shift for line, name in enumerate(names) if name.strip() == _VOID and line + shift >= 0)


def _named(given: GivenNames, classes: Sequence[str], description: DetectorDescription) -> NamedLabels:
    """The names matched. A student's code counts as his list does: with a background where that begins with one."""
    if description.family == _OWN_CODE:
        begins = bool(given.names) and is_background(given.names[0].strip())
        return named(given.names, classes, None, begins)
    return named(given.names, classes, description.labels, description.background_first)


def _long(meant: Meaning, many: int) -> Meaning:
    return (*meant, *[-1] * (many - len(meant)))


def _of_names(
    given: GivenNames,
    said: NamedLabels,
    classes: Sequence[str],
    description: DetectorDescription,
    by_the_line: bool,
) -> Iterator[Finding]:
    """What is wrong with the names themselves; of those that nobody declared, only what they lack."""
    names = [name.strip() for name in given.names]
    if given.source == "declared":
        if "background-missing" in said.faults and by_the_line:
            yield finding("labels-without-background", file=given.file, shown=_shown(names))
        if "background-extra" in said.faults:
            yield finding("labels-with-background", file=given.file)
        if "background-elsewhere" in said.faults:
            yield finding("labels-background-elsewhere", file=given.file)
        if "wrong-count" in said.faults and "background-missing" not in said.faults:
            background = sentence("labels-background-counted") if description.background_first else ""
            yield finding(
                "detector-labels-wrong-count",
                labels=len(said.intended),
                background=background,
                file=given.file,
                count=len(names),
            )
        if "other-form" in said.faults:
            others = [f"{name} for {classes[index]}" for name, index in _matched(names, classes) if index >= 0]
            yield finding("labels-other-form", file=given.file, names=", ".join(others[:_MOST_NAMED]))
    missing = sorted(set(range(len(classes))) - set(said.intended))
    yield from (finding("class-missing", name=classes[index]) for index in missing)
    if classes and given.source in ("declared", "model"):  # a check without images knows no classes
        unknown = [name for name, index in _matched(names, classes) if index < 0 and not is_background(name)]
        yield from (finding("class-unknown", name=name) for name in unknown[:_MOST_NAMED])
    twice = [index for index in range(len(classes)) if said.intended.count(index) > 1]
    yield from (finding("detector-class-twice", name=classes[index]) for index in twice)


def _matched(names: Sequence[str], classes: Sequence[str]) -> Iterator[tuple[str, int]]:
    """Each name that is no class's own, and the class that it was taken for, -1 for none."""
    for name in names:
        if name not in classes:
            yield name, named([name], classes, None, False).intended[0] if not is_background(name) else -1


def _shown(names: Sequence[str]) -> str:
    """How a board shows each class where the background is missing."""
    pairs = [f"{name} as {after}" for name, after in pairwise(names)]
    return ", ".join([*pairs[: _MOST_NAMED - 1], sentence("labels-without-a-name", name=names[-1])])


def _of_measurement(
    given: GivenNames, meaning: LabelMeaning, classes: Sequence[str], measurement: Measured | None
) -> Iterator[Finding]:
    """What training images say of the labels; and where nothing was declared, what was assumed."""
    if given.source == "declared":
        if measurement and meaning.measured is not None:
            yield finding(
                "detector-labels-misfit", **_figures(measurement), file=given.file, way=_way(meaning, classes)
            )
        return
    way = sentence(_ASSUMED[given.source])
    order = _order(meaning.taken, classes)
    if measurement is None:
        code = "detector-labels-from-model" if given.source == "model" else "detector-labels-assumed"
        yield finding(code, way=way, order=order)
    elif meaning.measured is not None:
        yield finding("detector-labels-measured", **_figures(measurement), way=way, order=order)
    elif meaning.unsettled:
        yield finding("detector-labels-unclear", **_figures(measurement), way=way)
    else:
        right = measurement.decision.assumed.accuracy
        yield finding("detector-labels-confirmed", seen=measurement.seen, right=right, way=way, order=order)


def _figures(measurement: Measured) -> dict[str, Any]:
    decision = measurement.decision
    best = decision.chosen if decision.verdict == "taken" else decision.best
    return {"seen": measurement.seen, "right": decision.assumed.accuracy, "would": best.accuracy}


def _way(meaning: LabelMeaning, classes: Sequence[str]) -> str:
    """What would have to be declared instead."""
    best, as_named = meaning.measured or (), meaning.as_named
    if best == (-1, *as_named[:-1]):
        return sentence("labels-one-up")
    if best == (*as_named[1:], -1):
        return sentence("labels-one-down")
    return sentence("labels-reordered", order=_order(best, classes))


def _order(meaning: Meaning, classes: Sequence[str]) -> str:
    """The labels as lines of labels.txt."""
    last = max((label for label, index in enumerate(meaning) if index >= 0), default=-1)
    first = "BACKGROUND"
    lines = [classes[index] if index >= 0 else (first if label == 0 else "-") for label, index in enumerate(meaning)]
    return one_line(", ".join(lines[: last + 1]), 200)
