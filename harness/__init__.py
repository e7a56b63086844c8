"""Grades a transfer-learning assignment and benchmarks its models."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas

__version__ = "0.1.0"


def load_ipython_extension(shell: object) -> None:
    """Called by `%load_ext harness` in a notebook: adds `%check`."""
    importlib.import_module("harness.cli.notebook_magic").register(shell)  # by name: this module is below all layers


def load_results(out: str | Path) -> pandas.DataFrame:
    """The class in the output folder of a `harness grade`, as a frame with a row for each submission."""
    # By its name: every module imports this one, and none below the gradebook may depend on it.
    frames = importlib.import_module("harness.gradebook.frames")
    found: pandas.DataFrame = frames.load_results(out)
    return found
