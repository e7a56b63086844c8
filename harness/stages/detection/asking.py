"""Asks a detector for its boxes: for held-out images, which go in without their truth, or for images that are known.

Some images are repeated, at other positions; and, if the detector runs student code, also in a second sandbox, which
remembers nothing.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from harness.errors import EnvironmentMissing
from harness.findings import Finding, finding, sentence
from harness.inputs.images import Material, StagedImages, drawn, drawn_from, secret_sample
from harness.sandbox import KERAS
from harness.sandbox.engine import Outcome
from harness.stages.context import Rejected, StageContext, failed, read_reply, reject_refusal, usage
from harness.stages.conversion_reply import NeedsReply
from harness.stages.detection.handed_in import HandedDetector
from harness.stages.detection.repeatability import SAME, largest_difference
from harness.stages.detection.reply import DetectionReply, Rows, most_of_an_image, read_rows
from harness.stages.evidence.detections import (
    Boxes,
    BoxFaults,
    DetectorAnswers,
    DetectorDescription,
    Scaling,
    Suppression,
)
from harness.stages.evidence.record import Blob
from harness.stages.evidence.stage_result import Done, Failed, StageResult, told_to_student

_ASKED_TWICE = 16  # images, or all where there are fewer
_IN_THE_AGENT = ("ssd_checkpoint", "ssd_onnx", "yolo_onnx", "torchvision_onnx")  # families that run no code
# As `harness/agent/detectors/suppression.py` has it: the settings of jetson-inference's trainer.
_SUPPRESSION = Suppression(score=0.01, overlap=0.45, candidates=200)


@dataclass(frozen=True, slots=True)
class _Answered:
    """One sandbox's answers, with positions in place of the drawn order."""

    reply: DetectionReply
    every: Rows
    board: Rows
    again: Rows
    other: Rows  # with another scaling


@dataclass(frozen=True, slots=True)
class Looked:
    """A detector's boxes for images that are no secret, what it takes and gives, and where it can be read."""

    found: Rows  # the images by their position in the set
    description: DetectorDescription
    context: StageContext


class Unanswered(Exception):
    """The job gave no answers; `failure` is the stage's result."""

    def __init__(self, failure: Failed) -> None:
        super().__init__(failure.reason)
        self.failure = failure


class _Needs(Exception):
    """The detector can be read only in the environment `keras`."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class Asking:
    """A detector, what goes in with it whatever it is asked, and how it is called."""

    detector: HandedDetector
    check_images: Sequence[Path] = ()  # the course's, on which is looked what the outputs of an ONNX file are
    weights: Path | None = None  # a folder shaped like TORCH_HOME, for code that loads its backbone by reference


def look(asking: Asking, staged: StagedImages, chosen: Sequence[int], context: StageContext) -> Looked:
    """The detector's boxes for the images at `chosen`, which are no secret; so the reason of a failure is none either.

    Raises `Unanswered`, and `EnvironmentMissing` when the environment that the detector needs is not built.
    """
    try:
        answered, _, context = _where_it_can_be_read(asking, staged, chosen, (), context, quotes=True)
    except Unanswered as nothing:
        raise Unanswered(told_to_student(nothing.failure)) from nothing
    described = DetectorDescription(**answered.reply.description.model_dump())
    return Looked(answered.every, described, context)


def found_on(asking: Asking, staged: StagedImages, context: StageContext) -> Rows:
    """The detector's boxes for staged images that are secret, in the environment of `context`. Raises `Unanswered`."""
    try:
        return _ask(asking, staged, None, (), context)[0].every
    except _Needs as needs:
        raise Unanswered(_failure(sentence("reply-stopped"), needs.why, None)) from needs


def detect(
    asking: Asking, staged: StagedImages, context: StageContext, other: Scaling | None = None
) -> StageResult[DetectorAnswers]:
    """The detector's boxes for the staged images, by their position in the held-out set.

    `other`: a scaling of pixels with which it is asked as well, in the same job.

    Raises `EnvironmentMissing` when the environment that the detector needs is not built.
    """
    twice = secret_sample(len(staged.names), _ASKED_TWICE)
    detector = asking.detector
    try:
        first, outcome, context = _where_it_can_be_read(asking, staged, None, twice, context, other, quotes=False)
        others = [first.again]
        if first.reply.description.family not in _IN_THE_AGENT:
            others.append(_ask(asking, staged, twice, (), context)[0].every)
    except _Needs as needs:  # said in the second sandbox only
        return _failure(sentence("reply-stopped"), needs.why, None)
    except Unanswered as nothing:
        return nothing.failure
    difference = max(largest_difference(first.every, again, twice) for again in others)
    value = DetectorAnswers(
        model=detector.model,
        own=detector.own,
        data=detector.data,
        preprocess=detector.preprocess,
        scaling=detector.scaling,
        void=detector.void,
        named=detector.named,
        description=DetectorDescription(**first.reply.description.model_dump()),
        environment=context.software.name,
        suppression=_SUPPRESSION,
        every=stored(first.every, "every", context),
        board=stored(first.board, "board", context),
        other=stored(first.other, "other", context) if other else None,
        images=len(staged.names),
        seconds_per_image=first.reply.seconds_per_image,
        faults=BoxFaults(**first.reply.faults.model_dump()),
        asked_twice=len(twice),
        largest_difference=difference,
        depends_on_order=difference > SAME,
    )
    return Done(value=value, origin="measured-inside", findings=_noticed(value), usage=usage(outcome))


