"""Held-out sets and how they enter a sandbox."""

from harness.images.held_out import NO_SET, HeldOutSet, StagedImages, load, load_unseen, stage

__all__ = ["NO_SET", "HeldOutSet", "StagedImages", "load", "load_unseen", "stage"]
