"""The stage `predict`: a model's answers to the held-out images."""

from __future__ import annotations

from harness.stages.evidence.conversion import Guess
from harness.stages.evidence.record import Blob, Record


class Predictions(Record):
    """Class probabilities for the held-out images, in the order of the held-out set."""

    probabilities: Blob  # .npy float32, shape (images, labels); rows sum to 1
    labels: tuple[str, ...]
    images: int
    seconds_per_image: float
    asked_twice: int = 0  # images that were repeated, at other positions and in other batches
    largest_difference: float = 0.0  # of a probability, between the answers to one image
    depends_on_order: bool = False  # whether that difference is more than rounding
    probe_images: tuple[int, ...] = ()  # indices of the images on which other pre-processings were tried
    probes: dict[str, Blob] = {}  # name of the pre-processing -> .npy float32, shape (probe images, labels)
    guessed: tuple[Guess, ...] = ()  # of the conversion, like `unsettled`
    unsettled: bool = False