def _where_it_can_be_read(
    asking: Asking,
    staged: StagedImages,
    chosen: Sequence[int] | None,
    twice: Sequence[int],
    context: StageContext,
    other: Scaling | None = None,
    *,
    quotes: bool,
) -> tuple[_Answered, Outcome, StageContext]:
    """What `_ask` gives, in the environment that the detector needs, and the context with that. Raises `Unanswered`.

    `quotes`: whether a student may read why it needs that. Where student code runs, the reason is that code's text.
    """
    try:
        return *_ask(asking, staged, chosen, twice, context, other), context
    except _Needs as needs:
        there = context.using(KERAS)
        if there.software_id is None:
            why = f"the model needs the environment {KERAS.name}"
            raise EnvironmentMissing(f"{why}: {needs.why}" if quotes else why, KERAS.build_command) from None
    try:
        return *_ask(asking, staged, chosen, twice, there, other), there
    except _Needs as needs:
        raise Unanswered(_failure(sentence("reply-stopped"), needs.why, None)) from needs


def _ask(
    asking: Asking,
    staged: StagedImages,
    chosen: Sequence[int] | None,
    twice: Sequence[int],
    context: StageContext,
    other: Scaling | None = None,
) -> tuple[_Answered, Outcome]:
    """One sandbox's answers for the images at `chosen`, all where None. Raises `Unanswered` and `_Needs`."""
    request, inputs = asking.detector.request(context)
    if asking.weights is not None:
        inputs["weights"] = asking.weights
    material = drawn_from(staged, chosen)
    again = material.places(twice)
    request |= {"again": again, "most": most_of_an_image(len(material.files))}
    request["other"] = other.model_dump() if other else None
    images = {"check": drawn(asking.check_images), "images": material}
    with tempfile.TemporaryDirectory(prefix="harness-detect-") as folder:
        outputs = Path(folder)
        outcome = context.run("detect", request, inputs, outputs, images=images)
        if outcome.status != "ok":
            ended = failed(outcome, "Asking the detector", context.limits)
            unusable = finding("prediction-failed", reason=ended.reason, detail=ended.detail)
            raise Unanswered(ended.model_copy(update={"findings": (unusable,)}))
        try:
            if (outputs / "needs.json").is_file():
                raise _Needs(read_reply(outputs, "needs.json", NeedsReply).why)
            reject_refusal(outputs)
            return _read(outputs, material, chosen, again), outcome
        except Rejected as rejected:
            raise Unanswered(_failure(str(rejected), rejected.detail, outcome)) from rejected


def _read(outputs: Path, material: Material, chosen: Sequence[int] | None, again: Sequence[int]) -> _Answered:
    """The phase's reply. `again`: the places that it was asked about a second time."""
    reply = read_reply(outputs, "detections.json", DetectionReply)
    positions = np.array([order if chosen is None else chosen[order] for order in material.order], np.int32)
    return _Answered(
        reply,
        read_rows(outputs, "every", reply.boxes.every, positions),
        read_rows(outputs, "board", reply.boxes.board, positions),
        read_rows(outputs, "again", reply.boxes.again, positions[list(again)]),
        read_rows(outputs, "other", reply.boxes.other, positions),
    )


def _failure(reason: str, detail: str, outcome: Outcome | None) -> Failed:
    unusable = finding("prediction-failed", reason=reason, detail=detail)
    used = {} if outcome is None else {"usage": usage(outcome)}
    return Failed(status="rejected", reason=unusable.message, detail=unusable.detail, findings=(unusable,), **used)


def stored(rows: Rows, name: str, context: StageContext) -> Boxes:
    """The rows as four arrays in the store."""
    arrays = {"boxes": rows.boxes, "scores": rows.scores, "labels": rows.labels, "images": rows.images}
    kept: dict[str, Blob] = {}
    with tempfile.TemporaryDirectory(prefix="harness-detect-") as folder:
        for part, array in arrays.items():
            file = Path(folder) / f"{name}-{part}.npy"
            np.save(file, np.ascontiguousarray(array), allow_pickle=False)
            kept[part] = context.store.put(file, file.name)
    return Boxes(count=len(rows.scores), **kept)


def _noticed(value: DetectorAnswers) -> tuple[Finding, ...]:
    found, faults, described = [], value.faults, value.description
    if value.depends_on_order:
        found.append(finding("detector-depends-on-order", images=value.asked_twice))
    if faults.no_box:
        found.append(finding("detector-faulty-boxes", count=faults.no_box))
    for count, why in (
        (faults.no_score, "left-out-no-score"),
        (faults.no_class, "left-out-no-class"),
        (faults.too_many, "left-out-too-many"),
    ):
        if count:
            most = most_of_an_image(value.images)
            found.append(finding("detector-boxes-left-out", count=count, why=sentence(why, most=most)))
    if not value.every.count:
        found.append(finding("detector-sees-nothing", images=value.images))
    if not described.graph_agrees:
        found.append(finding("detector-graph-disagrees", scores=described.scores, boxes=described.boxes))
    return tuple(found)
