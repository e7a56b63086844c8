"""Asks a detector about training images with every usual scaling of their pixels, and says which one fits.

Training images are public, and where their objects are stays outside. Only a detector that does not find nearly all of
them is asked: no other scaling could then be so much better that it mattered.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from harness.findings import Finding, finding, sentence
from harness.findings.on_detections import SCALINGS
from harness.inputs.images import StagedImages, drawn, drawn_from
from harness.stages.context import Rejected, StageContext, failed, read_reply, reject_refusal
from harness.stages.detection.asking import Asking, Looked
from harness.stages.detection.reply import MOST_IN_ALL, Rows, most_of_an_image, read_rows
from harness.stages.detection.scaling_measurement import OWN, Fit, ap50, highest_ap50, measured
from harness.stages.detection.scalings import SCALED_OUTSIDE, in_words, others, own
from harness.stages.evaluate.detection.boxes import Detections, LabelledImages, subset
from harness.stages.evaluate.detection.evaluation import with_meaning
from harness.stages.evidence.detections import Scaling, ScalingFit

_ENOUGH = 0.90  # AP50; the line of `undeclared.py` for what is too much to pass over is a tenth
_HARDLY = 0.05  # AP50 of a detector that looks hardly trained
_SEEN_TO_SAY_IT = 10  # objects, at least
_SECONDS = 60.0
_SHARE = 0.2  # of the wall time, at most
_MOST_WAYS = 12
_ON_THE_BOARD = ("ssd_onnx", "ssd_checkpoint")  # families to which detectNet gives its own scaling, whatever fits
_OF_THE_BOARD = SCALINGS["ssd-mobilenet"]


class _Reply(BaseModel):
    """measured.json, as `harness/agent/phases/measure_detector.py` sends it."""

    model_config = ConfigDict(extra="forbid")

    images: tuple[Annotated[int, Field(ge=0, le=1000)], ...] = Field(max_length=1000)
    boxes: tuple[Annotated[int, Field(ge=0, le=MOST_IN_ALL)], ...] = Field(max_length=_MOST_WAYS)


@dataclass(frozen=True, slots=True)
class Known:
    """A set of training images with their objects, and which of them a detector is asked about."""

    staged: StagedImages
    images: LabelledImages
    chosen: Sequence[int]


@dataclass(frozen=True, slots=True)
class Tried:
    """What was found with the detector's own scaling, and with the one that fits best."""

    fit: ScalingFit | None = None  # None where other scalings did not matter, or none could be tried
    scaling: Scaling | None = None  # that surely fits better than its own
    rows: Rows | None = None  # the boxes with it
    failed: bool = False  # whether others could matter, and could not be tried
    findings: tuple[Finding, ...] = ()

    @property
    def open(self) -> bool:
        """Whether training images do not show what fits, though it could matter."""
        return self.failed or (self.fit is not None and self.fit.verdict == "unclear")


Meant = Callable[[Rows], Sequence[int]]  # for each label the class, as these boxes show it


def tried_scalings(asking: Asking, looked: Looked, known: Known, meant: Meant, context: StageContext) -> Tried:
    """How well other scalings fit, where that could matter; and whether the detector finds anything at all.

    A job that gives no answers leaves the boxes as they are: the detector has already answered as it is. Where it
    declares nothing, that is said, and its scaling stays open.
    """
    positions: Sequence[int] = sorted(known.chosen)
    mine = looked.found
    own_boxes = with_meaning(_numbered(mine, positions), meant(mine))
    images = subset(known.images, positions)
    if not images.counted().any() or ap50(own_boxes, images) >= _ENOUGH:
        return Tried()
    ways = others(own(looked.description)) if looked.description.family in SCALED_OUTSIDE else {}
    rows: dict[str, Rows] = {}
    if ways:
        try:
            positions, rows = _asked(asking, known, ways, context)
        except Rejected as why:
            if asking.detector.preprocess is not None:
                return Tried(failed=True)
            unclear = finding("detector-scaling-not-measured", why=str(why), detail=why.detail)
            return Tried(failed=True, findings=(unclear,))
        images = subset(known.images, positions)
    found = {name: with_meaning(_numbered(one, positions), meant(one)) for name, one in {OWN: mine, **rows}.items()}
    fit = measured(found, images)
    if fit is None:
        return Tried()
    evidence = _evidence(fit, looked, ways, len(positions), highest_ap50(list(found.values()), images))
    noticed = tuple(_hardly_trained(evidence, _numbered(mine, positions)))
    if evidence.verdict != "taken":
        return Tried(evidence, findings=noticed)
    return Tried(evidence, ways[fit.best.name], rows[fit.best.name], findings=noticed)


