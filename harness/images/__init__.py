"""Held-out sets and how they enter a sandbox."""

from harness.images.held_out import HeldOutSet, StagedImages, load, stage

__all__ = ["HeldOutSet", "StagedImages", "load", "stage"]
