"""Grades a transfer-learning assignment and benchmarks its models."""

from __future__ import annotations

import importlib

__version__ = "0.1.0"


def load_ipython_extension(shell: object) -> None:
    """Called by `%load_ext harness` in a notebook: adds `%check`."""
    importlib.import_module("harness.cli.notebook_magic").register(shell)  # by name: this module is below all layers
