"""Held-out sets and how they enter a sandbox."""

from harness.images.held_out import HeldOutSet, StagedImages, load, load_unseen, stage

__all__ = ["HeldOutSet", "StagedImages", "load", "load_unseen", "stage"]
