"""Jetson-class boards: one TOML each, figures with their sources."""

from harness.boards.boards import Board, load, names

__all__ = ["Board", "load", "names"]
