"""Held-out and training images, and how they enter a sandbox."""

from harness.inputs.images.held_out import NO_SET, NO_STAGED, HeldOutSet, StagedImages, load, load_unseen, stage
from harness.inputs.images.objects import ImageObjects, LabelledBox
from harness.inputs.images.secret_order import Material, drawn, drawn_from, sample, secret_sample
from harness.inputs.images.training import CHECK_IMAGES, NO_TRAINING_IMAGES, TrainingImages

__all__ = [
    "CHECK_IMAGES",
    "NO_SET",
    "NO_STAGED",
    "NO_TRAINING_IMAGES",
    "HeldOutSet",
    "ImageObjects",
    "LabelledBox",
    "Material",
    "StagedImages",
    "TrainingImages",
    "drawn",
    "drawn_from",
    "load",
    "load_unseen",
    "sample",
    "secret_sample",
    "stage",
]
