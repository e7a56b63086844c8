"""Re-encodes images in the sandbox, to withhold or to look at; the store keeps them."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

from harness.findings import sentence
from harness.inputs.images.held_out import LONGEST_SIDE
from harness.stages.context import Rejected, StageContext, failed
from harness.stages.evidence.audit import WithheldImage

_AT_ONCE = 48  # images of one job; one of 1024 pixels as PNG takes 2 MB


def withheld_images(
    chosen: Mapping[int, tuple[str, str]], dataset: Path, context: StageContext, longest_side: int = LONGEST_SIDE
) -> tuple[WithheldImage, ...]:
    """The images, by index. `chosen`: index in the data set -> name and class. `longest_side`: in pixels.

    Raises `Rejected` if one is missing.
    """
    kept = []
    places = sorted(chosen)
    for start in range(0, len(places), _AT_ONCE):
        batch = places[start : start + _AT_ONCE]
        request = {"places": batch, "longest_side": longest_side}
        with tempfile.TemporaryDirectory(prefix="harness-withhold-") as folder:
            outputs = Path(folder)
            outcome = context.run("withhold", request, {"dataset": dataset}, outputs)
            if outcome.status != "ok":
                ended = failed(outcome, "re-encoding the withheld images", context.limits)
                raise Rejected(ended.reason, ended.detail)
            for place in batch:
                file = outputs / f"{place}.png"
                if not file.is_file():
                    raise Rejected(sentence("reply-not-sent", name=file.name))
                name, label = chosen[place]
                kept.append(WithheldImage(picture=name, label=label, file=context.store.put(file, file.name)))
    return tuple(kept)
