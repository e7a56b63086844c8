"""Fixtures of fast tests and of real sandboxes."""

import os
from pathlib import Path

import pytest

import harness

_WITHOUT_LINUX = Path(__file__).parent / "without_linux"


@pytest.fixture(scope="session")
def without_linux() -> dict[str, str]:
    """The environment of a process whose harness finds nothing of what only Linux has."""
    package = Path(harness.__file__).parents[1]
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(_WITHOUT_LINUX), str(package)])}
