"""Held-out sets and how they enter a sandbox."""

from harness.inputs.images.held_out import NO_SET, HeldOutSet, StagedImages, load, load_unseen, stage
from harness.inputs.images.material import Material, drawn, drawn_from, sample, secret_sample

__all__ = [
    "NO_SET",
    "HeldOutSet",
    "Material",
    "StagedImages",
    "drawn",
    "drawn_from",
    "load",
    "load_unseen",
    "sample",
    "secret_sample",
    "stage",
]
