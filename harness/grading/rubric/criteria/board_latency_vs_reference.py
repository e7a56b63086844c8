"""How long one prediction is predicted to take on a board, relative to the reference there, in bands."""

from __future__ import annotations

from typing import get_args

from pydantic import Field, model_validator

from harness.findings import sentence
from harness.grading.rubric.criterion import CriterionOptions, Judgement, linear
from harness.stages.evidence.boards import BoardBand, BoardLatency, BoardPredictions
from harness.stages.evidence.stage_result import Done
from harness.stages.evidence.submission import Evidence

TITLE = "Predicted time on the board, against the reference"
READS: tuple[str, ...] = ("boards",)
_BANDS: tuple[BoardBand, ...] = get_args(BoardBand)  # the fastest first


class Options(CriterionOptions):
    full_at: BoardBand = Field("as fast", description="band up to which all points are given")
    zero_at: BoardBand = Field("far slower", description="band from which none are; between them in equal steps")

    @model_validator(mode="after")
    def _in_order(self) -> Options:
        if _BANDS.index(self.zero_at) <= _BANDS.index(self.full_at):
            raise ValueError("zero_at must be a slower band than full_at")
        return self


def mark(evidence: Evidence, options: Options, max_points: float) -> Judgement:
    """Points by the band on the assignment's board; with several boards, the one with the worst ratio counts.

    A person decides when there is no prediction, when it leaves out a part of the graph, or when the model is
    estimated not to fit a board.
    """
    if not isinstance(evidence.answered, Done):
        return Judgement(0.0, sentence("board-no-model"))
    if not isinstance(evidence.boards, Done):
        return Judgement(None, sentence("board-not-predicted", why=evidence.boards.reason))
    found: BoardPredictions = evidence.boards.value
    rows = [row for row in found.boards if row.versus_reference is not None]
    if not rows:
        return Judgement(None, found.reason or sentence("board-no-reference"))
    if found.not_listed:
        return Judgement(None, sentence("board-not-listed", operators=", ".join(found.not_listed)))
    tight = [row.board for row in found.boards if row.fits is False]
    if tight:
        return Judgement(None, sentence("board-too-large", boards=", ".join(tight)))
    worst = max(rows, key=_ratio)
    assert worst.versus_reference is not None
    band = worst.versus_reference.band
    full, zero, own = (_BANDS.index(name) for name in (options.full_at, options.zero_at, band))
    low, high = worst.versus_reference.interval_90
    points = linear(own, zero, full, max_points)
    more = sentence("more-board", board=worst.board, full_at=options.full_at, points=max_points)
    return Judgement(
        points,
        sentence(
            "board-marked",
            board=worst.board,
            ratio=_ratio(worst),
            low=low,
            high=high,
            band=band,
            full_at=options.full_at,
            zero_at=options.zero_at,
        ),
        more=more if points < max_points else "",
    )


def _ratio(row: BoardLatency) -> float:
    return row.versus_reference.ratio if row.versus_reference else 0.0
