"""What the stages `benchmark` and `timing` share outside the sandbox: choosing images, and checking replies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from harness.findings import sentence
from harness.inputs.images import Material, StagedImages, drawn_from, sample
from harness.stages.context import Rejected, StageContext, read_array
from harness.stages.evidence.benchmark import CheckedAnswers
from harness.stages.evidence.conversion import Conversion
from harness.stages.evidence.predictions import Predictions
from harness.stages.timed_answers import MOST_INPUTS, Floats, Groups, checked_answers


@dataclass(frozen=True, slots=True)
class TimedImages:
    """Some of the staged images, in a secret order, through which timed queries cycle."""

    chosen: Sequence[int]  # rows of the predict stage's answers
    material: Material

    def asked(self, places: Sequence[Sequence[int]]) -> list[list[int]]:
        """For queries with the images at these places: the rows in the predict stage's answers."""
        return [[self.chosen[self.material.order[place]] for place in query] for query in places]


def timed_images(staged: StagedImages) -> TimedImages:
    """The images of one timing, in a new random order."""
    chosen = sample(staged, MOST_INPUTS)
    return TimedImages(chosen, drawn_from(staged, chosen))


def model_request(conversion: Conversion) -> dict[str, Any]:
    """The part of the request about the model."""
    return {
        "layout": conversion.layout,
        "input_dtype": conversion.input_dtype,
        "rule": conversion.preprocess.model_dump(),
        "output_kind": conversion.output_kind,
    }


def read_latencies(outputs: Path, name: str, queries: int) -> Floats:
    """Latencies in ms, shape (queries,). Raises `Rejected`."""
    latencies = read_array(outputs, name, (queries,))
    if not np.isfinite(latencies).all() or (latencies <= 0).any():
        raise Rejected(sentence("timed-no-latencies"))
    return latencies


def compared(
    groups: Groups,
    ends: tuple[str, str],
    asked: Sequence[Sequence[int]],
    conversion: Conversion,
    predictions: Predictions,
    tolerance: float,
    outputs: Path,
    context: StageContext,
) -> CheckedAnswers:
    """All timed answers, compared with the predict stage's. Raises `Rejected`.

    `ends`: the files with the lowest and highest probabilities of each group. `asked`: as for `checked_answers`.
    """
    shape = (len(groups.inputs) * len(asked[0]), conversion.outputs)
    low, high = (read_array(outputs, name, shape) for name in ends)
    before = np.load(context.store.path(predictions.probabilities), allow_pickle=False)
    return checked_answers(groups, low, high, asked, before, tolerance)
