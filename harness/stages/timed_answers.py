"""Compares a model's timed answers with its earlier answers. Pure.

Like MLPerf's compliance test TEST01 (accuracy sampled in performance mode), but for all answers, not a sample. The
earlier answers never enter the timed process, so it cannot copy them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from harness.stages.evidence.benchmark import CheckedAnswers

# Different images and queries of a timing. A model that is timed with a smaller network is detected unless that one
# gives the same answers on all of them; if it errs on one image in twenty, 4 % of runs miss it.
MOST_INPUTS = 64
_MOST_GROUPS = 16  # per input, as in `harness/agent/timing/timed_answers.py`

Floats = NDArray[np.float32]
Operators = Annotated[  # that can answer equal calls differently
    tuple[Annotated[str, Field(pattern=r"^[A-Za-z0-9_.?]{1,60}$")], ...], Field(max_length=20)
]


class Groups(BaseModel):
    """Groups of equal answers: their input, and their count."""

    model_config = ConfigDict(extra="forbid")

    inputs: Annotated[
        tuple[Annotated[int, Field(ge=0)], ...], Field(min_length=1, max_length=_MOST_GROUPS * MOST_INPUTS)
    ]
    counts: tuple[Annotated[int, Field(ge=1)], ...]

    @model_validator(mode="after")
    def _alike(self) -> Groups:
        if len(self.inputs) != len(self.counts):
            raise ValueError("inputs and counts are not of the same groups")
        return self


def checked_answers(
    groups: Groups, low: Floats, high: Floats, asked: Sequence[Sequence[int]], before: Floats, tolerance: float
) -> CheckedAnswers:
    """Compare all timed answers with `before`, shape (images, classes).

    `low`, `high`: the smallest and largest probabilities in each group, shape (groups * samples, classes).
    `asked`: for each input its `samples` images, as rows of `before`.
    `tolerance`: the largest difference of a probability between equal answers. A group counts as different as a whole
    if any of its answers is; its answers are within 1e-4 of each other.
    """
    expected = before[[image for input in groups.inputs for image in asked[input]]]
    with np.errstate(invalid="ignore"):
        off = np.maximum(np.abs(low - expected), np.abs(high - expected)).max(axis=1)
    differences = np.minimum(np.nan_to_num(off, nan=1.0, posinf=1.0), 1.0)
    samples = len(asked[0])
    counts = np.repeat(groups.counts, samples)
    return CheckedAnswers(
        checked=int(counts.sum()),
        different=int(counts[differences > tolerance].sum()),
        largest_difference=float(differences.max()),
    )


def together(several: Sequence[CheckedAnswers]) -> CheckedAnswers | None:
    """The answers of all rounds together; None of none."""
    if not several:
        return None
    return CheckedAnswers(
        checked=sum(one.checked for one in several),
        different=sum(one.different for one in several),
        largest_difference=max(one.largest_difference for one in several),
    )
