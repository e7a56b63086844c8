"""Jetson-class boards: one TOML each, figures with their sources.

`specs.csv` has the figures that the TOML files take theirs from, `published.csv` what others measured on such
boards: one row each, with its source. Nothing is predicted from them yet.
"""

from harness.boards.boards import Board, load, names

__all__ = ["Board", "load", "names"]
