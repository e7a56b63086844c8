"""The stage `detect_worse`: a detector on corrupted held-out images, and on images of other objects.

Where objects were put before other backgrounds (`swap_backgrounds.py`), it is asked about these in a sandbox of their
own: code that sees them beside the unchanged images could tell from both where the boxes are.

The sandbox corrupts the images, so that a student's withheld ones are never decoded outside. Boxes stay outside: where
a corruption moves what an image shows, `evaluate/detection/moved.py` moves the boxes.
"""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from harness.findings import sentence
from harness.inputs.assignment.sections import Robustness
from harness.inputs.given_weights import GivenWeights
from harness.inputs.images import Material, StagedImages, TrainingImages, drawn, drawn_from, sample
from harness.stages.context import Rejected, StageContext, failed, read_reply, reject_refusal, usage
from harness.stages.detection.asking import Asking, Unanswered, found_on, stored
from harness.stages.detection.handed_in import HandedDetector, where_answered
from harness.stages.detection.reply import MOST_IN_ALL, Rows, most_of_an_image, read_rows
from harness.stages.evidence.detections import DetectorAnswers
from harness.stages.evidence.stage_result import NO_MODEL, Done, Skipped, StageResult
from harness.stages.evidence.swapped_backgrounds import SwappedBackgrounds
from harness.stages.evidence.worse_boxes import BackgroundBoxes, WorseBoxes
from harness.stages.stage import Stage

_PATTERNS = 30  # drawn patterns, if the assignment has no images of other objects
_SECONDS = 120  # for the corrupted images, as fast as the held-out ones were
_FEWEST = 5  # images, however slow the detector
_SHARE = 0.8  # of the wall time; a slow detector stops itself then


class _Reply(BaseModel):
    """worse.json, as `harness/agent/phases/detect_worse.py` sends it."""

    model_config = ConfigDict(extra="forbid")

    corrupted: int = Field(ge=0, le=MOST_IN_ALL)
    unseen: int = Field(ge=0, le=MOST_IN_ALL)


def affordable(rules: Robustness, seconds_per_image: float) -> int:
    """How many images are corrupted: halved until a detector as slow as this is done in two minutes.

    Halving keeps the number the same for two runs of which one is a little slower.
    """
    versions, images = 1 + len(rules.corruptions) * len(rules.severities), rules.images
    while images > _FEWEST and images * versions * seconds_per_image > _SECONDS:
        images = max(_FEWEST, images // 2)
    return images


@dataclass(frozen=True, slots=True)
class DetectWorseRequest:
    """A detector with its answers, the held-out images, and images of none of the classes."""

    answers: DetectorAnswers | None
    training: TrainingImages
    weights: GivenWeights
    staged: StagedImages
    unseen: StagedImages | None
    rules: Robustness
    swapped: SwappedBackgrounds | None = None


def _detect_worse(request: DetectWorseRequest, context: StageContext) -> StageResult[WorseBoxes]:
    if not request.rules.enabled:
        return Skipped(reason=sentence("not-asked"))
    if request.answers is None:
        return NO_MODEL
    context = where_answered(request.answers, context)
    rules = request.rules
    chosen = sample(request.staged, affordable(rules, request.answers.seconds_per_image))
    versions = tuple((name, severity) for name in rules.corruptions for severity in rules.severities)
    asked, inputs = HandedDetector.of(request.answers).request(context)
    if request.weights.hub is not None:
        inputs["weights"] = request.weights.hub
    material = {
        "check": drawn(request.training.check_images()),
        "images": drawn_from(request.staged, chosen),
        "unseen": drawn_from(request.unseen) if request.unseen is not None else drawn(()),
    }
    asked |= {
        "versions": versions,
        "patterns": 0 if request.unseen else _PATTERNS,
        "most": most_of_an_image((1 + len(versions)) * len(chosen)),
        "seconds": context.limits.wall_seconds * _SHARE,
    }
    with tempfile.TemporaryDirectory(prefix="harness-detect-worse-") as folder:
        outputs = Path(folder)
        outcome = context.run("detect_worse", asked, inputs, outputs, images=material)
        if outcome.status != "ok":
            return failed(outcome, "Trying the model on worse images", context.limits)
        try:
            reject_refusal(outputs)
            value = _result(request, chosen, versions, material, outputs, context)
            value = value.model_copy(update={"backgrounds": _on_backgrounds(request, request.answers, context)})
        except Rejected as rejected:
            return Skipped(
                reason=sentence("not-tried-on-worse", why=rejected), detail=rejected.detail, usage=usage(outcome)
            )
    return Done(value=value, origin="measured-inside", usage=usage(outcome))


def _result(
    request: DetectWorseRequest,
    chosen: tuple[int, ...],
    versions: tuple[tuple[str, int], ...],
    material: dict[str, Material],
    outputs: Path,
    context: StageContext,
) -> WorseBoxes:
    reply = read_reply(outputs, "worse.json", _Reply)
    order = np.array(material["images"].order, np.int32)
    # From the phase's number, image by image, to ours, version by version.
    at = (order[:, None] + len(chosen) * np.arange(1 + len(versions), dtype=np.int32)).ravel()
    others = np.array(material["unseen"].order if request.unseen else range(_PATTERNS), np.int32)
    most = most_of_an_image(len(at))
    return WorseBoxes(
        images=chosen,
        seeds=tuple(map(_seed, request.staged.files(chosen))),
        versions=versions,
        corrupted=stored(read_rows(outputs, "corrupted", reply.corrupted, at, most), "corrupted", context),
        unseen=stored(read_rows(outputs, "unseen", reply.unseen, others, most), "unseen", context),
        unseen_images=len(others),
        unseen_source="folder" if request.unseen else "patterns",
    )


def _on_backgrounds(
    request: DetectWorseRequest, answers: DetectorAnswers, context: StageContext
) -> BackgroundBoxes | None:
    """The boxes before the swapped backgrounds; None where there are none, or the detector does not answer there."""
    made = request.swapped
    if made is None:
        return None
    asking = Asking(HandedDetector.of(answers), request.training.check_images(), request.weights.hub)
    count = min(len(made.images), affordable(request.rules, answers.seconds_per_image))
    blobs = (*made.own[:count], *made.other[:count])
    folder = context.store.folder
    names = tuple(str(context.store.path(blob).relative_to(folder)) for blob in blobs)
    digest = hashlib.sha256("".join(blob.sha256 for blob in blobs).encode()).hexdigest()
    try:
        found = found_on(asking, StagedImages(folder, names, digest), context)
    except Unanswered:
        return None
    own, other = (
        stored(_of_part(found, part * count, (part + 1) * count), name, context)
        for part, name in enumerate(("own", "other"))
    )
    return BackgroundBoxes(images=made.images[:count], own=own, other=other, source=made.source)


def _of_part(found: Rows, first: int, last: int) -> Rows:
    """The rows of the images `first` to `last` - 1, counted from `first`."""
    mine = (found.images >= first) & (found.images < last)
    return Rows(found.boxes[mine], found.scores[mine], found.labels[mine], found.images[mine] - np.int32(first))


def _seed(file: Path) -> int:
    """As `harness/agent/images/corrupted_image.py` makes it."""
    return int.from_bytes(hashlib.sha256(file.read_bytes()).digest()[:4])


DETECT_WORSE = Stage("detect_worse", WorseBoxes, _detect_worse)
