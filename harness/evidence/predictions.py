"""The stage `predict`: what a model answers on the held-out images."""

from __future__ import annotations

from harness.evidence.record import Blob, Record


class Predictions(Record):
    """Class probabilities for the held-out images, in the order of the held-out set."""

    probabilities: Blob  # .npy float32, shape (images, labels); rows sum to 1
    labels: tuple[str, ...]
    images: int
    seconds_per_image: float
    probe_images: tuple[int, ...] = ()  # indices of the images on which other pre-processings were tried
    probes: dict[str, Blob] = {}  # name of the pre-processing -> .npy float32, shape (probe images, labels)
