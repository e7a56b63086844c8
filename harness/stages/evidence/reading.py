"""The stage `read`: a notebook's steps and answers, and what its outputs show; also for a run's outputs."""

from __future__ import annotations

from typing import Literal

from harness.stages.evidence.record import Record, Share


class Curve(Record):
    """One training as the notebook's outputs show it. Metrics by epoch; None where an epoch has none."""

    cell: int
    epochs: int
    planned: int | None  # planned epochs, if the outputs show them
    metrics: dict[Literal["loss", "accuracy", "val_loss", "val_accuracy"], tuple[float | None, ...]]


class Claim(Record):
    """The accuracy that a notebook reports, in its own words; never trusted for points."""

    kind: Literal["test", "validation", "training", "unsaid"]
    accuracy: Share
    cell: int
    words: str


class PrecisionClaim(Record):
    """The average precision that a notebook reports of a detector, in its own words; never trusted for points.

    `measure`: `voc`, Pascal VOC's at an IoU of 0.5, as eval_ssd.py prints it; `ap50`, at 0.5; `ap`, over 0.50 to 0.95.
    """

    measure: Literal["voc", "ap50", "ap"]
    value: Share
    cell: int
    words: str


class Shown(Record):
    """What a notebook's outputs show. Self-reported throughout."""

    has_outputs: bool
    curves: tuple[Curve, ...] = ()
    batch_size: int | None = None
    parameters: int | None = None
    trainable_parameters: int | None = None
    frozen_parameters: int | None = None
    claim: Claim | None = None
    average_precision: PrecisionClaim | None = None


class Step(Record):
    """A step of the assignment in the notebook; `cell` counts all cells from 1, None when it was not found."""

    name: str
    cell: int | None
    title: str  # the heading in the notebook
    has_code: bool
    has_words: bool  # a text, or a comment in the code


class Question(Record):
    """An open question in the notebook, and the text below it."""

    name: str
    cell: int | None
    title: str
    answered: bool
    answer: str


class NotebookReading(Record):
    """A notebook as it was handed in, read and not run."""

    code_cells: int
    shown: Shown
    steps: tuple[Step, ...] = ()
    questions: tuple[Question, ...] = ()
