"""How good and how fast the reference detector is on the public images: all that a student gets of it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from harness.inputs.published import Published, ReferenceLatency, ReferenceOnBoard, Share

Ends = tuple[Share, Share]  # of an interval of 95 %


class DetectorScores(Published):
    """The reference detector's scores; figures as in `DetectionEvaluation`, of which these are a part."""

    schema_: Literal[1] = Field(1, alias="schema")
    task: Literal["detection"] = "detection"
    backbone: str = Field(max_length=100)
    images_sha256: str  # `HeldOutSet.sha256` of the public images with their boxes
    images: int = Field(gt=0)
    ap50: Share
    ap50_interval: Ends
    ap: Share
    ap_interval: Ends
    per_class: dict[Annotated[str, Field(max_length=200)], Share | None] = Field(min_length=1)  # class -> AP50
    exact_share: Share  # of the images on which the board shows as many objects as there are
    exact_interval: Ends
    latency: ReferenceLatency | None = None
    boards: tuple[ReferenceOnBoard, ...] = ()

    @model_validator(mode="after")
    def _intervals_hold_their_figures(self) -> DetectorScores:
        figures = (("ap50", self.ap50), ("ap", self.ap), ("exact_share", self.exact_share))
        ends = (self.ap50_interval, self.ap_interval, self.exact_interval)
        for (name, value), (low, high) in zip(figures, ends, strict=True):
            if not low <= value <= high:
                raise ValueError(f"{name} is {value:g}, which is not between {low:g} and {high:g}")
        return self
