"""The assignment that a command is given."""

from __future__ import annotations

from pathlib import Path

from harness.boundary.screen import say
from harness.inputs.assignment import Assignment, load


def read_assignment(file: Path) -> Assignment:
    """The assignment in `file`; outdated keys and images that are not used are named on stderr.

    Raises `AssignmentError` as `load` does.
    """
    assignment = load(file)
    for line in (*assignment.outdated, *assignment.remarks):
        say(line, err=True)
    return assignment
