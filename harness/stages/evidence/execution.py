"""The stage `execute`: a notebook's run."""

from __future__ import annotations

from typing import ClassVar, Literal

from harness.inputs.environment_names import EnvironmentName
from harness.stages.evidence.reading import Shown
from harness.stages.evidence.record import Blob, Record
from harness.stages.evidence.stage_result import Failed


class DifferenceLine(Record):
    """A line of a diff, shortened."""

    kind: Literal["removed", "added", "kept"]
    text: str


class CellChange(Record):
    """The changes of rules to a code cell before it ran."""

    cell: int
    rules: tuple[str, ...]
    difference: tuple[DifferenceLine, ...]


class CellError(Record):
    """A code cell that raised or reached its time limit."""

    cell: int  # 1-based, counting code cells only: what the student sees as the n-th code cell
    kind: Literal["error", "timeout", "died"]
    name: str  # the exception's class
    message: str
    traceback: str  # plain text, capped


class Produced(Blob):
    """A file that a run wrote, and what the student calls it."""

    path: str = ""  # below the folder in which the notebook ran
    kind: str = ""  # what its content says it is: a key of `FILE_KINDS`
    changed: float = 0.0  # when it was last written, in seconds after the first of them


class Execution(Record):
    """A notebook's run.

    The agent counts the cells, changes them before they run, and observes how the kernel ends each of them. The fields
    `SELF_REPORTED` were printed or noted inside the student's own kernel, which could report anything.
    """

    SELF_REPORTED: ClassVar[tuple[str, ...]] = ("shown", "network_attempts", "outside_reads", "harness_writes")

    notebook: Blob  # as executed, outputs capped, images re-encoded as PNG
    code_cells: int
    executed_cells: int
    errors: tuple[CellError, ...]
    produced: tuple[Produced, ...]  # models and what may belong to them, that the run wrote
    network_attempts: tuple[tuple[int, str], ...] = ()  # (cell, what), from the cell's errors and text
    outside_reads: tuple[tuple[int, str], ...] = ()  # (cell, path), likewise
    harness_writes: tuple[tuple[int, str], ...] = ()  # (cell, path of the harness that it tried to write to)
    python_assumed: str = ""  # why Python is an assumption; empty when the notebook says so itself
    truncated: str = ""  # why outputs were cut, if they were
    environment: EnvironmentName = "torch"  # in which it ran
    changes: tuple[CellChange, ...] = ()  # changes before it ran
    changes_left_out: int = 0  # cells whose changes are not listed
    given: tuple[str, ...] = ()  # where the course's images were put, a phrase for each place
    shown: Shown | None = None  # what the outputs of this run show

    @property
    def complete(self) -> bool:
        """Whether every code cell finished without an error."""
        return not self.errors and self.executed_cells == self.code_cells


class FailedExecution(Failed):
    """A run that stopped half-way, with its results until then, if these were sent."""

    execution: Execution | None
