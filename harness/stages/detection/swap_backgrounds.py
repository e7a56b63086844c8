"""The stage `swap_backgrounds`: makes images of objects before other backgrounds, once for all detectors.

It needs the boxes, which no sandbox with a student's code may have: so its sandbox has nothing of a student's but the
images, and ends before a detector is asked.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from harness.findings import sentence
from harness.inputs.images import HeldOutSet, StagedImages, drawn, drawn_from, sample
from harness.stages.context import Rejected, StageContext, failed, read_reply, usage
from harness.stages.evidence.record import Blob
from harness.stages.evidence.stage_result import Done, Failed, Skipped, StageResult
from harness.stages.evidence.swapped_backgrounds import BackgroundSource, SwappedBackgrounds
from harness.stages.stage import Stage

_MOST_UNSEEN = 40  # backgrounds


class _Reply(BaseModel):
    """backgrounds.json, as `harness/agent/phases/swap_backgrounds.py` sends it."""

    model_config = ConfigDict(extra="forbid")

    source: BackgroundSource


@dataclass(frozen=True, slots=True)
class SwapBackgroundsRequest:
    """The held-out images with their objects, images of other objects, and how many images are made of each kind."""

    held_out: HeldOutSet
    staged: StagedImages
    unseen: StagedImages | None
    images: int


def _swap(request: SwapBackgroundsRequest, context: StageContext) -> StageResult[SwappedBackgrounds]:
    objects = request.held_out.objects
    chosen = tuple(image for image in sample(request.staged, len(objects)) if objects[image].boxes)[: request.images]
    if not chosen:
        return Skipped(reason=sentence("not-asked"))
    material = drawn_from(request.staged, chosen)
    unseen = request.unseen
    others = drawn_from(unseen, sample(unseen, _MOST_UNSEEN)) if unseen is not None else drawn(())
    boxes = [
        [(one.left, one.top, one.right, one.bottom) for one in objects[chosen[place]].boxes] for place in material.order
    ]
    scene_of = request.held_out.scenes or range(len(objects))
    asked = {"boxes": boxes, "scenes": [scene_of[chosen[place]] for place in material.order]}
    with tempfile.TemporaryDirectory(prefix="harness-backgrounds-") as folder:
        outputs = Path(folder)
        images = {"images": material, "unseen": others}
        outcome = context.run("swap_backgrounds", asked, {}, outputs, images=images)
        if outcome.status != "ok":
            return failed(outcome, "Putting objects before other backgrounds", context.limits)
        try:
            reply = read_reply(outputs, "backgrounds.json", _Reply)
            own, other = (
                tuple(_kept(outputs / f"{material.order.index(i)}-{kind}.png", context) for i in range(len(chosen)))
                for kind in ("own", "other")
            )
        except Rejected as rejected:
            return Failed(status="rejected", reason=str(rejected), detail=rejected.detail, usage=usage(outcome))
    value = SwappedBackgrounds(images=chosen, own=own, other=other, source=reply.source)
    return Done(value=value, origin="measured-inside", usage=usage(outcome))


def _kept(file: Path, context: StageContext) -> Blob:
    """The image in the store. Raises `Rejected` if it is missing."""
    if not file.is_file():
        raise Rejected(sentence("reply-not-sent", name=file.name))
    return context.store.put(file, "image.png")


SWAP_BACKGROUNDS = Stage("swap_backgrounds", SwappedBackgrounds, _swap)
