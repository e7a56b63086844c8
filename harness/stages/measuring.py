"""Measures on training images what a submission does not declare: its pre-processing, and the order of its outputs.

Training images are public, and their labels stay outside. At most two jobs: a few images with every usual
pre-processing, and the rest with those that could still be the best.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from harness.findings import Finding, finding, sentence
from harness.findings.on_models import WAYS
from harness.inputs.images import TrainingImages, drawn
from harness.sandbox import KERAS
from harness.stages.context import Rejected, StageContext, failed, read_array, read_reply, reject_refusal
from harness.stages.evaluate.labels import match_labels
from harness.stages.evidence.conversion import Conversion, Guess, Preprocess
from harness.stages.evidence.stage_result import Done, StageResult
from harness.stages.predict import checked, model_request
from harness.stages.undeclared import Decision, Rows, decide

_FIRST, _ALL = 24, 60  # images of the first look, and of both
_FIRST_EACH, _ALL_EACH = 3, 6  # of each class, where there are so many classes that this is more
_MOST = 240  # images
_SECONDS = 120.0  # both looks together; a VGG16 answers about 40 images in every way in this time
_SHARE = 0.4  # of the wall time, at most
_LEAST_SECONDS = 5.0  # a look in less answers nothing
_UNDECLARED: dict[tuple[Guess, ...], str] = {
    ("preprocessing",): "undeclared-preprocessing",
    ("labels",): "undeclared-labels",
    ("preprocessing", "labels"): "undeclared-both",
}
_REPLACED = ("preprocessing-assumed", "labels-missing")

_Way = Literal[
    "assumed",
    "imagenet-cut",
    "imagenet-stretched",
    "zero-one",
    "minus-one-one",
    "raw-0-255",
    "vgg16-caffe",
    "imagenet-stretched-colours-swapped",
    "zero-one-colours-swapped",
    "minus-one-one-colours-swapped",
    "raw-0-255-colours-swapped",
    "vgg16-caffe-colours-swapped",
]


class _Tried(BaseModel):
    """A way to make the model's input."""

    model_config = ConfigDict(extra="forbid")

    name: _Way
    rule: Preprocess


class _Reply(BaseModel):
    """measured.json, as `harness/agent/phases/measure.py` sends it."""

    model_config = ConfigDict(extra="forbid")

    images: tuple[Annotated[int, Field(ge=0, lt=_MOST)], ...] = Field(max_length=_MOST)
    ways: tuple[_Tried, ...] = Field(min_length=1, max_length=12)


@dataclass(frozen=True, slots=True)
class _Sample:
    """Training images in turn of each class, so that a shorter choice is as balanced."""

    files: tuple[Path, ...]
    truth: tuple[int, ...]  # indices of the assignment's classes


@dataclass(slots=True)
class _Answers:
    """What is known so far: scores of each way, the assumed one first, and the classes of the images."""

    rules: dict[str, Preprocess] = field(default_factory=dict)
    rows: dict[str, Rows] = field(default_factory=dict)
    truth: list[int] = field(default_factory=list)


