"""The stage `train_detector`: the files of a trained reference detector."""

from __future__ import annotations

from harness.stages.evidence.record import Blob, Record


class TrainedDetector(Record):
    """The files of a trained reference detector, with the names that a submission has."""

    model: Blob
    labels: Blob
    suppressed: Blob | None = None  # ends in the suppression of boxes; None from an instructor's code
    handin: Blob | None = None  # from an instructor's code only, which need not write it
    images: int | None = None  # trained on; None from an instructor's code, as `boxes`
    boxes: int | None = None
    seconds: float  # wall time of the whole phase