def said(fit: ScalingFit, family: str, *, declared: bool) -> Iterator[Finding]:
    """What is said of the scaling that fits best. `declared`: in handin.json, which then is graded as it is."""
    figures: dict[str, Any] = {
        "images": fit.images,
        "objects": fit.objects,
        "own": fit.own,
        "found": fit.found,
        "ap50": fit.ap50 or 0.0,
        "best": fit.best,
        "best_found": fit.best_found,
        "best_ap50": fit.best_ap50 or 0.0,
    }
    if fit.verdict == "taken":
        ends: dict[str, Any] = {"low": 100 * fit.gain[0], "high": 100 * fit.gain[1]}
        if declared:
            yield finding("detector-scaling-misfit", **figures, **ends)
        else:
            others_shown = family in _ON_THE_BOARD and fit.best != _OF_THE_BOARD
            code = "detector-scaling-measured-not-the-board's" if others_shown else "detector-scaling-measured"
            yield finding(code, **figures, **ends)
    elif fit.verdict == "unclear" and not declared:
        yield finding("detector-scaling-unclear", **figures)


def _asked(
    asking: Asking, known: Known, ways: Mapping[str, Scaling], context: StageContext
) -> tuple[Sequence[int], dict[str, Rows]]:
    """The positions in the set that were answered, ascending, and each way's boxes for them. Raises `Rejected`."""
    request, inputs = asking.detector.request(context)
    if asking.weights is not None:
        inputs["weights"] = asking.weights
    material = drawn_from(known.staged, known.chosen)
    most = most_of_an_image(len(material.files) * len(ways))
    request |= {
        "ways": [way.model_dump() for way in ways.values()],
        "most": most,
        "seconds": min(_SECONDS, _SHARE * context.limits.wall_seconds),
    }
    images = {"check": drawn(asking.check_images), "images": material}
    with tempfile.TemporaryDirectory(prefix="harness-measure-detector-") as folder:
        outputs = Path(folder)
        outcome = context.run("measure_detector", request, inputs, outputs, images=images)
        if outcome.status != "ok":
            ended = failed(outcome, sentence("trying-scalings"), context.limits)
            raise Rejected(ended.reason, ended.detail)
        reject_refusal(outputs)
        reply = read_reply(outputs, "measured.json", _Reply)
        places = reply.images
        if list(places) != sorted(set(places)) or any(place >= len(material.files) for place in places):
            raise Rejected(sentence("answers-other-images"))
        if not places:
            raise Rejected(sentence("tried-none"))
        if len(reply.boxes) != len(ways):
            raise Rejected(sentence("reply-malformed", name="measured.json"))
        at = np.array([known.chosen[material.order[place]] for place in places], np.int32)
        rows = {
            name: read_rows(outputs, f"way-{number}", count, at, most)
            for number, (name, count) in enumerate(zip(ways, reply.boxes, strict=True))
        }
    return sorted(at.tolist()), rows


def _evidence(fit: Fit, looked: Looked, ways: Mapping[str, Scaling], images: int, highest: float) -> ScalingFit:
    mine = own(looked.description)
    best = ways.get(fit.best.name, mine)
    return ScalingFit(
        images=images,
        objects=fit.objects,
        ways=len(ways),
        own=in_words(mine),
        found=fit.own.found,
        ap50=fit.own.ap50,
        best=in_words(best),
        best_found=fit.best.found,
        best_ap50=fit.best.ap50,
        gain=fit.gain,
        verdict=fit.verdict,
        highest_ap50=highest,
    )


def _hardly_trained(fit: ScalingFit, mine: Detections) -> Iterator[Finding]:
    """Said of a detector that finds hardly anything in any way; it never costs points by itself."""
    if fit.objects < _SEEN_TO_SAY_IT or (fit.highest_ap50 or 0.0) > _HARDLY:
        return
    surest = [float(mine.score[mine.image == image].max(initial=0.0)) for image in range(fit.images)]
    yield finding(
        "detector-hardly-trained",
        images=fit.images,
        ap50=fit.highest_ap50 or 0.0,
        tried=sentence("tried-scalings", ways=fit.ways) if fit.ways else "",
        boxes=len(mine) / fit.images,
        surest=float(np.median(surest)),
    )


def _numbered(rows: Rows, positions: Sequence[int]) -> Detections:
    """The boxes on the images at some positions of the set, ascending; these numbered from 0."""
    kept = np.isin(rows.images, list(positions))
    number = np.searchsorted(np.array(positions, np.int32), rows.images[kept]).astype(np.int32)
    return Detections(number, rows.boxes[kept], rows.scores[kept], rows.labels[kept])
