"""Held-out sets and how they enter a sandbox."""

from harness.images.held_out import NO_SET, HeldOutSet, StagedImages, load, stage

__all__ = ["NO_SET", "HeldOutSet", "StagedImages", "load", "stage"]