class _NotMeasured(Exception):
    """A look failed. The message says why, `detail` in foreign words."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.detail = detail


def guesses(declared: Preprocess | None, findings: Sequence[Finding], input_dtype: str) -> tuple[Guess, ...]:
    """What is not declared. A uint8 model scales its pixels itself, so nothing is guessed of that."""
    guessed: list[Guess] = [] if declared or input_dtype == "uint8" else ["preprocessing"]
    no_labels = any(found.code == "labels-missing" for found in findings)
    return (*guessed, "labels") if no_labels else (*guessed,)


def measured(
    result: StageResult[Conversion], training: TrainingImages, classes: Sequence[str], context: StageContext
) -> StageResult[Conversion]:
    """The conversion with what fits the training images best, where that is clear and nothing else was declared.

    Without training images of at least two of the classes, or where all was declared, the result as it is.
    """
    if not isinstance(result, Done) or not result.value.guessed:
        return result
    conversion = result.value
    sample = _sampled(training.by_class(), classes)
    if len(set(sample.truth)) < 2:
        return result
    answers = _Answers()
    try:
        decision = _decided(conversion, sample, tuple(classes), answers, context)
    except _NotMeasured as why:
        unclear = finding("undeclared-not-measured", what=_what(conversion), why=str(why), detail=why.detail)
        value = conversion.model_copy(update={"unsettled": True})
        return result.model_copy(update={"value": value, "findings": (*result.findings, unclear)})
    kept = tuple(found for found in result.findings if found.code not in _REPLACED)
    value = _with(conversion, decision, answers, tuple(classes))
    noticed = tuple(_noticed(conversion, value, decision, len(answers.truth)))
    return result.model_copy(update={"value": value, "findings": (*kept, *noticed)})


def _sampled(by_class: Mapping[str, Sequence[Path]], classes: Sequence[str]) -> _Sample:
    """At most 60 images, or six of each class; drawn by their names, since neighbours often show one scene."""

    def draw(file: Path) -> str:
        return hashlib.sha256(f"{file.parent.name}/{file.name}".encode("utf-8", "surrogateescape")).hexdigest()

    rows = [
        [(file, index) for file in sorted(by_class.get(name, ()), key=draw)[:_MOST]]
        for index, name in enumerate(classes)
    ]
    in_turn = [one for row in zip_longest(*rows) for one in row if one is not None]
    some = in_turn[: min(_MOST, max(_ALL, _ALL_EACH * len(classes)))]
    return _Sample(tuple(file for file, _ in some), tuple(index for _, index in some))


def _looks(images: int, classes: int) -> list[tuple[int, int]]:
    """The looks as (begin, end)."""
    first = min(images, max(_FIRST, _FIRST_EACH * classes))
    return [(0, first), (first, images)] if first < images else [(0, images)]


def _decided(
    conversion: Conversion, sample: _Sample, classes: tuple[str, ...], answers: _Answers, context: StageContext
) -> Decision:
    """The decision after as many looks as it takes. Raises `_NotMeasured` when the first fails."""
    if conversion.native and conversion.environment == KERAS.name:
        context = context.using(KERAS)
    class_of = _classes_of_outputs(conversion.labels, classes)
    labels_given = "labels" not in conversion.guessed or sorted(class_of.tolist()) != list(range(len(classes)))
    ways: Sequence[str] | None = None if "preprocessing" in conversion.guessed else ()
    left = min(_SECONDS, _SHARE * context.limits.wall_seconds)
    looks = _looks(len(sample.files), len(classes))
    decision: Decision | None = None
    for begin, end in looks:
        try:
            left -= _look(conversion, sample, range(begin, end), ways, left, answers, context)
        except _NotMeasured:
            if decision is None:
                raise
            return decision
        decision = decide(answers.rows, np.array(answers.truth), class_of, labels_given, len(looks))
        ways = decision.in_contention
        if decision.is_final or left < _LEAST_SECONDS:
            break
    assert decision is not None
    return decision


def _classes_of_outputs(
    labels: tuple[str, ...], classes: tuple[str, ...]
) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """For each output the class that its label names, or -1."""
    column_of, _ = match_labels(labels, classes)
    class_of = np.full(len(labels), -1, dtype=np.int64)
    for index, column in enumerate(column_of):
        if column >= 0:
            class_of[column] = index
    return class_of


def _look(
    conversion: Conversion,
    sample: _Sample,
    chosen: range,
    ways: Sequence[str] | None,
    seconds: float,
    answers: _Answers,
    context: StageContext,
) -> float:
    """Ask about the chosen images and add to `answers`; the seconds that it took. Raises `_NotMeasured`.

    `ways`: names of those to try beside the assumed one; None: every usual one.
    """
    request, inputs = model_request(conversion, context)
    material = drawn([sample.files[index] for index in chosen])
    request |= {"ways": ways, "seconds": seconds}
    with tempfile.TemporaryDirectory(prefix="harness-measure-") as folder:
        outputs = Path(folder)
        outcome = context.run("measure", request, inputs, outputs, images={"images": material})
        if outcome.status != "ok":
            ended = failed(outcome, sentence("measuring"), context.limits)
            raise _NotMeasured(ended.reason, ended.detail)
        try:
            reject_refusal(outputs)
            reply = read_reply(outputs, "measured.json", _Reply)
            given = dict(_read(outputs, reply, conversion))
        except Rejected as rejected:
            raise _NotMeasured(str(rejected), rejected.detail) from rejected
    places = reply.images
    if list(places) != sorted(set(places)) or any(place >= len(material.files) for place in places):
        raise _NotMeasured(sentence("answers-other-images"))
    if not places:
        raise _NotMeasured(sentence("measured-none"))
    rules: dict[str, Preprocess] = {tried.name: tried.rule for tried in reply.ways}
    kept = [name for name in (answers.rows or given) if name in given]
    answers.rules = {name: rules[name] for name in kept}
    answers.rows = {
        name: np.concatenate([answers.rows[name], given[name]]) if name in answers.rows else given[name]
        for name in kept
    }
    answers.truth += [sample.truth[chosen[material.order[place]]] for place in places]
    return outcome.seconds


def _read(outputs: Path, reply: _Reply, conversion: Conversion) -> Iterator[tuple[str, Rows]]:
    """The scores of each way that has any. Raises `Rejected`, also where the assumed way has none."""
    assumed = conversion.preprocess
    if reply.ways[0].rule != assumed or len({tried.name for tried in reply.ways}) != len(reply.ways):
        raise Rejected(sentence("reply-malformed", name="measured.json"))
    for number, tried in enumerate(reply.ways):
        if (tried.rule.width, tried.rule.height) != (assumed.width, assumed.height):
            raise Rejected(sentence("reply-malformed", name="measured.json"))
        try:
            rows = read_array(outputs, f"answers-{number}.npy", (len(reply.images), conversion.outputs))
            yield tried.name, np.array(checked(rows))
        except Rejected:  # pixels on another scale can make a valid model overflow
            if number == 0:
                raise


def _with(conversion: Conversion, decision: Decision, answers: _Answers, classes: tuple[str, ...]) -> Conversion:
    """The conversion with what was decided."""
    changes: dict[str, object] = {"unsettled": decision.verdict == "unclear"}
    chosen, images = decision.chosen, len(answers.truth)
    if chosen.way != decision.assumed.way:
        way = sentence("measured-way", way=_named(chosen.way, conversion), images=images)
        changes |= {"preprocess": answers.rules[chosen.way], "assumed": way}
    if chosen.order is not None:
        class_of = _classes_of_outputs(conversion.labels, classes)
        changes["labels"] = tuple(classes[chosen.order[index]] for index in class_of.tolist())
    return conversion.model_copy(update=changes)


def _noticed(before: Conversion, after: Conversion, decision: Decision, images: int) -> Iterator[Finding]:
    """What was measured, for each thing that was not declared."""
    assumed, chosen, best = decision.assumed, decision.chosen, decision.best
    figures: dict[str, Any] = {"images": images, "right": assumed.accuracy}
    if decision.verdict == "unclear":
        way = _named(best.way, before)
        better = sentence("another-order", way=way) if best.order is not None else way
        yield finding("undeclared-unclear", what=_what(before), best=better, best_right=best.accuracy, **figures)
    if "preprocessing" in before.guessed:
        if after.preprocess != before.preprocess:
            yield finding(
                "preprocessing-measured",
                way=_named(chosen.way, before),
                way_right=chosen.accuracy,
                usual=_named(assumed.way, before),
                **figures,
            )
        elif decision.verdict == "unclear":
            yield finding("preprocessing-assumed", what=before.assumed)
        else:
            figures["right"] = chosen.accuracy
            yield finding("preprocessing-assumed-measured", what=before.assumed, **figures)
    if "labels" in before.guessed:
        if chosen.order is not None:
            order = ", ".join(after.labels)
            figures["right"] = assumed.accuracy
            yield finding("labels-measured", order=order, order_right=chosen.accuracy, **figures)
        elif decision.verdict == "unclear":
            yield finding("labels-missing")
        else:
            yield finding("labels-missing-measured", images=images, right=chosen.accuracy)


def _named(way: str, conversion: Conversion) -> str:
    return WAYS[way].format(width=conversion.preprocess.width, height=conversion.preprocess.height)


def _what(conversion: Conversion) -> str:
    return sentence(_UNDECLARED[conversion.guessed])
