"""The answers that a model gave while it was timed, held against those that it gave before. Pure.

As MLPerf's compliance tests ask (TEST01: accuracy sampled in performance mode), but of all answers, not of a sample.
What was answered before never goes into the process that is timed, so it cannot come from there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from harness.stages.evidence.benchmark import CheckedAnswers

# Different images, and different queries, that a timing goes round. A model that is timed with a lesser network is
# found unless that one answers as the whole does on all of them: at one mistake in twenty, in 4 % of runs.
MOST_INPUTS = 64
_MOST_GROUPS = 16  # of one input, as `harness/agent/timing/timed_answers.py` keeps them

Floats = NDArray[np.float32]
Operators = Annotated[  # that can answer one call otherwise than the next
    tuple[Annotated[str, Field(pattern=r"^[A-Za-z0-9_.?]{1,60}$")], ...], Field(max_length=20)
]


class Groups(BaseModel):
    """Equal answers, counted: to which input, and how many times."""

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
    """All timed answers against those `before`, shape (images, classes).

    `low`, `high`: the least and the largest probabilities in each group, shape (groups * samples, classes).
    `asked`: for each input its images, as rows of `before`; as many, `samples`, for each.
    `tolerance`: the largest difference of a probability that is not yet another answer. A group of which any answer
    is beyond it counts as a whole; its answers are within a tenth of 1e-3 of one another.
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
